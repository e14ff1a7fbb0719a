"""The loop of a training run: batches in; networks, statistics and pictures out.

The state's step is the position of everything: of the data, of every draw, of
the schedule. A run that goes on from a saved state therefore computes the same
as one that was never stopped: to the bit, where the device itself is exact (a
GPU that adds in any order is not).
"""

import functools
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from aligned_jax import checkpoint
from aligned_jax.data.batches import Rows, batches
from aligned_jax.data.dataset import Dataset
from aligned_jax.errors import UserError
from aligned_jax.runs import hosts, saved_state, stopping
from aligned_jax.runs.folder import RunFolder
from aligned_jax.runs.metric_sums import MetricSums, means
from aligned_jax.runs.pictures import SnapshotPictures
from aligned_jax.runs.progress import QUIET, SILENCE, TrainingProgress, TrainingReporter
from aligned_jax.runs.tasks.base import SnapshotScore, Step, Task
from aligned_jax.runs.trackers import Tracker
from aligned_jax.training import parallel
from aligned_jax.types import PyTree

# With several hosts a wish to stop has to be agreed on, which makes all of them wait.
_AGREE_EVERY = 16


@dataclass
class TrainingRun:
    """A run as the loop works on it.

    Attributes:
      folder, task, origin: where it is written, its kind and config, and how it began.
      dataset: an open dataset of the config's.
      step: the iteration.
      metrics: the first one decides which checkpoint is the best.
      threads: for reading data.
      devices: local devices to use; None takes those of all hosts.
      trackers: that hear the numbers besides the statistics.
      report: who listens, on the first host.
    """

    folder: RunFolder
    task: Task[Any]
    dataset: Dataset
    origin: dict[str, Any]
    step: Step
    metrics: Sequence[SnapshotScore] = ()
    threads: int = 2
    devices: parallel.Devices | None = None
    trackers: Sequence[Tracker] = ()
    report: TrainingReporter = QUIET

    @property
    def first(self) -> bool:
        """Whether this host is the one that writes and speaks."""
        return hosts.is_first()

    def batches(self, start: int) -> Iterator[Rows]:
        """This host's rows of the batches from number `start` on."""
        config = self.task.config
        return batches(
            self.dataset,
            config.batch_size,
            seed=config.seed,
            start=start,
            host=jax.process_index(),
            hosts=jax.process_count(),
            threads=self.threads,
        )

    @functools.cached_property
    def pictures(self) -> SnapshotPictures:
        """Draws snapshots; on the first host alone."""
        command = self.origin.get("command")
        command = command if isinstance(command, str) else ""
        return SnapshotPictures(self.folder, self.task, self.dataset, command)


def train(run: TrainingRun, state: PyTree, bookkeeping: dict[str, Any] | None = None) -> int | None:
    """Trains to the end of the run, or until a signal.

    Args:
      run: what to work on; its folder is locked by the caller.
      state, bookkeeping: host arrays to go on from, and what was saved along with them.

    Returns:
      the signal that stopped the run, which is saved, or None at its end.

    Raises:
      UserError: if the networks are lost or the disk is full; the latest
        checkpoint is whole.
    """
    return _Loop(run, bookkeeping or {}).train(state)


