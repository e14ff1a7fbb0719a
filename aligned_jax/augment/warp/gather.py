"""The warp by gathering: for every place of the result, the pixels around where it comes from.

The image is continued by reflection, doubled with a 12-tap filter, sampled
bilinearly and halved with the turned filter (Karras et al. 2020, appendix B.2).

The official implementation pads by as much as the batch needs, a number that
depends on the data. Here the image is always continued by its full size minus
one, the most that reflection can give, and zeroed outside the margins that the
batch needs before it is filtered; that gives the same result at fixed sizes.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from aligned_jax.augment.geometry import REACH, SYM6, Affine
from aligned_jax.ops import setup_filter, upfirdn2d, upsample2d
from aligned_jax.types import Array

_H, _W = 1, 2  # axes of [N, H, W, C]
_LONG = 272  # longest axis that is filtered by a matrix


def warp_by_gather(images: Array, inverse: Affine, margins: Array) -> Array:
    """What `warp` promises, on any device and of any size."""
    return _along(_H, _along(_W, sample_by_gather(images, inverse, margins), _halved), _halved)


def sample_by_gather(images: Array, inverse: Affine, margins: Array) -> Array:
    """The warp before its last filter: images [N, H, W, C] to [N, 2H + 10, 2W + 10, C]."""
    count, height, width, channels = images.shape
    x, x_weights = _neighbours(inverse, 0, (height, width), margins[:, 0])
    y, y_weights = _neighbours(inverse, 1, (height, width), margins[:, 1])
    doubled = _along(_W, images, lambda x, axis: _doubled(x, axis, margins[:, 0]))
    doubled = _along(_H, doubled, lambda x, axis: _doubled(x, axis, margins[:, 1]))
    row = doubled.shape[_W]
    pixels = doubled.reshape(count, -1, channels)
    first = y * row + x  # [N, 2H + 10, 2W + 10]
    warped: Any = sum(
        _pixels_at(pixels, first + (dy * row + dx)) * (y_weights[dy] * x_weights[dx])[..., None]
        for dy in (0, 1)
        for dx in (0, 1)
    )
    return warped


def _neighbours(
    inverse: Affine, axis: int, shape: tuple[int, int], margin: Array
) -> tuple[Array, tuple[Array, Array]]:
    """Of the two samples around each place along one axis (0 is x): the first, both weights.

    The grid has twice the density of the result and just the border that the
    last filter reads. Weights are a tent, so that a neighbour moved inside the
    margins counts only as far as the place is near: nothing beyond is read.
    """
    # Places of rows and columns in the result, [2H + 10] and [2W + 10].
    down, across = (
        ((jnp.arange(2 * n + 4 * REACH - 2) + (2 - n)).astype(jnp.float32) / 2 - REACH)
        for n in shape
    )
    linear = inverse.linear[:, axis, :, None, None]  # [N, 2, 1, 1]
    place = linear[:, 0] * across[None, None, :] + linear[:, 1] * down[None, :, None]
    size = shape[1 - axis]
    position = 2 * (place + inverse.shift[:, axis, None, None]) + (size - 1)
    low, high = -2 * margin[0], 2 * (size + margin[1]) - 1
    first = jnp.clip(jnp.floor(position), low.astype(jnp.float32), (high - 1).astype(jnp.float32))
    one, other = (jnp.maximum(1 - jnp.abs(position - (first + i)), 0) for i in (0, 1))
    return first.astype(jnp.int32) + 2 * (size - 1), (one, other)


def _along(axis: int, x: Array, fir: Callable[[Array, int], Array]) -> Array:
    """`fir(x, axis)`, a linear map of one axis; of a short axis as a product with its matrix.

    The matrix is what `fir` makes of an identity. Products are fused with
    nothing around them and have products for gradients: at 64 pixels on a CPU
    the warp's gradient takes a sixth of what it does by shifted sums, which the
    compiler repeats for every reader. Cost grows with the size, so that long
    axes are left to the sums.
    """
    size = x.shape[axis]
    if size > _LONG:
        return fir(x, axis)
    matrix = fir(jnp.eye(size, dtype=x.dtype)[:, None, :, None], _W)[:, 0, :, 0]  # [size, new size]
    subscripts = "nhjc,jk->nhkc" if axis == _W else "njwc,jk->nkwc"
    return jnp.einsum(subscripts, x, matrix, precision=lax.Precision.HIGHEST)


def _doubled(x: Array, axis: int, margin: Array) -> Array:
    """Continued by size - 1 on either side, zeroed beyond `margin`, at twice the density."""
    size = x.shape[axis]
    sides = [(size - 1, size - 1) if a == axis else (0, 0) for a in range(4)]
    place = jnp.arange(3 * size - 2) - (size - 1)
    inside = (place >= -margin[0]) & (place < size + margin[1])
    inside = inside.reshape([-1 if a == axis else 1 for a in range(4)])
    x = jnp.where(inside, jnp.pad(x, sides, mode="reflect"), jnp.float32(0))
    taps, factors = _filter(axis)
    return upsample2d(x, taps, factors)


def _halved(x: Array, axis: int) -> Array:
    """Low-pass filtered at half the density, without what the filter's ends would miss."""
    taps, factors = _filter(axis)
    return upfirdn2d(x, taps, down=factors, flip_filter=True)


def _pixels_at(pixels: Array, index: Array) -> Array:
    """[N, P, C] at `index` [N, ...], all in range."""
    return jax.vmap(lambda x, i: x.at[i].get(mode="promise_in_bounds"))(pixels, index)


def _filter(axis: int) -> tuple[np.ndarray, tuple[int, int]]:
    """The low-pass filter along one axis, and factors (x, y) of 2 along that axis."""
    taps = setup_filter(SYM6)
    return (taps[None, :], (2, 1)) if axis == _W else (taps[:, None], (1, 2))
