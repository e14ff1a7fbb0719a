"""Nearest rows of features, exactly."""

import functools

import jax
import jax.numpy as jnp
import numpy as np

from aligned_jax.errors import UserError
from aligned_jax.types import Array

# Squared distances that exist at a time.
_BLOCK = 2**23


def nearest_rows(queries: np.ndarray, rows: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """The k nearest rows of every query by Euclidean distance, the nearest first.

    Candidates are found in single precision by products; their distances are then taken from
    differences, so that a copy has the distance 0.

    Args:
      queries, rows: features [N, D] and [M, D].
      k: rows wanted of each; at most M.

    Returns:
      their numbers int [N, k], and distances float64 [N, k].

    Raises:
      UserError: if the widths differ, or there are fewer than k rows.
    """
    queries, rows = np.asarray(queries, np.float32), np.asarray(rows, np.float32)
    if queries.ndim != 2 or rows.ndim != 2 or queries.shape[1] != rows.shape[1]:
        raise UserError(
            f"features have shapes {queries.shape} and {rows.shape}; expected [N, D], [M, D]"
        )
    if not 1 <= k <= len(rows):
        raise UserError(f"{k} nearest of {len(rows)} rows cannot be had; ask for 1 to {len(rows)}")
    # More candidates than are wanted: rounding may put near ones in another order.
    wanted = min(len(rows), k + 8)
    size = max(1, min(len(queries), _BLOCK // len(rows)))
    others, found = jnp.asarray(rows), np.empty((len(queries), wanted), int)
    for start in range(0, len(queries), size):
        start = max(0, min(start, len(queries) - size))  # one size, one program
        part = slice(start, start + size)
        found[part] = np.asarray(_candidates(jnp.asarray(queries[part]), others, wanted))
    numbers = np.empty((len(queries), k), int)
    distances = np.empty((len(queries), k))
    for place, (query, candidates) in enumerate(zip(queries, found, strict=True)):
        apart = np.linalg.norm(rows[candidates].astype(np.float64) - query, axis=1)
        order = np.lexsort((candidates, apart))[:k]
        numbers[place], distances[place] = candidates[order], apart[order]
    return numbers, distances


@functools.partial(jax.jit, static_argnames="count")
def _candidates(queries: Array, rows: Array, count: int) -> Array:
    product = jnp.dot(queries, rows.T, precision=jax.lax.Precision.HIGHEST)
    squares = jnp.sum(rows**2, axis=1)[None, :] - 2 * product  # less what all rows share
    return jax.lax.top_k(-squares, count)[1]
