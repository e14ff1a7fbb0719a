"""Brightness, contrast, luma flip, hue and saturation as one matrix on the pixels.

All five act on the grey axis and on the plane of colours around it apart: grey
is shifted, scaled and perhaps negated; colours are scaled and turned (Karras et
al. 2020, appendix B.2). An image of one channel has the grey axis alone; of four
channels the last, opacity, takes no part.
"""

import math

import jax.numpy as jnp
import numpy as np

from aligned_jax.augment.draws import Draws, chosen
from aligned_jax.augment.options import AugmentConfig
from aligned_jax.types import Array

# Projection on the grey axis; on the plane of colours; a quarter turn in that plane.
_GREY = np.full((3, 3), 1 / 3, np.float32)
_PLANE = np.eye(3, dtype=np.float32) - _GREY
_TURN = np.array([[0, -1, 1], [1, 0, -1], [-1, 1, 0]], np.float32) / np.float32(math.sqrt(3))


def change_colors(images: Array, draws: Draws, p: Array, config: AugmentConfig) -> Array:
    """Images [N, H, W, 1, 3 or 4] after the enabled color transforms; not clipped.

    The fourth channel, opacity, is no colour and stays as it is.
    """
    if images.shape[-1] == 4:
        colors = change_colors(images[..., :3], draws, p, config)
        return jnp.concatenate([colors, images[..., 3:]], axis=-1)
    ones = jnp.ones(images.shape[0], jnp.float32)
    offset, contrast, sign = 0 * ones, ones, ones
    if config.brightness > 0:
        shift = draws["brightness"].value * config.brightness_std
        offset = chosen(draws["brightness"], config.brightness * p, shift)
    if config.contrast > 0:
        factor = jnp.exp2(draws["contrast"].value * config.contrast_std)
        contrast = chosen(draws["contrast"], config.contrast * p, factor, 1.0)
    if config.lumaflip > 0:
        flip = jnp.floor(2 * draws["lumaflip"].value)
        sign = 1 - 2 * chosen(draws["lumaflip"], config.lumaflip * p, flip)
    grey = _column(contrast * sign)  # [N, 1, 1, 1]
    if images.shape[-1] == 1:
        return (images + _column(offset)) * grey
    chroma, angle = contrast, 0 * ones
    if config.hue > 0:
        turn = (2 * draws["hue"].value - 1) * (math.pi * config.hue_max)
        angle = chosen(draws["hue"], config.hue * p, turn)
    if config.saturation > 0:
        factor = jnp.exp2(draws["saturation"].value * config.saturation_std)
        chroma = chroma * chosen(draws["saturation"], config.saturation * p, factor, 1.0)
    along, around = _column(chroma * jnp.cos(angle)), _column(chroma * jnp.sin(angle))
    matrix = grey * _GREY[None, None] + along * _PLANE[None, None] + around * _TURN[None, None]
    # Three products by hand, [N, 1, 1, 3] each: exact float32, and fused on every device.
    mixed = sum(images[..., i : i + 1] * matrix[:, :, None, :, i] for i in range(3))
    return mixed + grey * _column(offset)


def _column(values: Array) -> Array:
    return values[:, None, None, None]
