"""Convolutions that change the resolution, with derivatives in the form the backend likes.

XLA's CPU backend runs these convolutions and their gradient with respect to the
image well, but not the weight gradient of the upsampling one, nor whatever
differentiates the gradient of the downsampling one again (R1). Milliseconds on
two cores, batch 16 (jax 0.10.2; 32x32x64 up to 32 channels, 67x67x32 down to 64):

                              value   d image   d weight   d both   d weight of R1
  up, convolution               3.4       5.1        167      161
  up, products by tap           4.0       2.2        1.7      3.9
  down, convolution             5.6       6.3        8.2       14       185
  down, product with patches    5.0       3.7        6.5       25        52

So on CPUs the values, and the weight gradient of the downsampling one, come from
the convolution and all other derivatives from matrix products. Every form is
exact, counts the same FLOPs, and may be differentiated in both modes, any number
of times. Accelerators have kernels for all of them and keep the convolution.

Convolutions whose kernel is far larger than the image are products with patches on
CPUs too, since the gradient with respect to the image would transpose the kernel
first, slowly. Milliseconds of value and that gradient, 512 to 512 channels, 3x3:

                              1x4x4   1x8x8   8x4x4   8x8x8   8x16x16
  convolution                   5.5     5.4     7.3      17        51
  product with patches          1.1     1.7     3.1      12        70
"""

from collections.abc import Sequence
from functools import partial

import jax
import jax.numpy as jnp
from jax import lax

from aligned_jax.types import Array

_H, _W = 1, 2  # axes of [N, H, W, C]
_LARGER = 8  # kernel against image, in numbers


def conv_up(x: Array, kernel: Array, up: int, groups: int = 1) -> Array:
    """Correlation of `x` with `up` - 1 zeros between samples, padded to meet every tap.

    Args:
      x: [N, H, W, I].
      kernel: [kh, kw, I / groups, O], dtype of `x`.
      up: factor above 1.
      groups: number of channel groups that do not mix; more than one is always
        the plain convolution.

    Returns:
      [N, up * (H - 1) + kh, up * (W - 1) + kw, O].
    """
    if groups == 1 and jax.default_backend() == "cpu":
        return _cpu_up(x, kernel, up)
    return _plain_up(x, kernel, up, groups)


def conv_down(x: Array, kernel: Array, down: int, groups: int = 1) -> Array:
    """Correlation of `x` [N, H, W, I], not padded, at every `down`-th sample; `groups` as above.

    Returns:
      [N, (H - kh) // down + 1, (W - kw) // down + 1, O].
    """
    if groups == 1 and jax.default_backend() == "cpu":
        return _cpu_down(x, kernel, down)
    return _plain_down(x, kernel, down, groups)


def convolve(
    x: Array,
    kernel: Array,
    padding: str | Sequence[tuple[int, int]] = "VALID",
    groups: int = 1,
    stride: int = 1,
    dilation: int = 1,
) -> Array:
    """XLA's correlation on NHWC images and HWIO kernels; `dilation` spreads the image.

    It is a product with patches on CPUs if the kernel is far larger than the image.
    """
    if _is_large(kernel, x, padding) and (groups, stride, dilation) == (1, 1, 1):
        return _down_by_patches(jnp.pad(x, ((0, 0), *padding, (0, 0))), jnp.asarray(kernel), 1)
    return lax.conv_general_dilated(
        x,
        jnp.asarray(kernel),
        window_strides=(stride, stride),
        padding=padding,
        lhs_dilation=(dilation, dilation),
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
        feature_group_count=groups,
    )


def _is_large(kernel: Array, x: Array, padding: str | Sequence[tuple[int, int]]) -> bool:
    """Whether the backend is a CPU and a kernel of several taps is far larger than the image.

    Images of no certain number (`jax.export.symbolic_shape`) are never few.
    """
    several = kernel.shape[0] * kernel.shape[1] > 1 and not isinstance(padding, str)
    if not several or not isinstance(x.size, int):
        return False
    return kernel.size >= _LARGER * x.size and jax.default_backend() == "cpu"


