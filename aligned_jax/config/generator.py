"""Sizes and options of a generator; every size is derived here."""

import math
from dataclasses import dataclass, field

from aligned_jax.config.checks import (
    DEFAULT_FILTER,
    MAX_LABELS,
    MAX_MAPPING_LAYERS,
    MAX_WIDTH,
    Filter,
    block_resolutions,
    channel_table,
    check_activation,
    check_architecture,
    check_filter,
    check_ranges,
    check_resolution,
    check_sizes,
    half_precision_resolutions,
    require,
)


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
        check_activation("mapping.activation", self.activation)
        ranges = {
            "num_layers": (0, MAX_MAPPING_LAYERS),
            "embed_features": (1, MAX_WIDTH),
            "layer_features": (1, MAX_WIDTH),
            "w_avg_beta": (0, 1),
        }
        check_ranges(self, ranges, "mapping.")
        require(
            0 < self.lr_multiplier < math.inf,
            f"mapping.lr_multiplier is {self.lr_multiplier}; it must be positive",
        )


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
        check_architecture("synthesis.architecture", self.architecture)
        check_activation("synthesis.activation", self.activation)
        check_filter("synthesis.resample_filter", self.resample_filter)
        check_sizes(self, "synthesis.")


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
        check_resolution(self.img_resolution)
        ranges = {
            "z_dim": (0, MAX_WIDTH),
            "c_dim": (0, MAX_LABELS),
            "w_dim": (1, MAX_WIDTH),
            "img_channels": (1, MAX_WIDTH),
        }
        check_ranges(self, ranges)
        require(
            self.z_dim + self.c_dim > 0, "z_dim and c_dim are both 0; a generator needs an input"
        )
        require(self.mapping.num_layers >= 1, "a generator's mapping needs at least one layer")
        channel_table(self.img_resolution, self.synthesis)

    @property
    def resolutions(self) -> tuple[int, ...]:
        """Block resolutions in order of evaluation: 4, 8, ..., img_resolution."""
        return block_resolutions(self.img_resolution)

    @property
    def num_ws(self) -> int:
        """Rows L of W+: 2 * log2(img_resolution) - 2."""
        return 2 * int(math.log2(self.img_resolution)) - 2

    @property
    def channels(self) -> dict[int, int]:
        """Feature channels of each block, by resolution."""
        return channel_table(self.img_resolution, self.synthesis)

    @property
    def half_resolutions(self) -> tuple[int, ...]:
        """Block resolutions that may run in half precision; never 4."""
        return half_precision_resolutions(self.img_resolution, self.synthesis.num_fp16_res)

    def has_torgb(self, resolution: int) -> bool:
        """Whether the block at `resolution` has an image layer."""
        return self.synthesis.architecture == "skip" or resolution == self.img_resolution
