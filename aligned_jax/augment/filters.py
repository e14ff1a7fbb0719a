"""Corruptions of the image plane: band filter, noise, cutout."""

import functools

import jax.numpy as jnp
import numpy as np
from jax import lax

from aligned_jax.augment.draws import Draw, Draws, chosen
from aligned_jax.augment.options import AugmentConfig
from aligned_jax.types import Array

# Low-pass coefficients of the sym2 wavelet (Daubechies 1992).
SYM2 = (-0.12940952255092145, 0.22414386804185735, 0.836516303737469, 0.48296291314469025)
BAND_REACH = 21  # pixels on either side of the centre of a band filter
# Power of natural images in the four bands, low to high: a 1/f spectrum.
_POWER = (10 / 13, 1 / 13, 1 / 13, 1 / 13)


@functools.cache
def band_filters() -> np.ndarray:
    """Four symmetric filters float32 [4, 43] that add up to the identity, low to high.

    The squared sym2 wavelet splits off the upper half of the frequencies; its
    low-pass, stretched to 2 and 4 times its length, splits what is left.
    """
    low = np.array(SYM2)
    high = low * [1, -1, 1, -1]
    low, high = (np.convolve(taps, taps[::-1]) / 2 for taps in (low, high))
    bands, passed = [], np.ones(1)
    for spacing in (1, 2, 4):
        bands.append(np.convolve(passed, _stretched(high, spacing)))
        passed = np.convolve(passed, _stretched(low, spacing))
    bands.append(passed)
    sides = [(len(passed) - len(band)) // 2 for band in bands]
    padded = [np.pad(band, side) for band, side in zip(bands, sides, strict=True)]
    return np.stack(padded[::-1]).astype(np.float32)


def filter_bands(images: Array, draws: Draws, p: Array, config: AugmentConfig) -> Array:
    """Images [N, H, W, C] with random gains of four frequency bands; H, W > 21.

    The image is continued by reflection. After each band's gain, all are scaled
    so that an image of natural spectrum keeps its power.
    """
    value, gate, _ = draws["imgfilter"]
    gains = jnp.ones_like(value)  # [N, 4]
    for band, strength in enumerate(config.imgfilter_bands):
        factor = jnp.exp2(value[:, band] * config.imgfilter_std)
        probability = config.imgfilter * strength * p
        factor = chosen(Draw(factor, gate[:, band]), probability, factor, 1.0)
        power = 1 - _POWER[band] + _POWER[band] * jnp.square(factor)
        scale = lax.rsqrt(power)
        gains = (gains * scale[:, None]).at[:, band].multiply(factor)
    taps = (gains[:, :, None] * band_filters()[None]).sum(1)  # [N, 43]
    # As products with [size, size] matrices: a size at hand costs little more than the
    # 43 taps, and products, their gradients included, are fast on every device.
    rows, columns = (_reflecting_matrix(taps, size) for size in images.shape[1:3])
    images = jnp.einsum("nij,njwc->niwc", rows, images, precision=lax.Precision.HIGHEST)
    return jnp.einsum("nij,nhjc->nhic", columns, images, precision=lax.Precision.HIGHEST)


def add_noise(images: Array, draws: Draws, p: Array, config: AugmentConfig) -> Array:
    """Images [N, H, W, C] plus white noise of random amplitude."""
    amplitude = jnp.abs(draws["noise"].value) * config.noise_std
    amplitude = chosen(draws["noise"], config.noise * p, amplitude)
    return images + amplitude[:, None, None, None] * draws["noise"].field


def cut_out(images: Array, draws: Draws, p: Array, config: AugmentConfig) -> Array:
    """Images [N, H, W, C] with a rectangle around a random centre set to zero."""
    center = draws["cutout"].value  # [N, 2], (x, y) as fractions
    size = jnp.full(images.shape[0], config.cutout_size, jnp.float32)
    half = chosen(draws["cutout"], config.cutout * p, size)[:, None] / 2
    outside_y, outside_x = (
        jnp.abs(((jnp.arange(n, dtype=jnp.float32) + 0.5) / n)[None, :] - center[:, axis, None])
        >= half
        for axis, n in ((1, images.shape[1]), (0, images.shape[2]))
    )
    kept = outside_y[:, :, None] | outside_x[:, None, :]  # [N, H, W]
    return jnp.where(kept[..., None], images, jnp.float32(0))


def _stretched(taps: np.ndarray, spacing: int) -> np.ndarray:
    result = np.zeros((len(taps) - 1) * spacing + 1)
    result[::spacing] = taps
    return result


def _reflecting_matrix(taps: Array, size: int) -> Array:
    """[N, 43] taps to [N, size, size], correlation with reflection at both ends."""
    to, source = jnp.arange(size)[:, None], jnp.arange(size)[None, :]
    last = size - 1
    # A pixel is read in its own place and as its image in either mirror; the pixels on
    # the mirrors have no image.
    places = (
        (source - to, source >= 0),
        (-source - to, source > 0),
        (2 * last - source - to, source < last),
    )
    matrix = jnp.zeros((taps.shape[0], size, size), jnp.float32)
    for offset, valid in places:
        valid = valid & (jnp.abs(offset) <= BAND_REACH)
        tap = jnp.clip(offset + BAND_REACH, 0, 2 * BAND_REACH)
        matrix += jnp.where(valid[None], taps[:, tap], jnp.float32(0))
    return matrix
