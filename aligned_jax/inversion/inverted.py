"""What an inversion of several images comes to, and where it stands on the way."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from aligned_jax.inversion.options import Settings


@dataclass(frozen=True, eq=False)
class Inverted:
    """Latents of N images, and how near they came.

    Attributes:
      settings: of the inversion.
      latent: float32 [N, ...] of the settings' space.
      noise: maps [N, R, R] by layer if the settings keep them, else None.
      distances: `perceptual` and `pixel` at the end, [N] each: the loss without
        its regulariser, and the mean squared difference of pixels in [-1, 1].
      trace: `distance` and `regulariser` before every step, [steps, N] each.
      images: of the latents, float32 [N, R, R, C], unclipped.
      restart: which attempt was the best, [N].
    """

    settings: Settings
    latent: np.ndarray
    noise: dict[str, np.ndarray] | None
    distances: dict[str, np.ndarray]
    trace: dict[str, np.ndarray]
    images: np.ndarray
    restart: np.ndarray

    @property
    def finite(self) -> np.ndarray:
        """Which inversions did not grow beyond all bounds, bool [N]."""
        return np.asarray(np.isfinite([*self.distances.values()]).all(axis=0))


@dataclass(frozen=True, eq=False)
class InversionProgress:
    """Where some attempts at the inversion of some images stand.

    Restarts that a batch has no room for take turns: all steps of some of them, then
    all steps of the next ones.

    Attributes:
      first: number of the first of the images.
      attempts: numbers of the attempts that take their turn.
      step: steps of theirs that are done.
      distances: perceptual, of each image's best of them before the last step, [n].
      images: draws the latents as they are, float32 [n, R, R, C]; to be called at
        once, since the next step takes their memory.
    """

    first: int
    attempts: range
    step: int
    distances: np.ndarray
    images: Callable[[], np.ndarray]


Watch = Callable[[InversionProgress], None]


def nearer(one: Inverted, other: Inverted) -> Inverted:
    """Two inversions of the same images: of each image the nearer one; of equals that of `one`."""
    ours, theirs = one.distances["perceptual"], other.distances["perceptual"]
    chosen = np.isfinite(theirs) & ~(ours <= theirs)  # what is not finite is never nearer

    def choose(rows: Sequence[np.ndarray], axis: int) -> np.ndarray:
        shape = [-1 if place == axis else 1 for place in range(rows[0].ndim)]
        return np.where(chosen.reshape(shape), rows[1], rows[0])

    return _combined((one, other), choose)


def joined(parts: Sequence[Inverted]) -> Inverted:
    """Inversions of some images and of those that follow as one."""
    return _combined(parts, lambda rows, axis: np.concatenate(rows, axis))


def _combined(
    parts: Sequence[Inverted], combine: Callable[[Sequence[np.ndarray], int], np.ndarray]
) -> Inverted:
    """Applies `combine` to the arrays of all parts that have the same place.

    Args:
      parts: of the same settings.
      combine: takes one array of each part, and the axis of the images in them.
    """

    def combined(name: str, axis: int = 0) -> Any:
        values = [getattr(part, name) for part in parts]
        return jax.tree.map(lambda *rows: combine(rows, axis), *values)

    return Inverted(
        parts[0].settings,
        latent=combined("latent"),
        noise=combined("noise"),
        distances=combined("distances"),
        trace=combined("trace", axis=1),
        images=combined("images"),
        restart=combined("restart"),
    )
