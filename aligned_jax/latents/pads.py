"""Points between four latents that keep the deviation: walks that do not drift to the mean.

The plain mean of four independent latents has half their deviation, so that the middle of a pad
shows the mean image. Here the squares of the weights sum to 1: of independent standard normal
corners every point of the pad is standard normal.
"""

import numpy as np

from aligned_jax.errors import UserError


def corner_weights(x: float, y: float) -> np.ndarray:
    """Weights of four corners at a point of the unit square.

    Args:
      x, y: from 0 to 1, right and down.

    Returns:
      float64 [4], of the corners top left, top right, bottom left and bottom right: bilinear
      weights, over the root of the sum of their squares. At a corner it alone counts.

    Raises:
      UserError: for a point outside.
    """
    if not (0 <= x <= 1 and 0 <= y <= 1):
        raise UserError(f"the point ({x}, {y}) is outside of the pad; both are from 0 to 1")
    plain = np.asarray([(1 - x) * (1 - y), x * (1 - y), (1 - x) * y, x * y])
    return plain / np.sqrt(np.square(plain).sum())


def pad_point(
    corners: np.ndarray, x: float, y: float, centre: np.ndarray | float = 0.0
) -> np.ndarray:
    """The latent at a point between four corners.

    Args:
      corners: [4, ...], in z, or in w.
      x, y: as of `corner_weights`.
      centre: from which deviations are counted: 0 in z, the mean of w in w; broadcasts against a
        corner.

    Returns:
      float32 of the shape of a corner.
    """
    corners, centre = np.asarray(corners, np.float64), np.asarray(centre, np.float64)
    moved = np.tensordot(corner_weights(x, y), corners - centre, axes=1)
    return np.asarray(centre + moved, np.float32)
