"""From W to W+: one row for each layer that reads w."""

from typing import overload

import jax.numpy as jnp

from aligned_jax.errors import UserError
from aligned_jax.types import AnyArray, Array


@overload
def broadcast_w(w: Array, num_ws: int) -> Array: ...
@overload
def broadcast_w(w: AnyArray, num_ws: int) -> AnyArray: ...
def broadcast_w(w: AnyArray, num_ws: int) -> AnyArray:
    """W [N, D] to W+ [N, L, D] with L equal rows; W+ passes unchanged.

    Raises:
      UserError: if W+ has another number of rows.
    """
    if w.ndim == 2:
        return jnp.repeat(w[:, None, :], num_ws, axis=1)
    if w.ndim != 3 or w.shape[1] != num_ws:
        raise UserError(
            f"w has shape {w.shape}; this network takes [N, D] or [N, {num_ws}, D] "
            "(2 * log2(resolution) - 2 rows)"
        )
    return w
