"""From a config to a run: it begins, or goes on from its latest state, and ends in the loop."""

import contextlib
import dataclasses
import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax

from aligned_jax import provenance
from aligned_jax.errors import UserError
from aligned_jax.provenance import Command
from aligned_jax.runs import hosts, loop, overrides, session, snapshot
from aligned_jax.runs.config import RunConfig, replaced
from aligned_jax.runs.folder import RunFolder, locked
from aligned_jax.runs.loop import TrainingRun
from aligned_jax.runs.progress import QUIET, SILENCE, TrainingReporter
from aligned_jax.runs.session import PLAIN, Session
from aligned_jax.runs.tasks import task_of
from aligned_jax.runs.tasks.base import SnapshotScore, Task


@dataclass(frozen=True)
class Outcome:
    """How the work on a run ended in this process.

    Attributes:
      run: its folder.
      kimg: its length, in thousands of images.
      signal: that stopped it, after it was saved; None if it is trained to its end.
    """

    run: Path
    kimg: int
    signal: int | None


@dataclass(frozen=True)
class PlannedRun:
    """A run that is about to begin or to go on.

    Attributes:
      folder, config: where it is written, and what decides it.
      dataset: an open dataset of the config's.
      kimg: the length that was asked for, if it was; a run that goes on cannot become shorter.
      session: how it is computed.
      report: who listens, on the first host.
    """

    folder: RunFolder
    config: RunConfig
    dataset: Any
    kimg: int | None = None
    session: Session = PLAIN
    report: TrainingReporter = QUIET

    @functools.cached_property
    def task(self) -> Task[Any]:
        """What the loop is to know of the config."""
        return task_of(self.config)

    def options(self) -> str:
        """All overrides with their present values, as a help page."""
        return overrides.describe(self.config)

    def dry_run(self) -> list[str]:
        """What the run would be: sizes, memory, measured pace and place; nothing is written.

        Raises:
          UserError: if the run could not begin.
        """
        from aligned_jax.runs import dry_run

        with hosts.together():
            self.task.check_needs()
        lines = dry_run.report(self.task, self.session.chosen_devices())  # on all hosts together
        return [*lines, dry_run.place(self.task, self.folder)]

    def begin(self, command: Command) -> Outcome:
        """Begins the run, or goes on with it if the folder holds the very same one.

        Args:
          command: that began it; recorded in everything the run writes.

        Raises:
          UserError: if the folder holds something else, or something that the run needs is missing.
        """
        folder, config, task = self.folder, self.config, self.task
        with hosts.together():
            task.check_needs()
        # Whatever is wrong is found before the folder bears the mark of this run.
        with hosts.together():
            loop.check(task, self.session.chosen_devices())
            folder.check_empty()
            metrics = self._metrics()
        with hosts.entered(locked(folder, hosts.is_first())):
            if hosts.gather(folder.exists())[0]:
                with hosts.together():
                    folder.check_same(config)
                    kimg = length(folder, folder.read_config().kimg, self.kimg)
                longer = dataclasses.replace(self, config=replaced(config, kimg=kimg))
                return longer._go_on(metrics)
            with hosts.together():
                origin, state = self._origin(command), task.fresh(self._heard())
                if hosts.is_first():
                    folder.write_config(config, origin)
            return self._train(origin, metrics, state, {})

    def go_on(self) -> Outcome:
        """Continues the run from its latest state; raises as `begin`, or if the data are others."""
        with hosts.entered(locked(self.folder, hosts.is_first())):
            return self._go_on(None)

    def _go_on(self, metrics: Sequence[SnapshotScore] | None) -> Outcome:
        """The same in a folder that is locked; without metrics they are made anew."""
        folder, config = self.folder, self.config
        with hosts.together():
            origin, checkpoint, state, bookkeeping, notices = self._latest()
            metrics = self._metrics() if metrics is None else metrics
        if len(set(hosts.gather(int(state.step)))) > 1:
            raise UserError(
                f"the hosts see different states of {folder.path}; they must share the folder"
            )
        with hosts.together():
            if hosts.is_first():
                folder.tidy()
                images = int(state.images_seen)
                folder.forget_after(int(state.step), folder.kimg_of(checkpoint, images))
                folder.write_config(config, origin)
                if images:
                    at = f"{images / 1000:.1f} of {config.kimg} kimg"
                    notices.append(f"going on with {folder.path} at {at}")
                if notices:
                    self.report.notice("\n".join(notices))
        return self._train(origin, metrics, state, bookkeeping)

    def _latest(self) -> tuple[dict[str, Any], Any, Any, dict[str, Any], list[str]]:
        """What a run goes on from: origin, checkpoint or None, state, bookkeeping, notices."""
        folder, config, dataset, task = self.folder, self.config, self.dataset, self.task
        check_data(config, dataset)
        loop.check(task, self.session.chosen_devices())
        if config.fingerprint != dataset.fingerprint:
            raise UserError(
                f"{dataset.options.path} is not the data that {folder.path} was trained on so "
                "far; give the right folder with --data, or fine-tune from the run in a new one"
            )
        origin, checkpoint = folder.read_origin(), snapshot.latest_state(folder)
        if checkpoint is not None:
            return origin, *snapshot.load_latest(folder, task)
        if folder.read_stats():
            raise UserError(
                f"{folder.path} has no state left to go on from, only networks; fine-tune from "
                "them in a new run folder"
            )
        # Killed before its first checkpoint, a run has lost nothing by starting afresh.
        return origin, None, task.fresh(self._heard()), {}, []

    def _train(
        self,
        origin: dict[str, Any],
        metrics: Sequence[SnapshotScore],
        state: Any,
        bookkeeping: dict[str, Any],
    ) -> Outcome:
        devices = self.session.chosen_devices()
        with hosts.together():
            note = loop.check(self.task, devices)
        if note:
            self._heard().notice(note)
        with hosts.entered(self._writer(int(state.images_seen))) as writer:
            run = TrainingRun(
                self.folder,
                self.task,
                self.dataset,
                origin,
                metrics=metrics,
                threads=self.session.threads,
                devices=devices,
                writer=writer,
                report=self.report,
            )
            number = loop.train(run, state, bookkeeping)
        return Outcome(self.folder.path, self.config.kimg, number)

    def _origin(self, command: Command) -> dict[str, Any]:
        """Provenance of everything the run writes."""
        device, start, parents = jax.devices()[0], self.config.start, {}
        if start is not None:
            from aligned_jax import loading

            facts = provenance.summary(loading.describe(start).provenance)
            parents = {"network": {"network": start, **facts}}
        return {
            **self.task.belonging(),
            "verb": command.verb,
            "command": command.line,
            "parents": parents,
            "versions": provenance.versions(),
            "devices": f"{jax.device_count()} x {device.device_kind}",
        }

    def _heard(self) -> TrainingReporter:
        """Who listens on this host."""
        return self.report if hosts.is_first() else SILENCE

    def _metrics(self) -> Sequence[SnapshotScore]:
        """The scores of snapshots, on the host that computes them."""
        if not (self.config.snapshots.metrics and hosts.is_first()):
            return []
        return self.task.scores(self.dataset, self.session.chosen_devices())

    @contextlib.contextmanager
    def _writer(self, images: int) -> Iterator[Any]:
        """A TensorBoard writer that hides what is written again from this state on, or None."""
        if not (self.session.tensorboard and hosts.is_first()):
            yield None
            return
        again = images // 1000 + 1 if images else None  # its steps are thousands of images
        place = str(self.folder.path / "tensorboard")
        with session.tensorboard()(place, purge_step=again) as writer:
            yield writer


def check_data(config: RunConfig, dataset: Any) -> None:
    """Raises UserError naming everything in which the networks do not fit the dataset."""
    sizes = {
        "img_resolution": dataset.resolution,
        "img_channels": dataset.channels,
        "c_dim": dataset.c_dim,
    }
    parts = [part for part in ("generator", "discriminator") if hasattr(config, part)]
    wrong = [
        f"{part}.{name} is {getattr(getattr(config, part), name)}, the data have {value}"
        for part in parts
        for name, value in sizes.items()
        if getattr(getattr(config, part), name) != value
    ]
    if wrong:
        raise UserError(f"the networks do not fit {config.data.path}: {'; '.join(wrong)}")


def length(folder: RunFolder, planned: int, asked: int | None) -> int:
    """Thousands of images of a run that goes on; UserError if it would become shorter."""
    if asked is not None and asked < planned:
        raise UserError(
            f"--kimg is {asked}, but {folder.path} is planned for {planned}; it can only be "
            "lengthened"
        )
    return asked or planned
