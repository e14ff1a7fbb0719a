"""The whole augmentation pipeline of StyleGAN2-ADA: draws and images in, images out."""

from collections.abc import Sequence

import jax.numpy as jnp

from aligned_jax.augment.color import change_colors
from aligned_jax.augment.draws import Draws
from aligned_jax.augment.filters import BAND_REACH, add_noise, cut_out, filter_bands
from aligned_jax.augment.geometry import inverse_map, margins_of
from aligned_jax.augment.options import BLIT, COLOR, GEOM, AugmentConfig
from aligned_jax.augment.warp import dispatch
from aligned_jax.errors import ConfigError
from aligned_jax.types import Array


def apply(
    images: Array,
    draws: Draws,
    p: Array | float,
    config: AugmentConfig,
    margins: Array | None = None,
) -> Array:
    """Augments images; linear in them but for brightness and noise, differentiable twice.

    As soon as one geometric transform is enabled every sample passes through
    the filters of the warp, so an untouched sample comes back within rounding
    only, and a mirrored one is not exactly the mirrored array. Of four channels, all are
    moved, filtered, given noise and cut out alike; colours are the first three.

    Args:
      images: float32 [N, H, W, C], nominally in [-1, 1].
      draws: random numbers from `draw` (or recorded ones) for the N samples.
      p: overall probability, a scalar >= 0; it may exceed 1.
      config: transforms and strengths; static under jit.
      margins: how far the warp sees the images continued, from `margins`. By
        default as far as this batch needs. Give those of the global batch
        where a batch is split over devices and the result must not depend on that.

    Returns:
      float32 [N, H, W, C], not clipped.

    Raises:
      ConfigError: as `check_images`.
    """
    check_images(config, images.shape[1:])
    p = jnp.asarray(p, jnp.float32)
    if config.uses(BLIT + GEOM):
        count, height, width, _ = images.shape
        inverse = inverse_map(draws, p, config, count, height, width)
        margins = margins_of(inverse, height, width) if margins is None else margins
        images = dispatch.warp(images, inverse, margins)
    if config.uses(COLOR):
        images = change_colors(images, draws, p, config)
    if config.imgfilter > 0:
        images = filter_bands(images, draws, p, config)
    if config.noise > 0:
        images = add_noise(images, draws, p, config)
    if config.cutout > 0:
        images = cut_out(images, draws, p, config)
    return images


def margins(
    draws: Draws, p: Array | float, config: AugmentConfig, image_shape: Sequence[int]
) -> Array | None:
    """What `apply` takes as `margins`: int32 [2, 2], or None without geometric transforms.

    Cheap: a device may draw the numbers of the whole global batch (compiled,
    no noise field is made) and so know the margins without communication.
    `image_shape` is (H, W, C).
    """
    if not config.uses(BLIT + GEOM):
        return None
    height, width, _ = image_shape
    count = next(iter(draws.values())).gate.shape[0]
    p = jnp.asarray(p, jnp.float32)
    return margins_of(inverse_map(draws, p, config, count, height, width), height, width)


def notices(config: AugmentConfig, image_shape: Sequence[int], rows: int) -> list[str]:
    """What to bear in mind, in sentences, where `rows` images (H, W, C) are augmented at a time."""
    return dispatch.notice(image_shape, rows) if config.uses(BLIT + GEOM) else []


def check_images(config: AugmentConfig, image_shape: Sequence[int]) -> None:
    """Raises ConfigError, naming every conflict, where `config` does not suit (H, W, C)."""
    height, width, channels = image_shape
    problems = []
    if config.uses(COLOR) and channels not in (1, 3, 4):
        names = ", ".join(name for name in COLOR if name in config.enabled)
        problems.append(f"{names} need 1, 3 or 4 channels, the images have {channels}")
    if config.imgfilter > 0 and min(height, width) <= BAND_REACH:
        problems.append(
            f"imgfilter needs images of more than {BAND_REACH} pixels, these have {height}x{width}"
        )
    if problems:
        raise ConfigError(f"augmentation: {'; '.join(problems)}; disable it or change the images")
