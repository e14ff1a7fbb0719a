"""Everything that decides the training of an encoder, in one frozen, JSON-able object."""

from dataclasses import dataclass, field
from typing import ClassVar

from aligned_jax.config import EncoderConfig, GeneratorConfig
from aligned_jax.data.options import DataOptions
from aligned_jax.errors import ConfigError
from aligned_jax.runs.config import RunConfig, SnapshotOptions
from aligned_jax.training.encoder_options import EncoderOptions

PIXELS = "pixel_rmse"
METRICS = (PIXELS, "lpips_alex", "lpips_vgg")


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
