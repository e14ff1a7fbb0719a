"""Flips, turns, stretches and shifts as one inverse map, and how far it reaches.

Places are (x, y) in pixels from the centre of the image (Karras et al. 2020, appendix B.2).
The map is carried out by `aligned_jax.augment.warp`.
"""

import math
from typing import NamedTuple

import jax.numpy as jnp

from aligned_jax.augment.draws import Draws, chosen
from aligned_jax.augment.options import AugmentConfig
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
REACH = len(SYM6) // 4  # pixels of the image under half the filter


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
    needed = far.max(1) + 2 * REACH - corner
    return jnp.ceil(jnp.clip(needed, 0, size - 1)).astype(jnp.int32)


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