def _plain_up(x: Array, kernel: Array, up: int, groups: int = 1) -> Array:
    kh, kw = kernel.shape[:2]
    padding = ((kh - 1, kh - 1), (kw - 1, kw - 1))
    return convolve(x, kernel, padding, groups, dilation=up)


def _plain_down(x: Array, kernel: Array, down: int, groups: int = 1) -> Array:
    return convolve(x, kernel, groups=groups, stride=down)


@partial(jax.custom_jvp, nondiff_argnums=(2,))
def _cpu_up(x: Array, kernel: Array, up: int) -> Array:
    return _plain_up(x, kernel, up)


@_cpu_up.defjvp
def _(up: int, values: tuple, tangents: tuple) -> tuple[Array, Array]:
    (x, kernel), (dx, dkernel) = values, tangents
    tangent = _up_by_taps(dx, kernel, up) + _up_by_taps(x, dkernel, up)
    return _cpu_up(x, kernel, up), tangent


@partial(jax.custom_jvp, nondiff_argnums=(2,))
def _cpu_down(x: Array, kernel: Array, down: int) -> Array:
    return _plain_down(x, kernel, down)


@_cpu_down.defjvp
def _(down: int, values: tuple, tangents: tuple) -> tuple[Array, Array]:
    (x, kernel), (dx, dkernel) = values, tangents
    tangent = _down_by_patches(dx, kernel, down) + _cpu_down(x, dkernel, down)
    return _cpu_down(x, kernel, down), tangent


def _up_by_taps(x: Array, kernel: Array, up: int) -> Array:
    """`conv_up` as one matrix product for all taps, whose results overlap and are added."""
    kh, kw = kernel.shape[:2]
    products = jnp.einsum("nhwi,klio->nhwklo", x, kernel)
    rows = [_overlap([products[:, :, :, k, m] for m in range(kw)], _W, up) for k in range(kh)]
    return _overlap(rows, _H, up)


def _down_by_patches(x: Array, kernel: Array, down: int) -> Array:
    """`conv_down` as one matrix product with all patches of the image."""
    kh, kw, _, outputs = kernel.shape
    patches = [part for rows in _taps(x, _H, kh, down) for part in _taps(rows, _W, kw, down)]
    return jnp.matmul(jnp.concatenate(patches, axis=-1), kernel.reshape(-1, outputs))


def _overlap(products: Sequence[Array], axis: int, up: int) -> Array:
    """Adds tap t's product of sample i at position up * i + taps - 1 - t."""
    taps, size = len(products), products[0].shape[axis]
    length = up * (size - 1) + taps
    per_phase = -(-length // up)
    phases = []
    for phase in range(up):
        total = None
        for tap, product in enumerate(products):
            offset, rest = divmod(taps - 1 - tap, up)
            if rest == phase:
                term = _pad(product, axis, offset, per_phase - size - offset)
                total = term if total is None else total + term
        if total is None:  # more phases than taps
            total = jnp.zeros_like(_pad(products[0], axis, 0, per_phase - size))
        phases.append(total)
    shape = list(phases[0].shape)
    shape[axis] *= up
    return lax.slice_in_dim(jnp.stack(phases, axis + 1).reshape(shape), 0, length, axis=axis)


def _taps(x: Array, axis: int, taps: int, down: int) -> list[Array]:
    """What each tap reads: sample down * i + t for output i."""
    size = x.shape[axis]
    count, per_phase = (size - taps) // down + 1, -(-size // down)
    x = _pad(x, axis, 0, per_phase * down - size)
    # Slices of phases, not strided slices: the gradient of those fills arrays with holes.
    x = x.reshape(*x.shape[:axis], per_phase, down, *x.shape[axis + 1 :])
    phases = [lax.index_in_dim(x, phase, axis + 1, keepdims=False) for phase in range(down)]
    starts = [(tap % down, tap // down) for tap in range(taps)]
    return [lax.slice_in_dim(phases[p], first, first + count, axis=axis) for p, first in starts]


def _pad(x: Array, axis: int, low: int, high: int) -> Array:
    config = [(low, high, 0) if a == axis else (0, 0, 0) for a in range(x.ndim)]
    return lax.pad(x, jnp.zeros([], x.dtype), config)
