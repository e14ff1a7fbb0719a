"""What ends a run early: signals, and networks that are lost."""

import resource
import signal
import sys
from types import FrameType, TracebackType
from typing import Any

import jax

from aligned_jax import checkpoint, viz
from aligned_jax.errors import UserError
from aligned_jax.runs.folder import RunFolder
from aligned_jax.runs.metric_sums import PERSISTENT, lost
from aligned_jax.runs.tasks.base import not_finite
from aligned_jax.types import PyTree
from aligned_jax.utils.text import listed

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class TrainingError(UserError):
    """A run that cannot go on as it is."""


class Stop:
    """Notes the first SIGINT or SIGTERM in `signal`; a second one is not held back."""

    def __init__(self) -> None:
        self.signal = 0
        self._before: dict[int, Any] = {}

    def __enter__(self) -> "Stop":
        for number in _SIGNALS:
            self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._restore()

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.signal = number
        self._restore()

    def _restore(self) -> None:
        while self._before:
            signal.signal(*self._before.popitem())


def check_finite(run: RunFolder, state: PyTree, sums: dict[str, Any], advice: str) -> None:
    """Refuses to go on with a state that is lost; called before anything is saved.

    One batch with a non-finite loss is no reason: the step replaces such
    gradients, as the official one does. Lost is a state that holds a number that
    is not finite, or a report that failed too often in a row.

    Args:
      run: the folder of the run.
      state: host arrays.
      sums: of the reports, as `MetricSums.saved` returns them.
      advice: what usually helps.

    Raises:
      TrainingError: with a diagnosis, which is also written to RUN/diagnosis.txt.
    """
    broken, reports = not_finite(state), lost(sums)
    if not broken and not reports:
        return
    reasons = []
    if reports:
        reasons.append(f"not finite {PERSISTENT} times in a row or more: {listed(reports, 4)}")
    if broken:
        reasons.append(f"not finite in the state: {listed(broken, 4)}")
    images = int(state.images_seen)
    text = f"training has diverged before {images / 1000:.1f} kimg; {'; '.join(reasons)}"
    whole = checkpoint.run_checkpoints(run.path)
    good = f"{run.path}@{max(whole)}" if whole else "none"
    text += f". The last good checkpoint is {good}; {advice}"
    if jax.process_index() == 0:
        with viz.writing(run.path / "diagnosis.txt", overwrite=True) as file:
            file.write((text + "\n").encode())
    raise TrainingError(text)


def memory_gb() -> dict[str, float]:
    """Peak memory so far, of this process and, where it is known, of its first device."""
    unit = 1 if sys.platform == "darwin" else 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    peaks = {"host_gb": round(peak / 2**30, 3)}
    device = (jax.local_devices()[0].memory_stats() or {}).get("peak_bytes_in_use")
    return peaks | ({"device_gb": round(device / 2**30, 3)} if device else {})
