"""What the configs of networks check, and the tables that they derive."""

import math
from collections.abc import Mapping
from typing import Any

from aligned_jax.errors import ConfigError

ACTIVATIONS = ("linear", "relu", "lrelu", "tanh", "sigmoid", "elu", "selu", "softplus", "swish")
ARCHITECTURES = ("orig", "skip", "resnet")
MAX_RESOLUTION = 1024
MAX_MAPPING_LAYERS = 64
# Far above any network that was ever trained; what is beyond comes from a damaged file.
MAX_WIDTH = 2**14
MAX_LABELS = 2**20
MAX_TAPS = 64

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


def check_ranges(config: Any, ranges: Mapping[str, tuple[float, float]], prefix: str = "") -> None:
    """Raises ConfigError naming every attribute outside its range; None is never outside.

    Args:
      config: whose attributes they are.
      ranges: lowest and highest value by attribute.
      prefix: of the names in messages, such as "mapping.".
    """
    values = {name: getattr(config, name) for name in ranges}
    wrong = [
        f"{prefix}{name} is {values[name]}; it must be {low} to {high}"
        for name, (low, high) in ranges.items()
        # A NaN is outside of all ranges.
        if values[name] is not None and not low <= values[name] <= high
    ]
    require(not wrong, "; ".join(wrong))


def check_sizes(sizes: Any, prefix: str = "") -> None:
    """Raises ConfigError for widths of layers, a clamp or a count of half precision out of range.

    Args:
      sizes: has `channels`, `channel_base`, `channel_max`, `conv_clamp`, `num_fp16_res`.
      prefix: of the names in messages.
    """
    ranges = {
        "channel_base": (1, MAX_WIDTH * MAX_RESOLUTION),
        "channel_max": (1, MAX_WIDTH),
        "num_fp16_res": (-64, 64),
    }
    check_ranges(sizes, ranges, prefix)
    large = [str(count) for count in sizes.channels or () if not count <= MAX_WIDTH]
    require(not large, f"{prefix}channels has {', '.join(large)}; a layer has at most {MAX_WIDTH}")
    clamp = sizes.conv_clamp
    require(
        clamp is None or 0 < clamp < math.inf,
        f"{prefix}conv_clamp is {clamp}; it must be a positive number, or None for no clamp",
    )


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
    require(
        max(len(rows), *(len(row) for row in rows), 0) <= MAX_TAPS,
        f"{where} has more than {MAX_TAPS} taps",
    )
    require(
        not numbers or (math.isfinite(sum(numbers)) and sum(numbers) != 0),
        f"{where} sums to zero and cannot be normalised",
    )
