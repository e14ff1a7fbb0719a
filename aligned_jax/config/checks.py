"""What the configs of networks check, and the tables that they derive."""

import math
from typing import Any

from aligned_jax.errors import ConfigError

ACTIVATIONS = ("linear", "relu", "lrelu", "tanh", "sigmoid", "elu", "selu", "softplus", "swish")
ARCHITECTURES = ("orig", "skip", "resnet")
MAX_RESOLUTION = 1024
MAX_MAPPING_LAYERS = 64

# One-dimensional taps, or rows of a two-dimensional kernel; () means no filter.
Filter = tuple[float, ...] | tuple[tuple[float, ...], ...]
DEFAULT_FILTER = (1.0, 3.0, 3.0, 1.0)


def block_resolutions(img_resolution: int) -> tuple[int, ...]:
    """Resolutions of all blocks, rising: 4, 8, ..., img_resolution."""
    return tuple(2**k for k in range(2, int(math.log2(img_resolution)) + 1))


def half_precision_resolutions(img_resolution: int, count: int) -> tuple[int, ...]:
    """The `count` highest block resolutions, without 4."""
    lowest = max(2 * img_resolution >> max(count, 0), 8)
    return tuple(r for r in block_resolutions(img_resolution) if r >= lowest)


def channel_table(img_resolution: int, sizes: Any) -> dict[int, int]:
    """Channels by resolution of what has `channels`, or `channel_base` and `channel_max`.

    Raises:
      ConfigError: if the list has another length, or a resolution would have no channels.
    """
    resolutions = block_resolutions(img_resolution)
    if sizes.channels is not None:
        require(
            len(sizes.channels) == len(resolutions),
            f"channels has {len(sizes.channels)} entries; resolution {img_resolution} needs "
            f"{len(resolutions)}, one for each of {', '.join(map(str, resolutions))}",
        )
        table = dict(zip(resolutions, sizes.channels, strict=True))
    else:
        table = {r: min(sizes.channel_base // r, sizes.channel_max) for r in resolutions}
    empty = [str(r) for r, count in table.items() if count < 1]
    require(
        not empty,
        f"no channels are left at resolution {', '.join(empty)} (channel_base "
        f"{sizes.channel_base}, channel_max {sizes.channel_max}); raise channel_base",
    )
    return table


def require(condition: bool, message: str) -> None:
    """Raises ConfigError with the message unless the condition holds."""
    if not condition:
        raise ConfigError(message)


def check_resolution(value: int) -> None:
    """Raises ConfigError unless it is a power of two from 8 to `MAX_RESOLUTION`."""
    powers = [2**k for k in range(3, int(math.log2(MAX_RESOLUTION)) + 1)]
    require(value in powers, f"img_resolution is {value}; it must be one of {powers}")


def check_activation(where: str, value: str) -> None:
    """Raises ConfigError unless there is such an activation."""
    require(
        value in ACTIVATIONS, f"{where} is {value!r}; it must be one of {', '.join(ACTIVATIONS)}"
    )


def check_architecture(where: str, value: str) -> None:
    """Raises ConfigError unless there is such an architecture."""
    options = ", ".join(ARCHITECTURES)
    require(value in ARCHITECTURES, f"{where} is {value!r}; it must be one of {options}")


def check_filter(where: str, taps: Filter) -> None:
    """Raises ConfigError unless the taps make a filter that can be normalised."""
    rows = [row if isinstance(row, tuple) else (row,) for row in taps]
    numbers = [number for row in rows for number in row]
    require(
        all(isinstance(n, int | float) and math.isfinite(n) for n in numbers)
        and len({len(row) for row in rows}) <= 1,
        f"{where} must be a tuple of numbers or of equally long rows",
    )
    require(not numbers or sum(numbers) != 0, f"{where} sums to zero and cannot be normalised")
