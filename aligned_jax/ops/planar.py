"""Pictures with their few channels apart, [N, C, H, W], as TPUs hold them without waste.

On a TPU a picture [N, H, W, 3] fills 3 of 128 lanes, or puts the batch into them. Inside a
generator pictures are therefore planar; one transposition at its end costs nothing where a
compiled program ends.
"""

import jax.numpy as jnp
import numpy as np
from jax import lax

from aligned_jax.ops.folds import RowFold
from aligned_jax.ops.upfirdn2d import padding_with_room, separated
from aligned_jax.types import Array


def project_planar(x: Array, kernels: Array, fold: RowFold) -> Array:
    """A 1x1 convolution with a kernel for each sample, from a folded map to a planar picture.

    Args:
      x: [N, B, W, fold.rows * I], a square map of height W.
      kernels: [N, I, O], dtype of `x`.
      fold: how `x` lies.

    Returns:
      [N, O, W, W], dtype of `x`.
    """
    (n, blocks, size, _), (_, inputs, outputs), rows = x.shape, kernels.shape, fold.rows
    same = jnp.eye(rows, dtype=kernels.dtype)[None, :, None, :, None]
    kernels = kernels[:, None, :, None, :] * same  # [N, rows, I, rows, O]
    kernels = kernels.reshape(n, rows * inputs, rows * outputs)
    y = jnp.einsum("nbwi,nio->nobw", x, kernels)  # [N, rows * O, B, W]
    y = y.reshape(n, rows, outputs, blocks, size).transpose(0, 2, 3, 1, 4)
    y = y.reshape(n, outputs, blocks * rows, size)
    return y[:, :, fold.offset : fold.offset + size]


def embed_planar(images: Array, weight: Array, fold: RowFold) -> Array:
    """A 1x1 convolution of a planar picture to a folded map.

    Args:
      images: [N, C, H, W].
      weight: [C, O], dtype of `images`.
      fold: of the map, without an offset; its rows divide H.

    Returns:
      [N, H / fold.rows, W, fold.rows * O], dtype of `images`.
    """
    (n, inputs, height, width), rows = images.shape, fold.rows
    x = images.reshape(n, inputs, height // rows, rows, width).transpose(0, 3, 1, 2, 4)
    x = x.reshape(n, rows * inputs, height // rows, width)
    same = jnp.eye(rows, dtype=weight.dtype)[:, None, :, None]
    kernel = (weight[None, :, None, :] * same).reshape(rows * inputs, -1)  # [rows * C, rows * O]
    return jnp.einsum("nchw,co->nhwo", x, kernel)


def upsample_planar(images: Array, f: np.ndarray, up: int = 2) -> Array:
    """`upsample2d` of float32 [N, C, H, W], as a matrix product along either axis.

    Products as exact as the compiler has them, as the sums of `upsample2d` are. `f` must be an
    outer product or one-dimensional.
    """
    factors = separated(f)
    if factors is None:
        raise ValueError("the filter is no outer product; upsample2d takes it")
    rows, columns = (
        _matrix(taps, size, up) for taps, size in zip(factors, images.shape[2:], strict=True)
    )
    return jnp.einsum("ih,nchw,jw->ncij", rows, images, columns, precision=lax.Precision.HIGHEST)


def _matrix(taps: np.ndarray, size: int, up: int) -> np.ndarray:
    """float32 [up * size, size]: zero insertion, and true convolution with `taps` times `up`."""
    before = padding_with_room(0, taps[None], up=up)[0]
    i, m = np.ogrid[: up * size, :size]
    t = up * m + before - i
    kernel = taps[::-1] * up
    inside = (t >= 0) & (t < len(taps))
    return np.where(inside, kernel[np.clip(t, 0, len(taps) - 1)], 0.0).astype(np.float32)
