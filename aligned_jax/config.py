"""Frozen, JSON-able descriptions of networks; every size is derived here.

Field names and defaults follow the constructor arguments of the official
PyTorch release of StyleGAN2-ADA. Nothing in this module touches an array, so
importing it is free.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aligned_jax.encoder_config import EncoderConfig as EncoderConfig
from aligned_jax.errors import ConfigError
from aligned_jax.jsonable import from_dict as from_dict
from aligned_jax.jsonable import to_dict as to_dict

ACTIVATIONS = ("linear", "relu", "lrelu", "tanh", "sigmoid", "elu", "selu", "softplus", "swish")
ARCHITECTURES = ("orig", "skip", "resnet")
MAX_RESOLUTION = 1024
MAX_MAPPING_LAYERS = 64

# One-dimensional taps, or rows of a two-dimensional kernel; () means no filter.
Filter = tuple[float, ...] | tuple[tuple[float, ...], ...]
DEFAULT_FILTER = (1.0, 3.0, 3.0, 1.0)


@dataclass(frozen=True)
class MappingConfig:
    """Multi-layer perceptron from z and label to w.

    `embed_features` and `layer_features` of None mean the output width.
    `w_avg_beta` of None means that no running mean of w is kept (the
    discriminator's label mapping).
    """

    num_layers: int = 8
    embed_features: int | None = None
    layer_features: int | None = None
    activation: str = "lrelu"
    lr_multiplier: float = 0.01
    w_avg_beta: float | None = 0.995

    def __post_init__(self) -> None:
        _check_activation("mapping.activation", self.activation)
        _check(
            0 <= self.num_layers <= MAX_MAPPING_LAYERS,
            f"mapping.num_layers is {self.num_layers}; it must be 0 to {MAX_MAPPING_LAYERS}",
        )
        _check(
            math.isfinite(self.lr_multiplier) and self.lr_multiplier > 0,
            f"mapping.lr_multiplier is {self.lr_multiplier}; it must be positive",
        )
        for name in ("embed_features", "layer_features"):
            value = getattr(self, name)
            _check(value is None or value >= 1, f"mapping.{name} is {value}; it must be >= 1")


@dataclass(frozen=True)
class SynthesisConfig:
    """Image side of a generator.

    `channels` lists the width at 4, 8, ..., img_resolution and overrides
    `channel_base` and `channel_max` (files of the community port can have
    irregular tables). `num_fp16_res` counts the highest resolutions that run
    in half precision when half precision is asked for.
    """

    channel_base: int = 32768
    channel_max: int = 512
    channels: tuple[int, ...] | None = None
    architecture: str = "skip"
    resample_filter: Filter = DEFAULT_FILTER
    activation: str = "lrelu"
    conv_clamp: float | None = None
    use_noise: bool = True
    num_fp16_res: int = 0

    def __post_init__(self) -> None:
        _check_architecture("synthesis.architecture", self.architecture)
        _check_activation("synthesis.activation", self.activation)
        _check_filter("synthesis.resample_filter", self.resample_filter)


@dataclass(frozen=True)
class GeneratorConfig:
    """Sizes and options of a StyleGAN2 generator (mapping and synthesis).

    Raises ConfigError when the resolution is not a power of two in 8..1024 or
    a resolution would be left without channels.
    """

    img_resolution: int
    z_dim: int = 512
    c_dim: int = 0
    w_dim: int = 512
    img_channels: int = 3
    mapping: MappingConfig = field(default_factory=MappingConfig)
    synthesis: SynthesisConfig = field(default_factory=SynthesisConfig)

    def __post_init__(self) -> None:
        _check_resolution(self.img_resolution)
        _check(self.z_dim >= 0 and self.c_dim >= 0, "z_dim and c_dim must be >= 0")
        _check(
            self.z_dim + self.c_dim > 0, "z_dim and c_dim are both 0; a generator needs an input"
        )
        _check(self.w_dim >= 1 and self.img_channels >= 1, "w_dim and img_channels must be >= 1")
        _check(self.mapping.num_layers >= 1, "a generator's mapping needs at least one layer")
        _channel_table(self.img_resolution, self.synthesis)

    @property
    def resolutions(self) -> tuple[int, ...]:
        """Block resolutions in order of evaluation: 4, 8, ..., img_resolution."""
        return _resolutions(self.img_resolution)

    @property
    def num_ws(self) -> int:
        """Rows L of W+: 2 * log2(img_resolution) - 2."""
        return 2 * int(math.log2(self.img_resolution)) - 2

    @property
    def channels(self) -> dict[int, int]:
        """Feature channels of each block, by resolution."""
        return _channel_table(self.img_resolution, self.synthesis)

    @property
    def half_resolutions(self) -> tuple[int, ...]:
        """Block resolutions that may run in half precision; never 4."""
        return _half_resolutions(self.img_resolution, self.synthesis.num_fp16_res)

    def has_torgb(self, resolution: int) -> bool:
        """Whether the block at `resolution` has an image layer."""
        return self.synthesis.architecture == "skip" or resolution == self.img_resolution


@dataclass(frozen=True)
class EpilogueConfig:
    """The 4x4 end of a discriminator; a group size of None means the whole batch."""

    mbstd_group_size: int | None = 4
    mbstd_num_channels: int = 1
    activation: str = "lrelu"

    def __post_init__(self) -> None:
        _check_activation("epilogue.activation", self.activation)
        group = self.mbstd_group_size
        _check(
            group is None or group >= 1, f"epilogue.mbstd_group_size is {group}; it must be >= 1"
        )
        _check(self.mbstd_num_channels >= 0, "epilogue.mbstd_num_channels must be >= 0")


@dataclass(frozen=True)
class DiscriminatorConfig:
    """Sizes and options of a StyleGAN2 discriminator.

    `cmap_dim` of None means the width of the 4x4 features when there are
    labels, else 0. `freeze_layers` counts the layers that training leaves
    untouched, in the order fromrgb, conv0, conv1, skip, next block.
    """

    img_resolution: int
    c_dim: int = 0
    img_channels: int = 3
    architecture: str = "resnet"
    channel_base: int = 32768
    channel_max: int = 512
    channels: tuple[int, ...] | None = None
    num_fp16_res: int = 0
    conv_clamp: float | None = None
    cmap_dim: int | None = None
    activation: str = "lrelu"
    resample_filter: Filter = DEFAULT_FILTER
    freeze_layers: int = 0
    mapping: MappingConfig = field(default_factory=lambda: MappingConfig(w_avg_beta=None))
    epilogue: EpilogueConfig = field(default_factory=EpilogueConfig)

    def __post_init__(self) -> None:
        _check_resolution(self.img_resolution)
        _check_architecture("architecture", self.architecture)
        _check_activation("activation", self.activation)
        _check_filter("resample_filter", self.resample_filter)
        _check(self.c_dim >= 0, "c_dim must be >= 0")
        _check(self.img_channels >= 1, "img_channels must be >= 1")
        _check(
            self.cmap_dim is None or self.cmap_dim >= 1,
            f"cmap_dim is {self.cmap_dim}; it must be >= 1, or None for the width at 4x4",
        )
        embedded = self.mapping.embed_features or self.label_features
        _check(
            self.c_dim == 0 or self.mapping.num_layers > 0 or embedded == self.label_features,
            f"mapping.embed_features is {embedded}; without mapping layers it must equal the "
            f"{self.label_features} label features (cmap_dim)",
        )
        table = _channel_table(self.img_resolution, self)
        mbstd = self.epilogue.mbstd_num_channels
        _check(
            mbstd == 0 or table[4] % mbstd == 0,
            f"mbstd_num_channels is {mbstd}; it must divide the {table[4]} channels at 4x4",
        )

    @property
    def resolutions(self) -> tuple[int, ...]:
        """Block resolutions in order of evaluation: img_resolution, ..., 8, 4."""
        return _resolutions(self.img_resolution)[::-1]

    @property
    def channels_by_resolution(self) -> dict[int, int]:
        """Feature channels at the input of each block, by resolution."""
        return _channel_table(self.img_resolution, self)

    @property
    def label_features(self) -> int:
        """Width of the mapped label that the output is projected on; 0 without labels."""
        if self.c_dim == 0:
            return 0
        return self.channels_by_resolution[4] if self.cmap_dim is None else self.cmap_dim

    @property
    def half_resolutions(self) -> tuple[int, ...]:
        """Block resolutions that may run in half precision; never 4."""
        return _half_resolutions(self.img_resolution, self.num_fp16_res)

    def has_fromrgb(self, resolution: int) -> bool:
        """Whether the block at `resolution` reads the image."""
        return self.architecture == "skip" or resolution == self.img_resolution


NetworkConfig = GeneratorConfig | DiscriminatorConfig
AnyConfig = NetworkConfig | EncoderConfig

# The networks of a snapshot or checkpoint, the averaged generator first, and what each is.
KEYS = ("G_ema", "G", "D")
ENCODER = "E"
ALL_KEYS = (*KEYS, ENCODER)
KINDS: dict[str, type] = {
    "generator": GeneratorConfig,
    "discriminator": DiscriminatorConfig,
    "encoder": EncoderConfig,
}
_KIND_OF_KEY = {"G_ema": "generator", "G": "generator", "D": "discriminator", ENCODER: "encoder"}


def kind_of(config: AnyConfig) -> str:
    """ "generator", "discriminator" or "encoder"."""
    return next(name for name, cls in KINDS.items() if isinstance(config, cls))


def check_kinds(configs: Mapping[str, AnyConfig]) -> None:
    """Raises ConfigError naming every key that is unknown or holds the wrong kind of network."""
    known = ", ".join(_KIND_OF_KEY)
    wrong = [f"{key!r} is not one of {known}" for key in configs if key not in _KIND_OF_KEY]
    wrong += [
        f"{key} is {_article(kind_of(config))}"
        for key, config in configs.items()
        if key in _KIND_OF_KEY and kind_of(config) != _KIND_OF_KEY[key]
    ]
    if wrong or not configs:
        raise ConfigError(
            f"not a set of networks: {'; '.join(wrong) or 'it is empty'}; G_ema and G are "
            f"generators, D is a discriminator, {ENCODER} is an encoder"
        )


def _article(noun: str) -> str:
    return f"an {noun}" if noun[0] in "aeiou" else f"a {noun}"


def _resolutions(img_resolution: int) -> tuple[int, ...]:
    return tuple(2**k for k in range(2, int(math.log2(img_resolution)) + 1))


def _half_resolutions(img_resolution: int, count: int) -> tuple[int, ...]:
    lowest = max(2 * img_resolution >> max(count, 0), 8)
    return tuple(r for r in _resolutions(img_resolution) if r >= lowest)


def _channel_table(img_resolution: int, sizes: Any) -> dict[int, int]:
    resolutions = _resolutions(img_resolution)
    if sizes.channels is not None:
        _check(
            len(sizes.channels) == len(resolutions),
            f"channels has {len(sizes.channels)} entries; resolution {img_resolution} needs "
            f"{len(resolutions)}, one for each of {', '.join(map(str, resolutions))}",
        )
        table = dict(zip(resolutions, sizes.channels, strict=True))
    else:
        table = {r: min(sizes.channel_base // r, sizes.channel_max) for r in resolutions}
    empty = [str(r) for r, count in table.items() if count < 1]
    _check(
        not empty,
        f"no channels are left at resolution {', '.join(empty)} (channel_base "
        f"{sizes.channel_base}, channel_max {sizes.channel_max}); raise channel_base",
    )
    return table


def _check(condition: bool, message: str) -> None:
    if not condition:
        raise ConfigError(message)


def _check_resolution(value: int) -> None:
    powers = [2**k for k in range(3, int(math.log2(MAX_RESOLUTION)) + 1)]
    _check(value in powers, f"img_resolution is {value}; it must be one of {powers}")


def _check_activation(where: str, value: str) -> None:
    _check(
        value in ACTIVATIONS, f"{where} is {value!r}; it must be one of {', '.join(ACTIVATIONS)}"
    )


def _check_architecture(where: str, value: str) -> None:
    options = ", ".join(ARCHITECTURES)
    _check(value in ARCHITECTURES, f"{where} is {value!r}; it must be one of {options}")


def _check_filter(where: str, taps: Filter) -> None:
    rows = [row if isinstance(row, tuple) else (row,) for row in taps]
    numbers = [number for row in rows for number in row]
    _check(
        all(isinstance(n, int | float) and math.isfinite(n) for n in numbers)
        and len({len(row) for row in rows}) <= 1,
        f"{where} must be a tuple of numbers or of equally long rows",
    )
    _check(not numbers or sum(numbers) != 0, f"{where} sums to zero and cannot be normalised")
