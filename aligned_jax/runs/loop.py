"""The loop of a training run: batches in; networks, statistics and pictures out.

The state's step is the position of everything: of the data, of every draw, of
the schedule. A run that goes on from a saved state therefore computes the same
as one that was never stopped: to the bit, where the device itself is exact (a
GPU that adds in any order is not).
"""

import contextlib
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import jax
import numpy as np

from aligned_jax import checkpoint
from aligned_jax.data.batches import batches
from aligned_jax.errors import UserError
from aligned_jax.runs import guard, hosts, session, snapshot
from aligned_jax.runs.config import RunConfig
from aligned_jax.runs.folder import RunFolder
from aligned_jax.runs.pictures import Pictures, pictures_of
from aligned_jax.runs.progress import Progress
from aligned_jax.runs.tally import Tally, means
from aligned_jax.runs.tasks.gan import task_of
from aligned_jax.training import parallel
from aligned_jax.types import PyTree

# With several hosts a wish to stop has to be agreed on, which makes all of them wait.
_AGREE_EVERY = 16


class Metric(Protocol):
    """A score of the averaged generator, or of an encoder, with every snapshot that is kept."""

    name: str
    higher_is_better: bool
    warnings: Sequence[str]  # about the last score
    details: Mapping[str, Any]  # what it was computed from

    def __call__(self, network: Any, config: Any, kimg: int) -> float:
        """The score at `kimg`."""


@dataclass
class Job:
    """What a loop works on.

    Attributes:
      run, config, origin: the folder, and what its `config.json` says.
      dataset: an open dataset of the config's.
      metrics: the first one decides which checkpoint is the best.
      threads: for reading data.
      devices: local devices to use; None takes those of all hosts.
      writer: a TensorBoard writer, or None.
    """

    run: RunFolder
    config: RunConfig
    dataset: Any
    origin: dict[str, Any]
    metrics: Sequence[Metric] = ()
    threads: int = 2
    devices: parallel.Devices | None = None
    writer: Any = None

    @property
    def first(self) -> bool:
        """Whether this host is the one that writes and speaks."""
        return session.is_first()


def check(config: RunConfig, devices: parallel.Devices | None = None) -> str:
    """Raises ConfigError if the step cannot be made, or dealt to the devices; costs nothing.

    Returns:
      lines on what to bear in mind: why another number of devices would compute
      another step, and what the task has to say; often empty.
    """
    task = task_of(config)
    reasons = "; ".join(task.check(config, devices))
    lines = [f"another number of devices would compute another step: {reasons}"] if reasons else []
    lines += task.notices(config)
    return "\n".join(lines)


def train(job: Job, state: PyTree, memory: dict[str, Any] | None = None) -> int | None:
    """Trains to the end of the run, or until a signal.

    Args:
      job: what to work on; its folder is locked by the caller.
      state, memory: host arrays to go on from, and what was saved along with them.

    Returns:
      the signal that stopped the run, which is saved, or None at its end.

    Raises:
      UserError: if the networks are lost or the disk is full; the latest
        checkpoint is whole.
    """
    return _Loop(job, memory or {}).run(state)


