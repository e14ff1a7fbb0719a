"""Named starting points of a run's config: the official ones, and two for small machines.

What depends on the data (resolution, channels, labels), on the batch or on the
devices is settled when the preset is asked for its config.
"""

import dataclasses
from dataclasses import dataclass

from aligned_jax.augment.options import AdaConfig, preset
from aligned_jax.config import (
    DiscriminatorConfig,
    EpilogueConfig,
    GeneratorConfig,
    MappingConfig,
    SynthesisConfig,
)
from aligned_jax.data.options import DataOptions
from aligned_jax.errors import ConfigError
from aligned_jax.runs.config import TrainConfig
from aligned_jax.training.options import AdamOptions, GanOptions


@dataclass(frozen=True)
class Preset:
    """One line of the table; None means a value that depends on resolution and devices.

    The official presets mark four resolutions for half precision and clamp
    activations at 256 there.
    """

    says: str
    batch: int | None
    group: int | None  # of the minibatch standard deviation
    channel_base: int | None
    learning_rate: float | None
    r1_gamma: float | None
    ema_kimg: float | None
    mapping_layers: int
    channel_max: int = 512
    latent: int = 512  # width of z and w
    half_resolutions: int = 4
    conv_clamp: float | None = 256.0
    augment: str = "bgc"
    kimg: int = 25000
    ema_rampup: float | None = None
    share: int | None = None  # images that a device works on at a time; None is all it has


# StyleGAN2-ADA's table of configurations; batch sizes are of all devices together.
PRESETS = {
    "auto": Preset(
        "sizes and strengths from the resolution and the number of devices",
        None, None, None, None, None, None, 2, ema_rampup=0.05,
    ),
    "stylegan2": Preset("config F of StyleGAN2", 32, 4, 32768, 0.002, 10.0, 10.0, 8, share=4),
    "paper256": Preset("StyleGAN2-ADA at 256 pixels", 64, 8, 16384, 0.0025, 1.0, 20.0, 8, share=8),
    "paper512": Preset("StyleGAN2-ADA at 512 pixels", 64, 8, 32768, 0.0025, 0.5, 20.0, 8, share=8),
    "paper1024": Preset("StyleGAN2-ADA at 1024 pixels", 32, 4, 32768, 0.002, 2.0, 10.0, 8, share=4),
    "tiny32": Preset(
        "few channels, for 32 pixels on a laptop",
        16, 4, 1024, 0.0025, 0.1, 5.0, 2, 64, 64, 0, None, "none", 300, 0.05,
    ),
    "tiny64": Preset(
        "few channels, for 64 pixels on a laptop",
        16, 4, 1024, 0.0025, 0.2, 5.0, 2, 64, 64, 0, None, "none", 300, 0.05,
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Sizes:
    """What the data decide."""

    resolution: int
    channels: int = 3
    c_dim: int = 0


def config_of(
    name: str,
    data: DataOptions,
    sizes: Sizes,
    batch: int | None = None,
    augment: str | None = None,
    devices: int = 1,
) -> TrainConfig:
    """The config of a run from scratch.

    Args:
      name: of the preset.
      data, sizes: what is trained on.
      batch: images in a batch; None takes the preset's. As in the official table the
        strengths of `auto` are those of its own batch, whatever this one is.
      augment: a name from `aligned_jax.augment.options.PRESETS`; "none" switches
        augmentation off, None takes the preset's.
      devices: that share a batch, over all hosts; `auto` gives each its part, and the
        official presets make of it as many rounds as fit the memory of a device.

    Raises:
      ConfigError: if the name is unknown or the sizes make no network.
    """
    chosen = find(name)
    r = sizes.resolution
    own = chosen.batch or max(min(devices * min(4096 // r, 32), 64), devices)
    batch = batch or own
    group = chosen.group or max(min(batch // devices, 4), 1)
    if batch % group:
        raise ConfigError(
            f"a batch of {batch} is not made of groups of {group}, which the minibatch standard "
            f"deviation of preset {name} takes; use a multiple"
        )
    base = chosen.channel_base or (32768 if r >= 512 else 16384)
    adam = AdamOptions(chosen.learning_rate or (0.002 if r >= 1024 else 0.0025))
    generator = GeneratorConfig(
        r,
        z_dim=chosen.latent,
        w_dim=chosen.latent,
        c_dim=sizes.c_dim,
        img_channels=sizes.channels,
        mapping=MappingConfig(num_layers=chosen.mapping_layers),
        synthesis=SynthesisConfig(
            channel_base=base,
            channel_max=chosen.channel_max,
            conv_clamp=chosen.conv_clamp,
            num_fp16_res=chosen.half_resolutions,
        ),
    )
    discriminator = DiscriminatorConfig(
        r,
        c_dim=sizes.c_dim,
        img_channels=sizes.channels,
        channel_base=base,
        channel_max=chosen.channel_max,
        conv_clamp=chosen.conv_clamp,
        num_fp16_res=chosen.half_resolutions,
        epilogue=EpilogueConfig(mbstd_group_size=group),
    )
    gan = GanOptions(
        batch,
        rounds(batch, devices, chosen.share),
        g_adam=adam,
        d_adam=adam,
        r1_gamma=chosen.r1_gamma or 0.0002 * r**2 / own,
        ema_kimg=chosen.ema_kimg or own * 10 / 32,
        ema_rampup=chosen.ema_rampup,
    )
    augment = augment or chosen.augment
    return TrainConfig(
        data=data,
        generator=generator,
        discriminator=discriminator,
        gan=gan,
        augment=preset("bgc" if augment == "none" else augment),
        ada=AdaConfig(mode="none" if augment == "none" else "ada"),
        kimg=chosen.kimg,
    )


def rounds(batch: int, devices: int, share: int | None) -> int:
    """In how many equal parts a device works on its images, so that a part is at most `share`."""
    rows, rest = divmod(batch, devices)
    if share is None or rest:  # what cannot be dealt at all is told when the step is made
        return 1
    return next(n for n in range(1, rows + 1) if rows % n == 0 and rows // n <= share)


def fine_tuning(config: TrainConfig, kimg: int | None = None) -> TrainConfig:
    """The same with what a start from trained weights changes (StyleGAN2-ADA).

    The average has its full length at once, augmentation may grow five times as
    fast, and a run needs fewer images: `kimg` thousand, if given.
    """
    return dataclasses.replace(
        config,
        kimg=kimg or (1000 if config.kimg > 1000 else 100),
        gan=dataclasses.replace(config.gan, ema_rampup=None),
        ada=dataclasses.replace(config.ada, kimg=100.0),
    )


def find(name: str) -> Preset:
    """The preset of this name; ConfigError names all if there is none."""
    if name not in PRESETS:
        raise ConfigError(f"there is no preset {name!r}; presets are {', '.join(PRESETS)}")
    return PRESETS[name]
