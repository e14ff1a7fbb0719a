"""Flips, turns, stretches and shifts: one inverse map, carried out as one filtered warp.

Places are (x, y) in pixels from the centre of the image. The warp continues the
image by reflection, doubles it with a 12-tap filter, samples bilinearly and
halves it with the turned filter (Karras et al. 2020, appendix B.2).

The official implementation pads by as much as the batch needs, a number that
depends on the data. Here the image is always continued by its full size minus
one, the most that reflection can give, and zeroed outside the margins that the
batch needs before it is filtered; that gives the same result at fixed sizes.
"""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from aligned_jax.augment.draws import Draws, chosen
from aligned_jax.augment.options import AugmentConfig
from aligned_jax.ops import setup_filter, upfirdn2d, upsample2d
from aligned_jax.types import Array

# Low-pass coefficients of the sym6 wavelet (Daubechies 1992).
SYM6 = (
    0.015404109327027373,
    0.0034907120842174702,
    -0.11799011114819057,
    -0.048311742585633,
    0.4910559419267466,
    0.787641141030194,
    0.3379294217276218,
    -0.07263752278646252,
    -0.021060292512300564,
    0.04472490177066578,
    0.0017677118642428036,
    -0.007800708325034148,
)
_REACH = len(SYM6) // 4  # pixels of the image under half the filter
_H, _W = 1, 2  # axes of [N, H, W, C]
_LONG = 272  # longest axis that is filtered by a matrix


class Affine(NamedTuple):
    """The map x -> linear @ x + shift of each sample: linear [N, 2, 2], shift [N, 2]."""

    linear: Array
    shift: Array

    def after_linear(self, step: Array) -> "Affine":
        """This map of the result of the linear map `step` [N, 2, 2]."""
        # Sums, not dots: exact in float32 on every device, and fused into one kernel.
        product = (self.linear[:, :, :, None] * step[:, None, :, :]).sum(2)
        return self._replace(linear=product)

    def after_shift(self, step: Array) -> "Affine":
        """This map of places moved by `step` [N, 2]."""
        return self._replace(shift=self.shift + (self.linear * step[:, None, :]).sum(2))


def inverse_map(
    draws: Draws, p: Array, config: AugmentConfig, count: int, height: int, width: int
) -> Affine:
    """Where each place of the `count` results comes from in its image.

    Rotation may happen before and after the anisotropic scaling, each with
    probability 1 - sqrt(1 - p), so that either happens with probability p.
    """
    size = jnp.array([[width, height]], jnp.float32)
    spin = 1 - jnp.sqrt(jnp.clip(1 - config.rotate * p, 0, 1))
    identity = jnp.broadcast_to(jnp.eye(2, dtype=jnp.float32), (count, 2, 2))
    place = Affine(identity, jnp.zeros((count, 2), jnp.float32))
    if config.xflip > 0:
        sides = jnp.floor(2 * draws["xflip"].value)
        flip = 1 - 2 * chosen(draws["xflip"], config.xflip * p, sides)
        place = place.after_linear(_stretch(flip, jnp.ones_like(flip)))
    if config.rotate90 > 0:
        turns = jnp.floor(4 * draws["rotate90"].value)
        turns = chosen(draws["rotate90"], config.rotate90 * p, turns)
        place = place.after_linear(_rotation(turns * (math.pi / 2)))
    if config.xint > 0:
        shift = (2 * draws["xint"].value - 1) * config.xint_max
        shift = chosen(draws["xint"], config.xint * p, shift)
        place = place.after_shift(-jnp.round(shift * size))
    if config.scale > 0:
        scale = jnp.exp2(draws["scale"].value * config.scale_std)
        scale = 1 / chosen(draws["scale"], config.scale * p, scale, 1.0)
        place = place.after_linear(_stretch(scale, scale))
    if config.rotate > 0:
        place = place.after_linear(_random_rotation(draws, "rotate_pre", spin, config))
    if config.aniso > 0:
        scale = jnp.exp2(draws["aniso"].value * config.aniso_std)
        scale = chosen(draws["aniso"], config.aniso * p, scale, 1.0)
        place = place.after_linear(_stretch(1 / scale, scale))
    if config.rotate > 0:
        place = place.after_linear(_random_rotation(draws, "rotate_post", spin, config))
    if config.xfrac > 0:
        shift = draws["xfrac"].value * config.xfrac_std
        place = place.after_shift(-chosen(draws["xfrac"], config.xfrac * p, shift) * size)
    return place


def margins_of(inverse: Affine, height: int, width: int) -> Array:
    """Pixels by which the images are continued: int32 [[left, top], [right, bottom]].

    They cover what the corners of any result of the batch map to, and twice the
    reach of the filter, but never more than the size of the image minus one.
    """
    size = jnp.array([[width, height]], jnp.float32)
    corner = (size - 1) / 2
    half = (jnp.abs(inverse.linear) * corner[:, None, :]).sum(2)  # [N, 2] of a bounding box
    far = jnp.stack([half - inverse.shift, half + inverse.shift])  # [2, N, 2]
    needed = far.max(1) + 2 * _REACH - corner
    return jnp.ceil(jnp.clip(needed, 0, size - 1)).astype(jnp.int32)


def warp(images: Array, inverse: Affine, margins: Array) -> Array:
    """Images [N, H, W, C] resampled at the places that `inverse` names; zero beyond `margins`."""
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
    return _along(_H, _along(_W, warped, _halved), _halved)


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
        ((jnp.arange(2 * n + 4 * _REACH - 2) + (2 - n)).astype(jnp.float32) / 2 - _REACH)
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


def _random_rotation(draws: Draws, name: str, p: Array, config: AugmentConfig) -> Array:
    angle = (2 * draws[name].value - 1) * (math.pi * config.rotate_max)
    return _rotation(chosen(draws[name], p, angle))


def _rotation(angle: Array) -> Array:
    """[N] radians to [N, 2, 2]."""
    cos, sin = jnp.cos(angle), jnp.sin(angle)
    return jnp.stack([cos, -sin, sin, cos], axis=1).reshape(-1, 2, 2)


def _stretch(x: Array, y: Array) -> Array:
    """Factors [N], [N] to [N, 2, 2]."""
    zero = jnp.zeros_like(x)
    return jnp.stack([x, zero, zero, y], axis=1).reshape(-1, 2, 2)


def _filter(axis: int) -> tuple[np.ndarray, tuple[int, int]]:
    """The low-pass filter along one axis, and factors (x, y) of 2 along that axis."""
    taps = setup_filter(SYM6)
    return (taps[None, :], (2, 1)) if axis == _W else (taps[:, None], (1, 2))
