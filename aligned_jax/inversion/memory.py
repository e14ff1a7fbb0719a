"""How many images can be inverted at once."""

from aligned_jax.config import GeneratorConfig
from aligned_jax.inversion.options import Settings

# Bytes that a step holds for its gradient, per number in one map of each resolution of the
# generator, and in all maps of VGG-16: measured on XLA's CPU programs, and rounded up.
_GENERATOR, _FEATURES = 4 * 8, 4 * 10
# Numbers in VGG-16's maps per pixel of the image: its channels, fewer pixels counted in.
_PER_PIXEL = 270


def rows_that_fit(config: GeneratorConfig, settings: Settings, memory: float) -> int:
    """Images times restarts whose inversion with LPIPS-VGG takes `memory` bytes or less.

    At least 1, however small the memory is. An estimate: leave room.
    """
    maps = sum(size**2 * config.channels[size] for size in config.resolutions)
    side = min(config.img_resolution, settings.resolution)
    looks = 2 if config.img_channels == 4 else 1  # LPIPS sees RGBA over white and over black
    row = _GENERATOR * maps + looks * _FEATURES * _PER_PIXEL * side**2
    return max(1, int(memory // row))