class _Loop:
    """The changing parts of one run in this process."""

    def __init__(self, run: TrainingRun, bookkeeping: dict[str, Any]) -> None:
        self.run, self.folder, self.task, self.config = run, run.folder, run.task, run.task.config
        self.sums = MetricSums(bookkeeping.get("tally"))
        self.best: dict[str, Any] | None = bookkeeping.get("best")
        self.warned: set[str] = set()
        # Why this host has no data left, while the others, which count on it, are not told yet.
        self.failure: Exception | None = None
        with hosts.together():
            lines = self.folder.read_stats() if run.first else []
            self.seconds = lines[-1]["timing"]["total_seconds"] if lines else 0.0
            if run.first:  # only there anything is drawn
                run.pictures.reals()

    def train(self, state: PyTree) -> int | None:
        """See the function `train`."""
        config, iteration = self.config, int(state.step)
        last = config.iterations(config.kimg)
        with hosts.together():
            step = self.run.step
            if iteration == 0 and self.run.first and not self.folder.checkpoint(0).exists():
                self._begin(state)
        marks = [mark for mark in config.marks() if config.iterations(mark) > iteration]
        stop = stopping.Stop()
        report = self.run.report if self.run.first else SILENCE
        with stop, report.training(config, int(state.images_seen)) as progress:
            if not marks:
                return None
            progress.say("compiling the training step, which can take minutes the first time")
            rows = self.run.batches(iteration)
            with hosts.together():
                batch = step.feed(*next(rows))
            state = parallel.replicate(state, self.run.devices)
            if jax.process_count() == 1:  # several hosts compile at the first call
                step.compile(state, batch)
            for mark in marks:
                began, done, end = time.perf_counter(), iteration, config.iterations(mark)
                while iteration < end:
                    state, reports = step(state, batch, iteration)
                    self.sums.add(reports)
                    iteration += 1
                    progress.iteration(iteration * config.batch_size)
                    if iteration == end:
                        break
                    batch = self._next(step, rows, batch, state)
                    if number := self._stopped(stop, iteration):
                        with hosts.together():
                            self._interrupt(state)
                        return number
                jax.block_until_ready(state)
                elapsed = time.perf_counter() - began
                hosts.agree(self.failure)
                with hosts.together():
                    self._tick(mark, parallel.local(state), elapsed, iteration - done, progress)
                if iteration < last:
                    if number := self._stopped(stop, iteration):
                        return number
                    batch = self._next(step, rows, batch, state)
        return None

    def _next(self, step: Step, rows: Iterator[Rows], before: Any, state: PyTree) -> Any:
        """The next batch.

        Data that cannot be read end a run, but do not take the work since the last
        tick. Of several hosts, the one that cannot read repeats the batch before
        until all agree to stop, at the tick.
        """
        if self.failure is not None:
            return before
        try:
            return step.feed(*next(rows))
        except Exception as error:
            if jax.process_count() > 1:
                self.failure = error
                return before
            if isinstance(error, UserError):
                self._interrupt(state)
            raise

    def _begin(self, state: PyTree) -> None:
        """What there is to see and to go back to before the first iteration."""
        self.run.pictures.fakes(state, 0)
        self._save(0, state)

    def _tick(
        self, mark: int, state: PyTree, elapsed: float, iterations: int, progress: TrainingProgress
    ) -> None:
        sums = self.sums.saved()
        stopping.check_finite(self.folder, state, sums, self.task.advice)
        if not self.run.first:
            self.sums.restart()
            return
        images = iterations * self.config.batch_size
        self.seconds += elapsed
        line: dict[str, Any] = {
            "kimg": mark,
            "step": int(state.step),
            "images": int(state.images_seen),
            **self.task.facts(state),
            "reports": means(sums),
        }
        kept = self.config.snapshots.is_kept(mark) or mark == self.config.kimg
        if kept:
            self.run.pictures.fakes(state, mark)
            if scores := self._scores(state, mark):
                line["scores"] = scores
                self._warn(progress)
        line["timing"] = {
            "images_per_sec": images / elapsed,
            "sec_per_kimg": elapsed / images * 1000,
            "tick_seconds": elapsed,
            "total_seconds": self.seconds,
            **stopping.memory_gb(),
        }
        self.folder.write_stats(line)
        if "scores" in line:
            self.run.pictures.scores()
        for tracker in self.run.trackers:
            tracker.log(mark, _numbers(line), self.folder.fakes(mark) if kept else None)
        self.sums.restart()
        self._save(mark, state)
        progress.tick(line)

    def _scores(self, state: PyTree, mark: int) -> dict[str, float]:
        """Scores of all metrics; the best checkpoint by the first one is written anew."""
        if not self.run.metrics:
            return {}
        network = self.task.network(state)
        scores = {m.name: float(m(network, mark)) for m in self.run.metrics}
        first = self.run.metrics[0]
        score = scores[first.name]
        known = self.best["score"] if self.best else None
        better = known is None or (score > known if first.higher_is_better else score < known)
        if better and np.isfinite(score):
            self.best = {"metric": first.name, "score": score, "kimg": mark}
            key, own = next(iter(self.task.configs().items()))
            trees = {key: (own, getattr(state, key))}
            about = {"details": dict(first.details), "warnings": list(first.warnings)}
            provenance = {**self.run.origin, "kind": "trained", **self.best, **about}
            checkpoint.write(self.folder.best, trees, provenance, overwrite=True)
        return scores

    def _warn(self, progress: TrainingProgress) -> None:
        """Says once what is to be borne in mind about scores."""
        warnings = {warning for metric in self.run.metrics for warning in metric.warnings}
        for warning in sorted(warnings - self.warned):
            progress.warn(warning)
        self.warned |= warnings

    def _save(self, mark: int, state: PyTree) -> None:
        self._write(self.folder.checkpoint(mark), state)
        self._forget(self.folder.interrupted)
        saved_state.prune(self.folder, self.task)

    def _write(self, folder: Any, state: PyTree) -> None:
        bookkeeping = {"tally": self.sums.saved(), "best": self.best}
        saved_state.save_state(folder, self.task, state, bookkeeping, self.run.origin)

    def _interrupt(self, replicated: PyTree) -> None:
        """Saves between two ticks, where the run can go on but no snapshot is due."""
        state, run = parallel.local(replicated), self.folder
        stopping.check_finite(run, state, self.sums.saved(), self.task.advice)
        if not self.run.first:
            return
        latest = saved_state.latest_state(run)  # stays until the new one is whole
        others = [folder for folder in run.interrupted if folder != latest]
        self._forget(others)
        self._write(others[0], state)
        self._forget(folder for folder in run.interrupted if folder != others[0])

    def _forget(self, folders: Iterable[Any]) -> None:
        for folder in folders:
            if folder.exists():
                checkpoint.remove(folder)

    def _stopped(self, stop: stopping.Stop, iteration: int) -> int:
        """The signal on which all hosts agree; 0 for none."""
        if jax.process_count() == 1:
            return stop.signal
        if iteration % _AGREE_EVERY:
            return 0
        hosts.agree(self.failure)
        return max(hosts.gather(stop.signal))


def _numbers(line: dict[str, Any]) -> dict[str, float]:
    """The numbers of a line of the statistics by name."""
    numbers = line["reports"] | line.get("scores", {}) | line["timing"]
    numbers |= {name: line[name] for name in ("augment_p", "pl_mean") if name in line}
    return {name: value for name, value in numbers.items() if value is not None}
