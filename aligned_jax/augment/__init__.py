"""Adaptive discriminator augmentation: pure, jit-able, random numbers kept apart.

config = preset("bgc")
draws = draw(key, config, sample_index, images.shape[1:])
images = apply(images, draws, p, config)

Names load on first use, so that the options, which the command line needs for
its help, come without JAX.
"""

import importlib
from typing import Any

_NAMES = {
    "PRESETS": "options",
    "TRANSFORMS": "options",
    "AdaConfig": "options",
    "AdaState": "ada",
    "AugmentConfig": "options",
    "Draw": "draws",
    "Draws": "draws",
    "apply": "pipeline",
    "check_images": "pipeline",
    "draw": "draws",
    "init_state": "ada",
    "margins": "pipeline",
    "percentile_draws": "draws",
    "preset": "options",
    "update": "ada",
}
__all__ = sorted(_NAMES)


def __getattr__(name: str) -> Any:
    if name not in _NAMES:
        raise AttributeError(f"module 'aligned_jax.augment' has no attribute {name!r}")
    return getattr(importlib.import_module(f"aligned_jax.augment.{_NAMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_NAMES})
