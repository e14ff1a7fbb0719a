"""From a config to a run: it begins, or goes on from its latest state, and ends in the loop."""

import contextlib
import dataclasses
import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax

from aligned_jax import provenance
from aligned_jax.data.dataset import Dataset
from aligned_jax.errors import UserError
from aligned_jax.provenance import Command
from aligned_jax.runs import hosts, loop, saved_state
from aligned_jax.runs.config import RunConfig, TrainConfig, describe, replaced
from aligned_jax.runs.encoder_run import EncoderRun
from aligned_jax.runs.folder import RunFolder, locked, unlocked
from aligned_jax.runs.hosts import PLAIN, Session
from aligned_jax.runs.loop import TrainingRun
from aligned_jax.runs.progress import QUIET, TrainingReporter
from aligned_jax.runs.tasks.base import Task
from aligned_jax.runs.tasks.encoder import EncoderTask
from aligned_jax.runs.tasks.gan import GanTask
from aligned_jax.runs.trackers import Tracker, tracking
from aligned_jax.types import PyTree

_TASKS: dict[str, Callable[[Any], Task[Any]]] = {
    TrainConfig.kind: GanTask,
    EncoderRun.kind: EncoderTask,
}
Lock = Callable[[RunFolder, bool], contextlib.AbstractContextManager[None]]


def task_of(config: RunConfig) -> Task[Any]:
    """The task of a run: what the loop is to know of its kind of networks."""
    return _TASKS[config.kind](config)


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
class Ready:
    """A run before its first step, of which nothing is written yet.

    Attributes:
      run: what the loop works on.
      state, bookkeeping: host arrays, and what was saved along with them.
      latest: the checkpoint that they come from; None if they are new.
      notices: what the user should know beforehand, each of some lines.
    """

    run: TrainingRun
    state: PyTree
    bookkeeping: dict[str, Any]
    latest: Path | None
    notices: list[str]


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
    dataset: Dataset
    kimg: int | None = None
    session: Session = PLAIN
    report: TrainingReporter = QUIET

    @functools.cached_property
    def task(self) -> Task[Any]:
        """What the loop is to know of the config."""
        return task_of(self.config)

    def options(self) -> str:
        """All overrides with their present values, as a help page."""
        return describe(self.config)

    def dry_run(self) -> list[str]:
        """What the run would be: its start, sizes, memory, measured pace and place.

        Nothing is written.

        Raises:
          UserError: if the run could not begin, as `begin` raises it.
        """
        from aligned_jax.runs import dry_run

        with self._ready(Command(), unlocked) as ready:
            lines = dry_run.report(ready.run, ready.state)  # on all hosts together
        return [*ready.notices, *lines]

    def begin(self, command: Command) -> Outcome:
        """Begins the run, or goes on with it if the folder holds the very same one.

        Args:
          command: that began it; recorded in everything the run writes.

        Raises:
          UserError: if the folder holds something else, or something that the run needs is missing.
        """
        with self._ready(command, locked) as ready:
            return self._train(ready)

    def go_on(self) -> Outcome:
        """Continues the run from its latest state; raises as `begin`, or if the data are others."""
        with hosts.entered(locked(self.folder, hosts.is_first())):
            return self._train(self._continued())

    @contextlib.contextmanager
    def _ready(self, command: Command, lock: Lock) -> Iterator[Ready]:
        """The run as it is before its first step, in a folder that is locked.

        Whatever is wrong is found before a new folder is made.
        """
        ready = None
        if not self._has_begun():
            with hosts.together():
                self.folder.check_empty()
            with hosts.entered(unlocked(self.folder, hosts.is_first())):
                ready = self._fresh(command)
        with hosts.entered(lock(self.folder, hosts.is_first())):
            # Until the folder was locked, another process could begin the run, or end it.
            if self._has_begun():
                ready = self._same()._continued()
            yield ready or self._fresh(command)

    def _has_begun(self) -> bool:
        """Whether the first host sees a run in the folder."""
        return bool(hosts.gather(self.folder.exists())[0])

    def _same(self) -> "PlannedRun":
        """The run with the length it has in its folder, which may hold no other run."""
        with hosts.together():
            self.folder.check_same(self.config)
            kimg = length(self.folder, self.folder.read_config().kimg, self.kimg)
        return dataclasses.replace(self, config=replaced(self.config, kimg=kimg))

    def _fresh(self, command: Command) -> Ready:
        """A run that begins."""
        with hosts.together():
            run, start = self._run(self._origin(command)), self.task.start()
            state = self.task.created(start.sources)
        notices = ["\n".join(start.lines), *self._notes(run)]
        return Ready(run, state, {}, None, list(filter(None, notices)))

    def _continued(self) -> Ready:
        """A run that goes on from its latest state."""
        folder, config, dataset, task = self.folder, self.config, self.dataset, self.task
        with hosts.together():
            check_data(config, dataset)
            if config.fingerprint != dataset.fingerprint:
                raise UserError(
                    f"{dataset.options.path} is not the data that {folder.path} was trained on so "
                    "far; give the right folder with `data`, or fine-tune from the run in a new one"
                )
            run, lines = self._run(folder.read_origin()), folder.read_stats()
            if saved_state.latest_state(folder) is not None:
                latest, state, bookkeeping, notices = saved_state.load_latest(folder, task)
            elif lines:
                raise UserError(
                    f"{folder.path} has no state left to go on from, only networks; fine-tune from "
                    "them in a new run folder"
                )
            else:
                # Killed before its first checkpoint, a run has lost nothing by starting afresh.
                start = task.start()
                latest, state, bookkeeping = None, task.created(start.sources), {}
                notices = list(start.lines)
        if len(set(hosts.gather(int(state.step)))) > 1:
            raise UserError(
                f"the hosts see different states of {folder.path}; they must share the folder"
            )
        if images := int(state.images_seen):
            at = f"{images / 1000:.1f} of {config.kimg} kimg"
            notices = [*notices, f"going on with {folder.path} at {at}"]
        notices = ["\n".join(notices), *self._notes(run)]
        return Ready(run, state, bookkeeping, latest, list(filter(None, notices)))

    def _run(self, origin: dict[str, Any]) -> TrainingRun:
        """What the loop works on: everything that the run needs is there, and is read."""
        session, first = self.session, hosts.is_first()
        devices = session.chosen_devices()
        run = TrainingRun(
            self.folder,
            self.task,
            self.dataset,
            origin,
            self.task.step(devices),
            threads=session.threads,
            devices=devices,
            report=self.report,
        )
        if first:
            _ = run.pictures
            if self.config.snapshots.metrics:
                run.metrics = self.task.scores(self.dataset, devices)
        return run

    def _notes(self, run: TrainingRun) -> list[str]:
        """What to bear in mind while it trains, in one notice."""
        return ["\n".join(self.task.notes(run.step))]

    def _train(self, ready: Ready) -> Outcome:
        """Writes what a run begins with, and trains it; its folder is locked."""
        folder, run, state = self.folder, ready.run, ready.state
        config, images = run.task.config, int(state.images_seen)
        with hosts.together():
            if hosts.is_first():
                if folder.exists():
                    folder.tidy()
                    folder.forget_after(int(state.step), folder.kimg_of(ready.latest, images))
                folder.write_config(config, run.origin)
                for text in ready.notices:
                    self.report.notice(text)
        with hosts.entered(self._trackers(images)) as run.trackers:
            number = loop.train(run, state, ready.bookkeeping)
        return Outcome(folder.path, config.kimg, number)

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

    def _trackers(self, images: int) -> contextlib.AbstractContextManager[list[Tracker]]:
        """What hears the numbers besides the statistics; on the first host alone."""
        if not hosts.is_first():
            return contextlib.nullcontext([])
        return tracking(self.session, self.folder, self.config, images, self.report)


