"""Adaptive discriminator augmentation: pure, jit-able, random numbers kept apart.

config = preset("bgc")
draws = draw(key, config, sample_index, images.shape[1:])
images = apply(images, draws, p, config)

Names load on first use, so that the options, which the command line needs for
its help, come without JAX.
"""

from aligned_jax.utils.lazy import exports

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

__getattr__, __dir__ = exports(__name__, _NAMES)
