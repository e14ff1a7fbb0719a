"""Pad, upsample, filter and downsample images.

A filter is a NumPy constant: one-dimensional taps (applied along both axes) or
a two-dimensional kernel. The FIR is phrased as a sum of shifted slices, one
axis at a time wherever the kernel is an outer product: XLA fuses that into one
pass, which beats a depthwise convolution and costs no multiplication by the
zeros that upsampling inserts.
"""

from collections.abc import Sequence

import jax.numpy as jnp
import numpy as np
from jax import lax

from aligned_jax.types import Array

_H, _W = 1, 2  # axes of [N, H, W, C]


def setup_filter(
    taps: float | Sequence | None,
    normalize: bool = True,
    flip_filter: bool = False,
    gain: float = 1.0,
    separable: bool | None = None,
) -> np.ndarray:
    """Filter constant from taps, as the official networks store it in a buffer.

    Args:
      taps: numbers, rows of numbers, or one number; None or () is the identity.
      normalize: divide by the sum.
      flip_filter: turn the filter by 180 degrees.
      gain: factor on the signal magnitude, spread over the axes.
      separable: keep one-dimensional taps; by default only from 8 taps on.

    Returns:
      float32 [fh, fw], or [taps] when separable.
    """
    f = np.asarray(1.0 if taps is None or np.size(taps) == 0 else taps, np.float32)
    if f.ndim == 0:
        f = f[None]
    if separable is None:
        separable = f.ndim == 1 and f.size >= 8
    if f.ndim == 1 and not separable:
        f = np.outer(f, f)
    if normalize:
        f = f / f.sum(dtype=np.float32)
    if flip_filter:
        f = f[tuple([slice(None, None, -1)] * f.ndim)]
    return np.ascontiguousarray(f * np.float32(gain ** (f.ndim / 2)), np.float32)


def upfirdn2d(
    x: Array,
    f: np.ndarray | None,
    up: int | tuple[int, int] = 1,
    down: int | tuple[int, int] = 1,
    padding: int | Sequence[int] = 0,
    flip_filter: bool = False,
    gain: float = 1.0,
) -> Array:
    """Zero-insertion by `up`, padding, true convolution with `f`, every `down`-th sample.

    Args:
      x: [N, H, W, C].
      f: filter from `setup_filter`; None is the identity.
      up, down: factors, one number or (x, y).
      padding: of the upsampled image: one number, (x, y), or (left, right, top,
        bottom); negative numbers crop.
      flip_filter: correlate instead of convolve.
      gain: factor on the result.

    Returns:
      [N, (H*up + top + bottom - fh) // down + 1, likewise W, C], dtype of `x`.
    """
    upx, upy = _pair(up)
    downx, downy = _pair(down)
    px0, px1, py0, py1 = _sides(padding)
    f = np.ones([1, 1], np.float32) if f is None else np.asarray(f)
    kernel = f if flip_filter else f[tuple([slice(None, None, -1)] * f.ndim)]
    factors = separated(kernel)
    if factors is None:
        return _fir_2d(x, kernel * gain, (upx, upy), (downx, downy), (px0, px1, py0, py1))
    ky, kx = factors
    x = _fir_1d(x, kx, _W, upx, downx, px0, px1)
    return _fir_1d(x, ky * gain, _H, upy, downy, py0, py1)


def filter2d(
    x: Array,
    f: np.ndarray | None,
    padding: int | Sequence[int] = 0,
    flip_filter: bool = False,
    gain: float = 1.0,
) -> Array:
    """Filters [N, H, W, C] and keeps its size; `padding` is added on top of that."""
    sides = padding_with_room(padding, f, up=1)
    return upfirdn2d(x, f, padding=sides, flip_filter=flip_filter, gain=gain)


def upsample2d(
    x: Array,
    f: np.ndarray | None,
    up: int | tuple[int, int] = 2,
    padding: int | Sequence[int] = 0,
    flip_filter: bool = False,
    gain: float = 1.0,
) -> Array:
    """Upsamples [N, H, W, C] to [N, H*up, W*up, C] keeping brightness and position."""
    upx, upy = _pair(up)
    sides = padding_with_room(padding, f, up=up)
    return upfirdn2d(x, f, up, padding=sides, flip_filter=flip_filter, gain=gain * upx * upy)


def downsample2d(
    x: Array,
    f: np.ndarray | None,
    down: int | tuple[int, int] = 2,
    padding: int | Sequence[int] = 0,
    flip_filter: bool = False,
    gain: float = 1.0,
) -> Array:
    """Filters and downsamples [N, H, W, C] to [N, H/down, W/down, C]."""
    sides = padding_with_room(padding, f, down=down)
    return upfirdn2d(x, f, down=down, padding=sides, flip_filter=flip_filter, gain=gain)


