"""Settings of an inversion by optimisation, and what they say for every step."""

import math
from dataclasses import dataclass
from typing import TypedDict

import numpy as np

from aligned_jax.errors import ConfigError, too_small
from aligned_jax.inversion.spaces import SPACES, is_z
from aligned_jax.utils.precision import mistakes

NOISES = ("drop", "keep", "const", "none")
_LEAST = {"steps": 0, "restarts": 1, "samples": 2, "samples_seed": 0, "resolution": 1}


@dataclass(frozen=True)
class Settings:
    """How images are inverted: the space, the optimisation and its noise.

    The defaults are NVIDIA's projector in W, W+ and S, and the settings of
    StyleAlign's authors in Z and Z+: `steps` and `psi` that are None become 1000
    and 1, or 500 and 0.5. A range is a fraction of all steps.

    Attributes:
      space: z, z+ (a z for every row of W+), w, w+, or s (every style channel).
      steps: of Adam; with 0 the start itself is measured.
      learning_rate: its greatest.
      rampup, rampdown: ranges in which it rises at first and falls at last.
      latent_noise: standard deviation of the noise that is added to the latent,
        in units of the latents' own spread.
      latent_noise_ramp: range in which that noise vanishes.
      noise: of the layers. "drop" optimises maps along with the latent and
        forgets them, "keep" keeps them; "const" leaves the stored maps, "none"
        uses none.
      noise_weight: of the regulariser of optimised maps.
      psi: truncation of Z and Z+.
      restarts: attempts for each image with random numbers of their own; the one that ends nearest
        is kept.
      spread: standard deviation of random starts around the mean, in the same
        units as `latent_noise`; 0 starts at the mean (zero in Z and Z+).
      samples, samples_seed: latents from which mean and spread are estimated.
      resolution: larger images are compared after averaging down to it.
      precision: of float32 products, "exact", "high" or "fast" (`utils.precision`), in the
        generator and in what compares; mean and spread are always exact.
    """

    space: str = "w"
    steps: int = None  # type: ignore[assignment]  # None never outlives __post_init__
    learning_rate: float = 0.1
    rampup: float = 0.05
    rampdown: float = 0.25
    latent_noise: float = 0.05
    latent_noise_ramp: float = 0.75
    noise: str = "drop"
    noise_weight: float = 1e5
    psi: float = None  # type: ignore[assignment]  # None never outlives __post_init__
    restarts: int = 1
    spread: float = 0.0
    samples: int = 10_000
    samples_seed: int = 123
    resolution: int = 256
    precision: str = "exact"

    def __post_init__(self) -> None:
        z = is_z(self.space)
        if self.steps is None:
            object.__setattr__(self, "steps", 500 if z else 1000)
        if self.psi is None:
            object.__setattr__(self, "psi", 0.5 if z else 1.0)
        if wrong := self._problems():
            raise ConfigError("; ".join(wrong))

    def _problems(self) -> list[str]:
        wrong = []
        if self.space not in SPACES:
            wrong.append(f"space is {self.space!r}; it can be {', '.join(SPACES)}")
        if self.noise not in NOISES:
            wrong.append(f"noise is {self.noise!r}; it can be {', '.join(NOISES)}")
        wrong += too_small(self, _LEAST)
        wrong += mistakes(self.precision)
        for name in ("rampup", "rampdown", "latent_noise_ramp"):
            if not 0 <= getattr(self, name) <= 1:
                wrong.append(f"{name} is {getattr(self, name)}; it must lie between 0 and 1")
        for name in ("learning_rate", "latent_noise", "noise_weight", "spread"):
            if not (getattr(self, name) >= 0 and math.isfinite(getattr(self, name))):
                wrong.append(f"{name} is {getattr(self, name)}; it must be finite and not negative")
        if not math.isfinite(self.psi):
            wrong.append(f"psi is {self.psi}; it must be finite")
        if self.psi != 1 and not is_z(self.space) and self.space in SPACES:
            wrong.append(f"psi is {self.psi}; only z and z+ are truncated")
        return wrong


class GivenSettings(TypedDict, total=False):
    """Fields of `Settings` but its space, as somebody gives them: all may be left out, or None."""

    steps: int | None
    learning_rate: float | None
    rampup: float | None
    rampdown: float | None
    latent_noise: float | None
    latent_noise_ramp: float | None
    noise: str | None
    noise_weight: float | None
    psi: float | None
    restarts: int | None
    spread: float | None
    samples: int | None
    samples_seed: int | None
    resolution: int | None
    precision: str | None


# Settings that decide nothing where no step is taken.
OPTIMISER = (
    *("steps", "learning_rate", "rampup", "rampdown", "latent_noise", "latent_noise_ramp"),
    *("noise_weight", "restarts", "spread", "samples", "samples_seed"),
)


def learning_rates(settings: Settings) -> np.ndarray:
    """The learning rate of every step, float64 [steps]; with a ramp the first is 0."""
    t = np.arange(settings.steps) / settings.steps
    ramp = 0.5 - 0.5 * np.cos(_ramp(1 - t, settings.rampdown) * np.pi)
    return settings.learning_rate * (ramp * _ramp(t, settings.rampup))


def latent_noises(settings: Settings) -> np.ndarray:
    """Standard deviation of the latent noise in units of the spread, float64 [steps]."""
    t = np.arange(settings.steps) / settings.steps
    length = settings.latent_noise_ramp
    rest = np.maximum(0, 1 - t / length) if length else np.zeros_like(t)
    return settings.latent_noise * rest**2


def _ramp(t: np.ndarray, length: float) -> np.ndarray:
    """From 0 at t = 0 to 1 at t = length and after."""
    return np.minimum(1, t / length) if length else np.ones_like(t)
