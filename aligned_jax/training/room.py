"""Whether R1, which takes the most memory of a training, has room on a TPU."""

import jax

from aligned_jax.config import DiscriminatorConfig
from aligned_jax.networks.layout import PLAIN, folded_layout
from aligned_jax.training.options import GanOptions

# Float32 maps of the largest size that the compiler keeps for R1 of an image: 14.5 GiB for eight
# of 1024 pixels, whose largest maps have a GiB (exact products, a v5e).
_MAPS = 14.5
_MUCH = 0.9  # of a device's memory
_TILE = 8  # images that lie in a tile together; fewer take as much


def notice(config: DiscriminatorConfig, options: GanOptions, devices: int) -> list[str]:
    """For people who train on a TPU: a sentence if R1 has little room, or none; else nothing.

    Args:
      config: of the discriminator; one that cannot be folded is not judged.
      options: batch and rounds.
      devices: that share the batch, over all hosts.
    """
    if jax.default_backend() != "tpu" or not options.r1_gamma or folded_layout(config) == PLAIN:
        return []
    given, each = _memory(), options.batch_size // devices
    rows = max(each // options.rounds, 1)
    needed = r1_bytes(config, rows)
    if given is None or needed <= _MUCH * given:
        return []
    fewer = [n for n in range(1, rows) if each % n == 0 and r1_bytes(config, n) <= given]
    advice = f"; `gan.rounds` of {each // fewer[-1]} make it {fewer[-1]} at a time" if fewer else ""
    verdict = "too much" if needed > given else "much beside networks and optimisers"
    size, gib = config.img_resolution, 2**30
    return [
        f"R1 of {rows} images of {size} px at a time takes some {needed / gib:.1f} GiB on a TPU, by "
        f"what its compiler counts: {verdict} for a device with {given / gib:.1f}{advice}"
    ]


def r1_bytes(config: DiscriminatorConfig, rows: int) -> float:
    """Bytes of R1's temporaries for so many images at a time on a TPU, roughly."""
    size = config.img_resolution
    tiles = -(-rows // _TILE) * _TILE
    return _MAPS * 4 * tiles * size**2 * config.channels_by_resolution[size]


def _memory() -> int | None:
    """Bytes that a device at hand has for programs; None if it does not say."""
    stats = jax.local_devices()[0].memory_stats()
    return None if stats is None else stats.get("bytes_limit")