def check_data(config: RunConfig, dataset: Dataset) -> None:
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
        advice = _ways_out(config, parts, dataset)
        raise UserError(f"the networks do not fit {config.data.path}: {'; '.join(wrong)}{advice}")


def _ways_out(config: RunConfig, parts: list[str], dataset: Dataset) -> str:
    """What to do where a trained network has other channels than the data, or wants labels."""
    theirs, channels = config.generator.img_channels, dataset.channels
    if config.start is None:
        return ""
    advice = []
    if theirs != channels:
        option = "`gray=True`" if 1 in (theirs, channels) else "`alpha=True`"
        wanted = {1: "with `gray=True`", 4: "with `alpha=True`"}.get(theirs, f"without {option}")
        ways = [f"import the data again {wanted}"]
        if "discriminator" in parts:
            options = " ".join(f"--{part}.img-channels {channels}" for part in parts)
            ways.append(
                f"give `partial=True` and {options}, which draws anew the layers next to pixels"
            )
        advice.append(", or ".join(ways))
    if config.generator.c_dim and not dataset.c_dim:
        advice.append("choose the labels of the data with --data.labels")
    return "".join(f"; {way}" for way in advice)


def length(folder: RunFolder, planned: int, asked: int | None) -> int:
    """Thousands of images of a run that goes on; UserError if it would become shorter."""
    if asked is not None and asked < planned:
        raise UserError(
            f"`kimg` is {asked}, but {folder.path} is planned for {planned}; it can only be "
            "lengthened"
        )
    return asked or planned
