"""Sizes of encoders; see `config`, which exports them."""

from dataclasses import dataclass

from aligned_jax.config.checks import MAX_WIDTH
from aligned_jax.errors import ConfigError, too_large, too_small

SPACES = ("z", "z+", "w", "w+")
RESOLUTIONS = (32, 64, 128, 256, 512, 1024)
# Channels and number of units of each stage: the published backbone, and one for small images.
IR_SE50 = ((64, 3), (128, 4), (256, 14), (512, 3))
_MAX_UNITS = 128  # of a stage; the deepest published backbone has 30
SLIM = ((32, 1), (64, 2), (128, 2), (128, 1))


@dataclass(frozen=True)
class EncoderConfig:
    """Sizes of an encoder, which finds latents of images (pSp, section 3; e4e, section 4).

    Attributes:
      img_resolution: side of the images that it takes.
      space: of its latents: "w", "z", "z+" or "w+".
      rows: rows L of Z+ and W+ of its generator.
      latent_dim: width of a latent.
      deltas: whether rows of W+ are the first one and differences to it (e4e); else
        each row has a head of its own for all of it (pSp).
      img_channels: of the images.
      stages: channels and number of units of each of the backbone's four stages. The
        last one's channels are also those of the pyramid and of the heads.

    Raises:
      ConfigError: naming everything that does not fit.
    """

    img_resolution: int
    space: str
    rows: int
    latent_dim: int = 512
    deltas: bool = False
    img_channels: int = 3
    stages: tuple[tuple[int, int], ...] = IR_SE50

    def __post_init__(self) -> None:
        wrong = []
        if self.img_resolution not in RESOLUTIONS:
            wrong.append(
                f"img_resolution is {self.img_resolution}; it must be one of "
                f"{', '.join(map(str, RESOLUTIONS))}"
            )
        if self.space not in SPACES:
            wrong.append(f"space is {self.space!r}; it must be one of {', '.join(SPACES)}")
        elif self.deltas and self.space != "w+":
            wrong.append(f"deltas are differences between rows of w+; {self.space} has none")
        wrong += too_small(self, {"rows": 4, "latent_dim": 1, "img_channels": 1})
        wrong += too_large(self, {"rows": 64, "latent_dim": MAX_WIDTH, "img_channels": MAX_WIDTH})
        pairs = [
            s
            for s in self.stages
            if isinstance(s, tuple)
            and len(s) == 2
            and min(s) > 0
            and s[0] <= MAX_WIDTH
            and s[1] <= _MAX_UNITS
        ]
        if len(pairs) != 4 or len(self.stages) != 4:
            wrong.append(
                f"stages are {self.stages!r:.200}; they must be four pairs of channels (at most "
                f"{MAX_WIDTH}) and units (at most {_MAX_UNITS})"
            )
        if wrong:
            raise ConfigError("; ".join(wrong))

    @property
    def has_rows(self) -> bool:
        """Whether there is a latent for each row."""
        return self.space in ("z+", "w+")

    @property
    def latent_shape(self) -> tuple[int, ...]:
        """Shape of one image's latent: [D], or [L, D] with rows."""
        return (self.rows, self.latent_dim) if self.has_rows else (self.latent_dim,)
