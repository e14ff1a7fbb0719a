"""Means over a window of frames, against what trembles."""

import numpy as np

from aligned_jax.errors import UserError

LONGEST = 999  # frames


def check_window(window: int) -> None:
    """Raises UserError unless a window is an odd number of frames."""
    if not 1 <= window <= LONGEST or window % 2 == 0:
        raise UserError(
            f"`window` is {window}; it is an odd number of frames up to {LONGEST}, 1 for no means"
        )


def weights_of(window: int) -> np.ndarray:
    """Weights of the frames of a window, float64 [window], which add up to 1.

    They are those of Hann: 1 + cos(2 pi k / (window + 1)) of the k-th frame from the middle.
    """
    check_window(window)
    away = np.arange(window) - window // 2
    weights = 1 + np.cos(2 * np.pi * away / (window + 1))
    return weights / weights.sum()


def smoothed(values: np.ndarray, window: int, first: int = 0, end: int | None = None) -> np.ndarray:
    """Weighted means over windows of frames; at both ends over what there is.

    Args:
      values: [T, ...].
      window: odd number of frames, of which `weights_of` says the weights.
      first, end: the frames that are wanted; by default all.

    Returns:
      of the type of `values`, [end - first, ...]. What does not change stays as it is.
    """
    weights, half = weights_of(window), window // 2
    count = len(values)
    end = count if end is None else end
    means = np.empty((end - first, *values.shape[1:]), values.dtype)
    for frame in range(first, end):
        low, high = max(0, frame - half), min(count, frame + half + 1)
        own = weights[low - frame + half : high - frame + half]
        # Differences to the frame itself, so that rounding changes nothing that stands still.
        apart = values[low:high].astype(np.float64) - values[frame]
        mean = values[frame] + np.tensordot(own / own.sum(), apart, 1)
        means[frame - first] = mean
    return means