def padding_with_room(
    padding: int | Sequence[int],
    f: np.ndarray | None,
    up: int | tuple[int, int] | None = None,
    down: int | tuple[int, int] | None = None,
) -> tuple[int, int, int, int]:
    """(left, right, top, bottom) that lets a filter upsample or downsample in place.

    `padding` is what is wanted on top of that; None means that the filter is
    not used for that purpose (1 means that it is, without a change of size).
    """
    px0, px1, py0, py1 = _sides(padding)
    fw, fh = (1, 1) if f is None else (f.shape[-1], f.shape[0])
    if up is not None:
        upx, upy = _pair(up)
        px0, px1 = px0 + (fw + upx - 1) // 2, px1 + (fw - upx) // 2
        py0, py1 = py0 + (fh + upy - 1) // 2, py1 + (fh - upy) // 2
    if down is not None:
        downx, downy = _pair(down)
        px0, px1 = px0 + (fw - downx + 1) // 2, px1 + (fw - downx) // 2
        py0, py1 = py0 + (fh - downy + 1) // 2, py1 + (fh - downy) // 2
    return px0, px1, py0, py1


def _fir_1d(
    x: Array, taps: np.ndarray, axis: int, up: int, down: int, before: int, after: int
) -> Array:
    """Correlates the zero-inserted and padded `axis` with `taps`, keeps every `down`-th."""
    if up > 1 and down > 1:
        x, before, after, up = _insert_zeros(x, axis, up, before, after)
    size = x.shape[axis]
    length = (size * up + before + after - len(taps)) // down + 1
    per_phase = -(-length // up)
    # Output i = up * q + phase reads input q + (phase + k - before) / up where that is whole.
    reads = [
        [
            ((phase + k - before) // up, tap)
            for k, tap in enumerate(taps)
            if (phase + k - before) % up == 0 and tap != 0
        ]
        for phase in range(up)
    ]
    offsets = [offset for phase in reads for offset, _ in phase] or [0]
    low = -min(offsets)
    high = max(offsets) + (per_phase - 1) * down + 1 - size
    x = _pad(x, axis, low, high)
    phases = []
    for phase in reads:
        slices = [
            lax.slice_in_dim(x, o + low, o + low + (per_phase - 1) * down + 1, down, axis)
            for o, _ in phase
        ]
        terms = [_scaled(part, tap) for part, (_, tap) in zip(slices, phase, strict=True)]
        if not terms:  # no tap falls on this phase
            terms = [lax.slice_in_dim(x, 0, per_phase, 1, axis) * 0]
        phases.append(sum(terms[1:], terms[0]))
    if up == 1:
        return phases[0]
    shape = list(phases[0].shape)
    shape[axis] *= up
    y = jnp.stack(phases, axis=axis + 1).reshape(shape)
    return lax.slice_in_dim(y, 0, length, 1, axis)


def _fir_2d(x: Array, kernel: np.ndarray, up: tuple, down: tuple, sides: tuple) -> Array:
    """The same for a kernel that is no outer product: one slice for each tap."""
    (upx, upy), (downx, downy), (px0, px1, py0, py1) = up, down, sides
    x, px0, px1, _ = _insert_zeros(x, _W, upx, px0, px1)
    x, py0, py1, _ = _insert_zeros(x, _H, upy, py0, py1)
    x = _pad(_pad(x, _W, px0, px1), _H, py0, py1)
    fh, fw = kernel.shape
    h, w = (x.shape[_H] - fh) // downy + 1, (x.shape[_W] - fw) // downx + 1
    terms = []
    for i, j in np.argwhere(kernel).tolist():
        rows = lax.slice_in_dim(x, i, i + (h - 1) * downy + 1, downy, _H)
        part = lax.slice_in_dim(rows, j, j + (w - 1) * downx + 1, downx, _W)
        terms.append(_scaled(part, kernel[i, j]))
    return sum(terms[1:], terms[0])


def _insert_zeros(x: Array, axis: int, up: int, before: int, after: int) -> tuple:
    """Zeros between samples; the padding returned makes up for those behind the last one."""
    config = [(0, 0, up - 1 if a == axis else 0) for a in range(x.ndim)]
    return lax.pad(x, jnp.zeros([], x.dtype), config), before, after + up - 1, 1


def _pad(x: Array, axis: int, low: int, high: int) -> Array:
    if low == 0 and high == 0:
        return x
    config = [(low, high, 0) if a == axis else (0, 0, 0) for a in range(x.ndim)]
    return lax.pad(x, jnp.zeros([], x.dtype), config)


def _scaled(x: Array, tap: float) -> Array:
    return x if tap == 1 else x * float(tap)


def separated(kernel: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """(column, row) float64 factors of an outer product, or None for any other kernel.

    One-dimensional taps are both factors.
    """
    if kernel.ndim == 1:
        return kernel.astype(np.float64), kernel.astype(np.float64)
    k = kernel.astype(np.float64)
    i, j = np.unravel_index(np.abs(k).argmax(), k.shape)
    column, row = k[:, j], k[i, :] / k[i, j]
    if np.abs(np.outer(column, row) - k).max() > 1e-6 * np.abs(k).max():
        return None
    # Equal sums keep both passes in the range of the data, which half precision needs.
    balance = row.sum()
    return (column * balance, row / balance) if balance else (column, row)


def _pair(factor: int | tuple[int, int]) -> tuple[int, int]:
    return (factor, factor) if isinstance(factor, int) else factor


def _sides(padding: int | Sequence[int]) -> tuple[int, int, int, int]:
    """(left, right, top, bottom) from one number, (x, y), or all four."""
    if isinstance(padding, int):
        return padding, padding, padding, padding
    if len(padding) == 2:
        x, y = padding
        return x, x, y, y
    left, right, top, bottom = padding
    return left, right, top, bottom