class _Loop:
    """The changing parts of one run in this process."""

    def __init__(self, job: Job, memory: dict[str, Any]) -> None:
        self.job, self.config, self.task = job, job.config, task_of(job.config)
        self.tally = Tally(memory.get("tally"))
        self.best: dict[str, Any] | None = memory.get("best")
        self.warned: set[str] = set()
        # Why this host has no data left, while the others, which count on it, are not told yet.
        self.failure: Exception | None = None
        with hosts.together():
            lines = job.run.read_stats() if job.first else []
            self.seconds = lines[-1]["timing"]["total_seconds"] if lines else 0.0
            self.pictures = self._pictures() if job.first else None

    def run(self, state: PyTree) -> int | None:
        config, iteration = self.config, int(state.step)
        last = config.iterations(config.kimg)
        with hosts.together():
            step = self.task.step(config, self.job.devices)
            if iteration == 0 and self.job.first and not self.job.run.checkpoint(0).exists():
                self._begin(state)
        marks = [mark for mark in config.marks() if config.iterations(mark) > iteration]
        stop = guard.Stop()
        quiet = not self.job.first
        with stop, Progress(config, int(state.images_seen), quiet) as progress:
            if not marks:
                return None
            progress.say("compiling the training step, which can take minutes the first time")
            rows = self._batches(iteration)
            with hosts.together():
                batch = _feed(step, next(rows))
            devices = parallel.replicate(state, self.job.devices)
            if jax.process_count() == 1:  # several hosts compile at the first call
                step.compile(devices, batch)
            for mark in marks:
                began, done, end = time.perf_counter(), iteration, config.iterations(mark)
                while iteration < end:
                    devices, reports = step(devices, batch, iteration)
                    self.tally.add(reports)
                    iteration += 1
                    progress.iteration(iteration * config.batch_size)
                    if iteration == end:
                        break
                    batch = self._next(step, rows, batch, devices)
                    if number := self._stopped(stop, iteration):
                        with hosts.together():
                            self._interrupt(devices)
                        return number
                jax.block_until_ready(devices)
                elapsed = time.perf_counter() - began
                hosts.agree(self.failure)
                with hosts.together():
                    self._tick(mark, parallel.local(devices), elapsed, iteration - done, progress)
                if iteration < last:
                    if number := self._stopped(stop, iteration):
                        return number
                    batch = self._next(step, rows, batch, devices)
        return None

    def _next(self, step: Any, rows: Iterator[Any], before: Any, devices: PyTree) -> Any:
        """The next batch.

        Data that cannot be read end a run, but do not take the work since the last
        tick. Of several hosts, the one that cannot read repeats the batch before
        until all agree to stop, at the tick.
        """
        if self.failure is not None:
            return before
        try:
            return _feed(step, next(rows))
        except Exception as error:
            if jax.process_count() > 1:
                self.failure = error
                return before
            if isinstance(error, UserError):
                self._interrupt(devices)
            raise

    def _batches(self, start: int) -> Iterator[Any]:
        return iter(
            batches(
                self.job.dataset,
                self.config.batch_size,
                seed=self.config.seed,
                start=start,
                host=jax.process_index(),
                hosts=jax.process_count(),
                threads=self.job.threads,
            )
        )

    def _pictures(self) -> Pictures:
        count = min(self.config.snapshots.images, len(self.job.dataset))
        places = np.random.RandomState(0).choice(len(self.job.dataset), count, replace=False)
        shown = [self.job.dataset[int(place)] for place in places]
        images, labels = (np.stack(values) for values in zip(*shown, strict=True))
        # A small dataset lends its labels more than once.
        again = np.arange(self.config.snapshots.images) % count
        pictures = pictures_of(self.job.run, self.config, labels[again], images)
        if not (self.job.run.path / "reals.png").exists():
            pictures.reals(images)
        return pictures

    def _begin(self, state: PyTree) -> None:
        """What there is to see and to go back to before the first iteration."""
        self.pictures.fakes(state, 0)
        self._save(0, state)

    def _tick(
        self, mark: int, state: PyTree, elapsed: float, iterations: int, progress: Progress
    ) -> None:
        memory = self.tally.memory()
        guard.check_finite(self.job.run, self.config, state, memory)
        if not self.job.first:
            self.tally.restart()
            return
        images = iterations * self.config.batch_size
        self.seconds += elapsed
        line: dict[str, Any] = {
            "kimg": mark,
            "step": int(state.step),
            "images": int(state.images_seen),
            **self.task.facts(state),
            "reports": means(memory),
        }
        kept = self.config.snapshots.is_kept(mark) or mark == self.config.kimg
        if kept:
            self.pictures.fakes(state, mark)
            if scores := self._scores(state, mark):
                line["scores"] = scores
                self._warn(progress)
        line["timing"] = {
            "images_per_sec": images / elapsed,
            "sec_per_kimg": elapsed / images * 1000,
            "tick_seconds": elapsed,
            "total_seconds": self.seconds,
            **guard.memory_gb(),
        }
        self.job.run.write_stats(line)
        if "scores" in line:
            self.pictures.scores()
        if self.job.writer is not None:
            _log(self.job.writer, line)
        self.tally.restart()
        self._save(mark, state)
        progress.tick(line)

    def _scores(self, state: PyTree, mark: int) -> dict[str, float]:
        """Scores of all metrics; the best checkpoint by the first one is written anew."""
        if not self.job.metrics:
            return {}
        network = self.task.network(self.config, state)
        scores = {m.name: float(m(network, self.config, mark)) for m in self.job.metrics}
        first = self.job.metrics[0]
        score = scores[first.name]
        known = self.best["score"] if self.best else None
        better = known is None or (score > known if first.higher_is_better else score < known)
        if better and np.isfinite(score):
            self.best = {"metric": first.name, "score": score, "kimg": mark}
            key, own = next(iter(self.task.configs(self.config).items()))
            trees = {key: (own, getattr(state, key))}
            found = {"details": dict(first.details), "warnings": list(first.warnings)}
            provenance = {**self.job.origin, "kind": "trained", **self.best, **found}
            checkpoint.write(self.job.run.best, trees, provenance, overwrite=True)
        return scores

    def _warn(self, progress: Progress) -> None:
        """Says once what is to be borne in mind about scores."""
        said = {warning for metric in self.job.metrics for warning in metric.warnings}
        for warning in sorted(said - self.warned):
            progress.say(f"warning: {warning}")
        self.warned |= said

    def _save(self, mark: int, state: PyTree) -> None:
        run = self.job.run
        self._write(run.checkpoint(mark), state)
        self._forget(run.interrupted)
        snapshot.prune(run, self.config)

    def _write(self, folder: Any, state: PyTree) -> None:
        memory = {"tally": self.tally.memory(), "best": self.best}
        snapshot.save_state(folder, self.config, state, memory, self.job.origin)

    def _interrupt(self, devices: PyTree) -> None:
        """Saves between two ticks, where the run can go on but no snapshot is due."""
        state = parallel.local(devices)
        guard.check_finite(self.job.run, self.config, state, self.tally.memory())
        if not self.job.first:
            return
        run = self.job.run
        latest = snapshot.latest_state(run)  # stays until the new one is whole
        others = [folder for folder in run.interrupted if folder != latest]
        self._forget(others)
        self._write(others[0], state)
        self._forget(folder for folder in run.interrupted if folder != others[0])

    def _forget(self, folders: Iterable[Any]) -> None:
        for folder in folders:
            if folder.exists():
                checkpoint.remove(folder)

    def _stopped(self, stop: guard.Stop, iteration: int) -> int:
        """The signal on which all hosts agree; 0 for none."""
        if jax.process_count() == 1:
            return stop.signal
        if iteration % _AGREE_EVERY:
            return 0
        hosts.agree(self.failure)
        return max(hosts.gather(stop.signal))


def _feed(step: Any, rows: Any) -> Any:
    return step.feed(rows.images, rows.labels, rows.gen_labels)


def _log(writer: Any, line: dict[str, Any]) -> None:
    """The same numbers for TensorBoard, over thousands of images."""
    numbers = line["reports"] | line.get("scores", {}) | line["timing"]
    numbers |= {name: line[name] for name in ("augment_p", "pl_mean") if name in line}
    for name, value in numbers.items():
        if value is not None:
            writer.add_scalar(name, value, line["kimg"])
    with contextlib.suppress(OSError):
        writer.flush()
