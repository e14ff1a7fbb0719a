"""Precision and recall by nearest neighbours (Kynkäänniemi et al., 2019)."""

import functools
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np

from aligned_jax.errors import UserError
from aligned_jax.types import Array

# Distances that exist at a time.
_BLOCK = 2**23


def precision_and_recall(
    real: np.ndarray, generated: np.ndarray, k: int = 3, half: bool = True
) -> tuple[float, float]:
    """(precision, recall): the part of one set that lies within the other's manifold.

    A manifold is the union of balls around its points, each reaching to the k-th
    neighbour (the (k + 1)-th smallest distance, as the point itself counts). A
    point on the border lies within.

    Args:
      real, generated: features [N, D] and [M, D].
      k: neighbours.
      half: round features and radii to float16 as the official metric does.

    Raises:
      UserError: if the widths differ, features overflow float16, or a set has no
        more than k rows.
    """
    real, generated = _prepared(real, half), _prepared(generated, half)
    if real.ndim != 2 or generated.ndim != 2 or real.shape[1] != generated.shape[1]:
        raise UserError(
            f"features have shapes {real.shape} and {generated.shape}; expected [N, D], [M, D]"
        )
    if not 1 <= k < min(len(real), len(generated)):
        raise UserError(
            f"the neighbour number {k} needs k of at least 1 and more than {k} images in both "
            f"sets; there are {len(real)} and {len(generated)}"
        )
    radii = [_rounded(_radii(rows, k), half) for rows in (real, generated)]
    return _within(generated, real, radii[0]), _within(real, generated, radii[1])


def _prepared(rows: np.ndarray, half: bool) -> np.ndarray:
    rows = np.asarray(rows, np.float32)
    with np.errstate(over="ignore"):
        rounded = _rounded(rows, half)
    if not np.isfinite(rounded).all():
        raise UserError("features are not finite, or beyond 65504, which float16 cannot hold")
    return rounded


def _rounded(values: np.ndarray, half: bool) -> np.ndarray:
    return values.astype(np.float16).astype(np.float32) if half else values


def _radii(rows: np.ndarray, k: int) -> np.ndarray:
    """Distance to the k-th neighbour, [N]."""
    return _by_blocks(functools.partial(_neighbour, k=k), rows, rows)


def _within(points: np.ndarray, centres: np.ndarray, radii: np.ndarray) -> float:
    """The part of the points that lie in any of the balls."""
    return float(_by_blocks(_covered, points, centres, jnp.asarray(radii)).mean())


def _by_blocks(
    function: Callable[..., Array], points: np.ndarray, centres: np.ndarray, *rest: Array
) -> np.ndarray:
    """function(block of points, centres, ...) for all points, in blocks of one size."""
    size = max(1, min(len(points), _BLOCK // len(centres)))
    others = jnp.asarray(centres)
    blocks: list[tuple[int, np.ndarray]] = []
    for start in range(0, len(points), size):
        # The last block goes back a little, so that nothing is compiled twice.
        start = min(start, len(points) - size)
        blocks.append((start, np.asarray(function(points[start : start + size], others, *rest))))
    result = np.empty(len(points), blocks[0][1].dtype)
    for start, values in blocks:
        result[start : start + size] = values
    return result


def _distances(points: Array, centres: Array) -> Array:
    """Euclidean distances [n, m]."""
    product = jnp.dot(points, centres.T, precision=jax.lax.Precision.HIGHEST)
    lengths = jnp.sum(points**2, axis=1)[:, None] + jnp.sum(centres**2, axis=1)[None, :]
    return jnp.sqrt(jnp.maximum(lengths - 2 * product, 0))


@functools.partial(jax.jit, static_argnames="k")
def _neighbour(points: Array, centres: Array, k: int) -> Array:
    nearest, _ = jax.lax.top_k(-_distances(points, centres), k + 1)
    return -nearest[:, k]


@jax.jit
def _covered(points: Array, centres: Array, radii: Array) -> Array:
    return jnp.any(_distances(points, centres) <= radii[None, :], axis=1)
