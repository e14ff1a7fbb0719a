"""Mean reports of a tick, gathered on the devices without waiting for them."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from aligned_jax.training import parallel
from aligned_jax.types import Array

# How often in a row a report must fail to be finite before a run is given up. The step
# replaces non-finite gradients as the official one does, so that a single broken batch
# costs nothing; a network that is lost, though, never gives a finite loss again.
PERSISTENT = 10


class MetricSums:
    """Sums of the reports of every phase, over iterations.

    Args:
      restored: what `saved` returned, to go on within a tick.
    """

    def __init__(self, restored: dict[str, Any] | None = None) -> None:
        self._restored = restored or {}
        self._sums: dict[str, dict[str, Array]] = {}

    def add(self, reports: dict[str, dict[str, Array]]) -> None:
        """One iteration's reports, by phase and name, [devices] each."""
        for phase, values in reports.items():
            if phase not in self._sums:
                self._sums[phase] = self._begin(phase, values)
            self._sums[phase] = _add(self._sums[phase], values)

    def saved(self) -> dict[str, Any]:
        """{phase: {name: [sum, count, failures in a row]}}; waits for the devices."""
        fetched = parallel.local(self._sums)
        sums_of_phases = {
            phase: {name: [float(v) for v in sums] for name, sums in values.items()}
            for phase, values in fetched.items()
        }
        return {**self._restored, **sums_of_phases}

    def restart(self) -> None:
        """Begins a new tick; failures in a row go on being counted."""
        self._restored = {
            phase: {name: [0.0, 0.0, sums[2]] for name, sums in values.items()}
            for phase, values in self.saved().items()
        }
        self._sums = {}

    def _begin(self, phase: str, values: dict[str, Array]) -> dict[str, Array]:
        old = self._restored.get(phase, {})

        def start(name: str, like: Array) -> Array:
            sums = np.asarray(old.get(name, [0, 0, 0]), np.float32)
            rows = np.tile(sums, (like.shape[0], 1))
            return jax.make_array_from_callback(rows.shape, like.sharding, lambda at: rows[at])

        return {name: start(name, value) for name, value in values.items()}


def means(saved: dict[str, Any]) -> dict[str, float | None]:
    """Means over the iterations of a tick, for the statistics.

    Losses, scores and signs are taken together over phases, as the official
    implementation does; the rest keeps the name of its phase. None stands for a
    report that was never finite.
    """
    sums: dict[str, list[float]] = {}
    for phase, values in saved.items():
        for name, (total, count, _) in values.items():
            key = name if name.startswith("Loss/") else f"{name}/{phase}"
            known = sums.setdefault(key, [0.0, 0.0])
            known[0] += total
            known[1] += count
    return {name: total / count if count else None for name, (total, count) in sorted(sums.items())}


def lost(saved: dict[str, Any]) -> list[str]:
    """Losses and scores that were not finite too often in a row: "Loss/D/loss in Dmain"."""
    return [
        f"{name} in {phase}"
        for phase, values in saved.items()
        for name, (_, _, failures) in values.items()
        if failures >= PERSISTENT and name.startswith("Loss/")
    ]


@jax.jit
def _add(sums: dict[str, Array], values: dict[str, Array]) -> dict[str, Array]:
    """Sum, count and failures in a row [devices, 3], moved on by one iteration."""

    def move(old: Array, value: Array) -> Array:
        good = jnp.isfinite(value)
        return jnp.stack(
            [
                old[:, 0] + jnp.where(good, value, 0),
                old[:, 1] + good.astype(jnp.float32),
                jnp.where(good, 0, old[:, 2] + 1),
            ],
            axis=1,
        )

    return {name: move(sums[name], values[name]) for name in values}
