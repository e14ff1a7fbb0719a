"""Everything that decides the training of an encoder, in one frozen, JSON-able object."""

import dataclasses
from dataclasses import dataclass, field
from typing import ClassVar

from aligned_jax.config import EncoderConfig, GeneratorConfig
from aligned_jax.config.encoder import IR_SE50, RESOLUTIONS, SLIM
from aligned_jax.data.options import DataOptions
from aligned_jax.errors import ConfigError, UserError
from aligned_jax.runs.config import RunConfig, SnapshotOptions
from aligned_jax.training.encoder_options import EncoderOptions

PIXELS = "pixel_rmse"
METRICS = (PIXELS, "lpips_alex", "lpips_vgg")
BACKBONES = {"irse50": IR_SE50, "slim": SLIM}
KIMG, BATCH = 1600, 8  # as published: 200,000 iterations
_LARGEST = 256  # images are reduced to this before they are encoded (pSp, section 3)
_SCORED = 64  # images, so that scores cost little beside a tick
# Parts of a run after which e4e's first delta begins, and each further one.
_FIRST, _NEXT = 10, 100


@dataclass(frozen=True)
class EncoderRun(RunConfig):
    """A run: the same config on the same data gives the same encoder.

    Attributes:
      data, fingerprint: what is trained on, and a hash of its content.
      start, start_sha256: the NETWORK whose latents are to be found, and the
        fingerprint of its numbers.
      generator, encoder: sizes.
      losses: losses, schedule and optimisers.
      backbone: whether the backbone starts with the weights of ArcFace.
      snapshots: what is written, with the scores `pixel_rmse`, `lpips_alex` and
        `lpips_vgg` of images that are not trained on.
      kimg: length, in thousands of images shown.
      seed: of the encoder, the order of the data, and every draw.
    """

    kind: ClassVar[str] = "encoder run"
    data: DataOptions
    start: str
    start_sha256: str
    generator: GeneratorConfig
    encoder: EncoderConfig
    losses: EncoderOptions
    backbone: bool = False
    snapshots: SnapshotOptions = field(default_factory=SnapshotOptions)
    kimg: int = 1600
    seed: int = 0
    fingerprint: str = ""

    def __post_init__(self) -> None:
        wrong = self.mistakes()
        if unknown := [name for name in metric_names(self) if name not in METRICS]:
            wrong.append(
                f"snapshots.metrics has {', '.join(unknown)}; scores of encoders are "
                f"{', '.join(METRICS)}"
            )
        if wrong:
            raise ConfigError("; ".join(wrong))

    @property
    def batch_size(self) -> int:
        """Images in a batch, over all devices and hosts."""
        return self.losses.batch_size


def metric_names(config: EncoderRun) -> tuple[str, ...]:
    """Names of the scores that `snapshots.metrics` asks for, each once."""
    names = (name.strip() for name in config.snapshots.metrics.split(","))
    return tuple(dict.fromkeys(name for name in names if name))


def encoder_sizes(
    network: str,
    generator: GeneratorConfig,
    space: str = "w+",
    plain_rows: bool = False,
    backbone: str | None = None,
) -> EncoderConfig:
    """The encoder of a generator.

    Args:
      network: what the generator was loaded from, for messages.
      generator: its config.
      space: of the latents.
      plain_rows: rows of w+ each by itself (pSp), not e4e's differences to the first.
      backbone: a name in `BACKBONES`; None takes irse50 from 256 pixels on.

    Raises:
      UserError: if the generator is too small, or the space has no rows.
    """
    size = generator.img_resolution
    if size < RESOLUTIONS[0]:
        raise UserError(f"{network} draws {size} pixels; encoders begin at {RESOLUTIONS[0]} pixels")
    if plain_rows and space != "w+":
        raise UserError(f"`plain_rows` is about w+; `space` is {space}")
    return EncoderConfig(
        min(size, _LARGEST),
        space,
        generator.num_ws,
        generator.z_dim if space.startswith("z") else generator.w_dim,
        deltas=space == "w+" and not plain_rows,
        img_channels=generator.img_channels,
        stages=BACKBONES[backbone or ("irse50" if size >= _LARGEST else "slim")],
    )


def encoder_losses(encoder: EncoderConfig, kimg: int, batch: int) -> EncoderOptions:
    """The published losses, e4e's schedule in proportion to the run; no identity loss."""
    if not encoder.deltas:
        return EncoderOptions(
            batch, identity=0.0, delta_norm=0.0, adversarial=0.0, progressive_start=None
        )
    iterations = -(-kimg * 1000 // batch)
    return EncoderOptions(
        batch,
        identity=0.0,
        progressive_start=iterations // _FIRST,
        progressive_every=max(iterations // _NEXT, 1),
    )


def encoder_snapshots(losses: EncoderOptions) -> SnapshotOptions:
    """What is written, with scores that need no other networks than the losses."""
    return SnapshotOptions(metrics=_metrics_of(losses), metric_images=_SCORED)


def fill_defaults(config: EncoderRun, planned: EncoderRun) -> EncoderRun:
    """The config without what was planned for losses that its overrides leave out."""
    losses, snapshots = config.losses, config.snapshots
    if losses.progressive_start is None and (
        losses.progressive_every == planned.losses.progressive_every
    ):
        every = type(losses).progressive_every
        losses = dataclasses.replace(losses, progressive_every=every)
    if snapshots.metrics == planned.snapshots.metrics:
        snapshots = dataclasses.replace(snapshots, metrics=_metrics_of(losses))
    return dataclasses.replace(config, losses=losses, snapshots=snapshots)


def _metrics_of(losses: EncoderOptions) -> str:
    return f"{PIXELS},lpips_{losses.lpips_net}" if losses.lpips else PIXELS
