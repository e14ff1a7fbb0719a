"""Sizes and options of a discriminator."""

from dataclasses import dataclass, field

from aligned_jax.config.checks import (
    DEFAULT_FILTER,
    MAX_LABELS,
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
from aligned_jax.config.generator import MappingConfig


@dataclass(frozen=True)
class EpilogueConfig:
    """The 4x4 end of a discriminator; a group size of None means the whole batch."""

    mbstd_group_size: int | None = 4
    mbstd_num_channels: int = 1
    activation: str = "lrelu"

    def __post_init__(self) -> None:
        check_activation("epilogue.activation", self.activation)
        ranges = {"mbstd_group_size": (1, 2**20), "mbstd_num_channels": (0, MAX_WIDTH)}
        check_ranges(self, ranges, "epilogue.")


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
        check_resolution(self.img_resolution)
        check_architecture("architecture", self.architecture)
        check_activation("activation", self.activation)
        check_filter("resample_filter", self.resample_filter)
        ranges = {
            "c_dim": (0, MAX_LABELS),
            "img_channels": (1, MAX_WIDTH),
            "cmap_dim": (1, MAX_WIDTH),
            "freeze_layers": (0, 1000),
        }
        check_ranges(self, ranges)
        check_sizes(self)
        embedded = self.mapping.embed_features or self.label_features
        require(
            self.c_dim == 0 or self.mapping.num_layers > 0 or embedded == self.label_features,
            f"mapping.embed_features is {embedded}; without mapping layers it must equal the "
            f"{self.label_features} label features (cmap_dim)",
        )
        table = channel_table(self.img_resolution, self)
        mbstd = self.epilogue.mbstd_num_channels
        require(
            mbstd == 0 or table[4] % mbstd == 0,
            f"mbstd_num_channels is {mbstd}; it must divide the {table[4]} channels at 4x4",
        )

    @property
    def resolutions(self) -> tuple[int, ...]:
        """Block resolutions in order of evaluation: img_resolution, ..., 8, 4."""
        return block_resolutions(self.img_resolution)[::-1]

    @property
    def channels_by_resolution(self) -> dict[int, int]:
        """Feature channels at the input of each block, by resolution."""
        return channel_table(self.img_resolution, self)

    @property
    def label_features(self) -> int:
        """Width of the mapped label that the output is projected on; 0 without labels."""
        if self.c_dim == 0:
            return 0
        return self.channels_by_resolution[4] if self.cmap_dim is None else self.cmap_dim

    @property
    def half_resolutions(self) -> tuple[int, ...]:
        """Block resolutions that may run in half precision; never 4."""
        return half_precision_resolutions(self.img_resolution, self.num_fp16_res)

    def has_fromrgb(self, resolution: int) -> bool:
        """Whether the block at `resolution` reads the image."""
        return self.architecture == "skip" or resolution == self.img_resolution
