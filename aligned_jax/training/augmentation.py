"""Augmentation as the training step's two hooks: images in, images out; signs in, p out."""

from collections.abc import Sequence

import jax.numpy as jnp

from aligned_jax.augment import (
    AdaConfig,
    AdaState,
    AugmentConfig,
    apply,
    check_images,
    draw,
    margins,
    update,
)
from aligned_jax.errors import ConfigError
from aligned_jax.training.terms import Adapt, Augment
from aligned_jax.types import Array


def hooks(
    augment: AugmentConfig, ada: AdaConfig, batch_size: int, image_shape: Sequence[int]
) -> tuple[Augment | None, Adapt | None]:
    """What `Recipe` takes as `augment` and `adapt`; (None, None) in mode "none".

    A run starts with `create_state(..., augment_p=ada.p)`. As in the official
    implementation p follows the signs that the discriminator gives real images
    in its main and its R1 phase, and moves after every `ada.interval` iterations.

    Args:
      augment: transforms and strengths.
      ada: where their probability comes from.
      batch_size: of all devices and hosts.
      image_shape: (H, W, C).

    Raises:
      ConfigError: if the transforms do not suit the images, or there are none
        though a probability is asked for.
    """
    if ada.mode == "none":
        return None, None
    if not augment.enabled:
        raise ConfigError(
            f"augmentation mode is {ada.mode!r}, but no transform is enabled; "
            "enable some (preset bgc) or choose mode none"
        )
    check_images(augment, image_shape)

    def augment_rows(images: Array, p: Array, key: Array, rows: Array, together: Array) -> Array:
        # How far the warp pads depends on the whole batch (and moves pixels by some 1e-5). Its
        # few numbers are drawn on every device, which is cheaper than asking the others.
        shape = images.shape[1:]
        needed = margins(draw(key, augment, together, shape), p, augment, shape)
        return apply(images, draw(key, augment, rows, shape), p, augment, needed)

    def adapt(p: Array, signs: Array, step: Array) -> tuple[Array, Array]:
        state = update(AdaState(p, signs[0], signs[1]), ada, step, batch_size)
        return state.p, jnp.stack([state.sign_sum, state.sign_count])

    return augment_rows, adapt
