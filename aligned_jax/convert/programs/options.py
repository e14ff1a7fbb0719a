"""What a program takes and draws: latent space, truncation, noise."""

import math
from dataclasses import dataclass

from aligned_jax.config import GeneratorConfig
from aligned_jax.errors import UserError
from aligned_jax.latents import style_layers
from aligned_jax.latents.shapes import latent_shape

SUFFIXES = (".onnx", ".jaxexport")
SPACES = ("z", "w", "w+", "s")
NOISES = ("const", "none")
PSI = "psi"
STYLE = "styles/"  # what the names of style vectors begin with


@dataclass(frozen=True)
class ProgramOptions:
    """What a program takes and draws.

    Attributes:
      space: of its latents: "z", "w", "w+" or "s".
      psi: truncation that is built in. None makes it an input of programs of z whose network
        has a mean of w, and is none for the others.
      noise: "const", the stored maps, or "none".
      half: the numbers of the network are stored as float16; arithmetic is float32 either way.

    Raises:
      UserError: for values that cannot be, all at once.
    """

    space: str = "z"
    psi: float | None = None
    noise: str = "const"
    half: bool = False

    def __post_init__(self) -> None:
        wrong = []
        if self.space not in SPACES:
            wrong.append(f"`space` is {self.space!r:.40}; it is {', '.join(SPACES)}")
        elif self.psi is not None and self.space != "z":
            wrong.append(f"`psi` truncates what is mapped from z; leave it out for {self.space}")
        if self.psi is not None and not math.isfinite(self.psi):
            wrong.append(f"`psi` is {self.psi!r}; it must be a finite number")
        if self.noise not in NOISES:
            wrong.append(f"`noise` is {self.noise!r:.40}; it is {' or '.join(NOISES)}")
        if wrong:
            raise UserError("; ".join(wrong))

    def check(self, config: GeneratorConfig) -> None:
        """Raises UserError if a network of this kind cannot truncate as asked."""
        if self.psi not in (None, 1) and config.mapping.w_avg_beta is None:
            raise UserError("this network keeps no mean of w; leave out `psi`")

    def latents(self, config: GeneratorConfig) -> dict[str, tuple[int, ...]]:
        """Names of the inputs that have a row for each picture, with shapes without the N.

        "z" (none if the network draws from labels alone) and the labels "c" of conditional
        networks; or "w"; or "ws"; or "styles/b4.conv1" and so on, in order of evaluation.
        """
        if self.space == "z":
            widths = {"z": config.z_dim, "c": config.c_dim}
            return {name: (width,) for name, width in widths.items() if width}
        if self.space == "s":
            return {f"{STYLE}{layer.name}": (layer.channels,) for layer in style_layers(config)}
        return {"w" if self.space == "w" else "ws": latent_shape(config, self.space)}

    def takes_psi(self, config: GeneratorConfig) -> bool:
        """Whether the truncation is an input "psi", a single number."""
        has_mean = config.mapping.w_avg_beta is not None
        return self.space == "z" and self.psi is None and has_mean
