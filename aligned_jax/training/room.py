"""Whether R1 and path length, which take the most memory of a training, have room on a TPU.

Bytes are those that the compiler of TPUs counts for temporaries at 1024 pixels (a v5e, products
exact, generator and discriminator folded), in proportion to the largest maps. GiB by images at a
time: R1 13.2 (4) and 14.5 (8), through gathering augmentation 19.3 and 24.1; path length 11.6 (2)
and 15.3 (4).
"""

import jax

from aligned_jax.config import DiscriminatorConfig
from aligned_jax.networks.layout import PLAIN, folded_layout
from aligned_jax.training.options import GanOptions

_TILE = 8  # images that lie in a tile together; fewer take nearly as much
# Float32 maps of the largest size: for a tile of R1, for part of one, and for each image in it.
_TILE_MAPS, _PART_MAPS, _IMAGE_MAPS = 116, 96, 2.5
# The same for path length: for all, and for each image whose path is measured.
_PATH_MAPS, _PATH_IMAGE_MAPS = 62, 15
_GATHERED = 1.3 * 2**10  # bytes for each pixel that the augmentation gathers
_LEFT = 0.95  # of a device's memory, beside networks and optimisers


def notice(
    config: DiscriminatorConfig, options: GanOptions, devices: int, gathered: bool
) -> list[str]:
    """For people who train on a TPU: a sentence if regularisation probably has no room; else none.

    Args:
      config: of the discriminator; one that cannot be folded is not judged.
      options: batch and rounds.
      devices: that share the batch, over all hosts.
      gathered: whether the augmentation gathers pixels (`augment.notices`).
    """
    if jax.default_backend() != "tpu" or folded_layout(config) == PLAIN:
        return []
    given, each = _memory(), options.batch_size // devices
    if given is None:
        return []

    def needed(rows: int) -> float:
        return regularisation_bytes(config, options, rows, gathered)

    rows, least = max(each // options.rounds, 1), config.epilogue.mbstd_group_size or each
    if needed(rows) <= _LEFT * given:
        return []
    fewer = [n for n in range(least, rows, least) if each % n == 0 and needed(n) <= _LEFT * given]
    advice = f"; `gan.rounds` of {each // fewer[-1]} make it {fewer[-1]} at a time" if fewer else ""
    size, gib = config.img_resolution, 2**30
    return [
        f"regularisation of {rows} images of {size} px at a time takes some "
        f"{needed(rows) / gib:.1f} GiB on a TPU, by what its compiler counts: too much, beside "
        f"networks and optimisers, for a device with {given / gib:.1f}{advice}"
    ]


def regularisation_bytes(
    config: DiscriminatorConfig, options: GanOptions, rows: int, gathered: bool = False
) -> float:
    """Bytes of temporaries of R1 or path length, whichever are more; roughly.

    Args:
      config: of the discriminator.
      options: what is regularised.
      rows: images at a time.
      gathered: whether the augmentation gathers pixels.
    """
    pixels = config.img_resolution**2
    each = 4 * pixels * config.channels_by_resolution[config.img_resolution]
    tiles, rest = divmod(rows, _TILE)
    maps = _TILE_MAPS * tiles + (_PART_MAPS + _IMAGE_MAPS * rest if rest else 0)
    r1 = maps * each + gathered * _GATHERED * rows * pixels
    paths = (_PATH_MAPS + _PATH_IMAGE_MAPS * (rows // options.pl_batch_shrink)) * each
    return max(r1 if options.r1_gamma else 0, paths if options.pl_weight else 0)


def _memory() -> int | None:
    """Bytes that a device at hand has for programs; None if it does not say."""
    stats = jax.local_devices()[0].memory_stats()
    return None if stats is None else stats.get("bytes_limit")
