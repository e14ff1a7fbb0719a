"""Adaptive discriminator augmentation: pure, jit-able, random numbers kept apart.

config = preset("bgc")
draws = draw(key, config, sample_index, images.shape[1:])
images = apply(images, draws, p, config)
"""

from aligned_jax.augment.ada import (
    AdaConfig,
    AdaState,
    init_state,
    observe,
    sign_statistics,
    update,
)
from aligned_jax.augment.draws import Draw, Draws, draw, percentile_draws
from aligned_jax.augment.options import PRESETS, TRANSFORMS, AugmentConfig, preset
from aligned_jax.augment.pipeline import apply, check_images, margins

__all__ = [
    "PRESETS",
    "TRANSFORMS",
    "AdaConfig",
    "AdaState",
    "AugmentConfig",
    "Draw",
    "Draws",
    "apply",
    "check_images",
    "draw",
    "init_state",
    "margins",
    "observe",
    "percentile_draws",
    "preset",
    "sign_statistics",
    "update",
]
