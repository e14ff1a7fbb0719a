"""Modulated convolution (StyleGAN2, section 2.2 and equations 1 to 3)."""

import math

import jax.numpy as jnp
import numpy as np
from jax import lax

from aligned_jax.ops import folds
from aligned_jax.ops.conv2d_resample import conv2d_resample
from aligned_jax.types import Array


def modulated_conv2d(
    x: Array,
    weight: Array,
    styles: Array,
    noise: Array | None = None,
    up: int = 1,
    down: int = 1,
    padding: int = 0,
    resample_filter: np.ndarray | None = None,
    demodulate: bool = True,
    flip_weight: bool = True,
) -> Array:
    """Convolution whose input channels each sample scales by its own style.

    Computed by scaling activations before and after one convolution that all
    samples share, which equals a convolution with per-sample kernels and keeps
    the accelerator's convolution at full batch size.

    Args:
      x: [N, H, W, I] float32, bfloat16 or float16.
      weight: [kh, kw, I, O] float32.
      styles: [N, I] float32.
      noise: added after demodulation; broadcastable to the result as
        [1 or N, H', W', 1], or None.
      up, down, padding, resample_filter, flip_weight: as in `conv2d_resample`.
      demodulate: divide by the norm of each sample's modulated kernel.

    Returns:
      [N, H', W', O], dtype of `x`.
    """
    if x.dtype == jnp.float16 and demodulate:
        weight, styles = _normalize_for_float16(weight, styles)
    x = x * styles[:, None, None, :].astype(x.dtype)
    x = conv2d_resample(
        x, weight.astype(x.dtype), resample_filter, up, down, padding, flip_weight=flip_weight
    )
    if demodulate:
        x = x * _demodulation(weight, styles)[:, None, None, :].astype(x.dtype)
    if noise is not None:
        x = x + noise.astype(x.dtype)
    return x


def modulated_conv2d_folded(
    x: Array,
    weight: Array,
    styles: Array,
    noise: Array | None,
    source: folds.RowFold,
    target: folds.RowFold,
    up: int = 1,
    resample_filter: np.ndarray | None = None,
) -> Array:
    """`modulated_conv2d` of a folded map with demodulation, its result in phases.

    Args:
      x: [N, B, W, source.rows * I] float32, bfloat16 or float16, a map of height W; what lies
        outside of the map does not matter.
      weight: [3, 3, I, O] float32, turned if `up` exceeds 1.
      styles: [N, I] float32.
      noise: [1 or N, H', W', 1] of the whole result, or None.
      source, target: folds of `x` and of the result.
      up, resample_filter: as in `modulated_conv2d`; the filter must be an outer product.

    Returns:
      What `folds.convolve_folded` returns, for `folds.spread(y, up * source.rows / target.rows,
      up)`. Whatever depends on the channel alone may be done before that.
    """
    size, outputs = x.shape[2], weight.shape[3]
    if x.dtype == jnp.float16:
        weight, styles = _normalize_for_float16(weight, styles)
    scale = folds.per_row(styles, source.rows)[:, None, None, :].astype(x.dtype)
    mask = folds.rows_inside(source, size, weight.shape[2])
    if mask is not None:  # rows outside of the map are no zeros
        scale = scale * jnp.asarray(mask, x.dtype)
    x = folds.convolve_folded(x * scale, weight, source, target, up, f=resample_filter)
    every = x.shape[3] // outputs
    demodulation = folds.per_row(_demodulation(weight, styles), every)
    x = x * demodulation[:, None, None, :].astype(x.dtype)
    if noise is None:
        return x
    tall = up * source.rows // target.rows
    return x + folds.fold_field(noise.astype(x.dtype), target, tall, up, outputs)


def _demodulation(weight: Array, styles: Array) -> Array:
    """[N, O]: one over the norm of each sample's kernel, weight [kh, kw, I, O] times [N, I]."""
    # Sum over the kernel first: one small matrix product instead of N kernels.
    power = jnp.square(weight).sum(axis=(0, 1))  # [I, O]
    norm = jnp.matmul(jnp.square(styles), power, precision=lax.Precision.HIGHEST)  # [N, O]
    return lax.rsqrt(norm + 1e-8)


def _normalize_for_float16(weight: Array, styles: Array) -> tuple[Array, Array]:
    """Scales kernels per output and styles per sample so that float16 cannot overflow.

    Demodulation undoes both factors.
    """
    kh, kw, channels, _ = weight.shape
    peak = jnp.abs(weight).max(axis=(0, 1, 2), keepdims=True)
    weight = weight / (peak * math.sqrt(kh * kw * channels))
    return weight, styles / jnp.abs(styles).max(axis=1, keepdims=True)
