"""Truncation towards the mean of w (StyleGAN, appendix B)."""

from typing import overload

import jax.numpy as jnp

from aligned_jax.errors import UserError
from aligned_jax.types import AnyArray, Array


@overload
def truncate(
    ws: Array, w_avg: AnyArray, psi: float | AnyArray, cutoff: int | None = None
) -> Array: ...
@overload
def truncate(
    ws: AnyArray, w_avg: AnyArray, psi: float | AnyArray, cutoff: int | None = None
) -> AnyArray: ...
def truncate(
    ws: AnyArray, w_avg: AnyArray, psi: float | AnyArray, cutoff: int | None = None
) -> AnyArray:
    """w_avg + psi * (w - w_avg) in the first `cutoff` rows.

    Args:
      ws: [N, L, D] float32.
      w_avg: [D] float32, the running mean of w of the same network; or another centre, [D], or
        [L, D] with a row for each of `ws`.
      psi: 1 leaves `ws` as it is, 0 gives the mean everywhere. A number, or an array that
        broadcasts against [N, L, D], such as one of shape [N, 1, 1] for each latent.
      cutoff: number of rows to truncate; None truncates all.

    Returns:
      [N, L, D]; `ws` itself when psi is the Python number 1.

    Raises:
      UserError: if `cutoff` is no whole number in 0..L.
    """
    rows = ws.shape[1]
    if cutoff is not None and (not isinstance(cutoff, int) or not 0 <= cutoff <= rows):
        raise UserError(f"truncation cutoff is {cutoff!r}; it must be 0 to {rows} rows")
    if isinstance(psi, int | float) and psi == 1:
        return ws
    center = w_avg[None, None, :] if w_avg.ndim == 1 else w_avg[None]
    # 1 - psi is that of 32 bits, be psi a number or an array: so both give the same bits.
    psi = jnp.asarray(psi, ws.dtype)
    # Anchored at the nearer end, as torch.lerp is, so that rounding agrees as well.
    near, far = center + psi * (ws - center), ws - (ws - center) * (1 - psi)
    truncated = jnp.where(psi < 0.5, near, far)
    if cutoff is None:
        return truncated
    return jnp.concatenate([truncated[:, :cutoff], ws[:, cutoff:]], axis=1)
