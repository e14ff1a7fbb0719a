"""Which augmentations run, how often, and how strongly: frozen and JSON-able."""

import dataclasses
import math
from dataclasses import dataclass
from typing import Any

from aligned_jax.errors import ConfigError

# Transforms in order of application, by the letters of the presets.
BLIT = ("xflip", "rotate90", "xint")
GEOM = ("scale", "rotate", "aniso", "xfrac")
COLOR = ("brightness", "contrast", "lumaflip", "hue", "saturation")
TRANSFORMS = (*BLIT, *GEOM, *COLOR, "imgfilter", "noise", "cutout")

PRESETS: dict[str, tuple[str, ...]] = {
    "none": (),
    "blit": BLIT,
    "geom": GEOM,
    "color": COLOR,
    "filter": ("imgfilter",),
    "noise": ("noise",),
    "cutout": ("cutout",),
    "bg": BLIT + GEOM,
    "bgc": BLIT + GEOM + COLOR,
    "bgcf": (*BLIT, *GEOM, *COLOR, "imgfilter"),
    "bgcfn": (*BLIT, *GEOM, *COLOR, "imgfilter", "noise"),
    "bgcfnc": TRANSFORMS,
}
MODES = ("ada", "fixed", "none")


@dataclass(frozen=True)
class AugmentConfig:
    """Relative probability of every transform, and the spread of its parameter.

    A transform is applied to a sample with probability (its field) * p, where
    p is the overall probability; 0 leaves it out of the program. Names and
    defaults follow the official PyTorch release of StyleGAN2-ADA (Karras et
    al. 2020, "Training generative adversarial networks with limited data",
    appendix B).

    Raises ConfigError naming every field that is negative or not finite.
    """

    xflip: float = 0.0
    rotate90: float = 0.0
    xint: float = 0.0
    scale: float = 0.0
    rotate: float = 0.0
    aniso: float = 0.0
    xfrac: float = 0.0
    brightness: float = 0.0
    contrast: float = 0.0
    lumaflip: float = 0.0
    hue: float = 0.0
    saturation: float = 0.0
    imgfilter: float = 0.0
    noise: float = 0.0
    cutout: float = 0.0

    xint_max: float = 0.125  # largest whole-pixel shift, as a fraction of the image
    scale_std: float = 0.2  # of log2 of the zoom
    rotate_max: float = 1.0  # largest angle, in half turns
    aniso_std: float = 0.2  # of log2 of the stretch
    xfrac_std: float = 0.125  # of the shift, as a fraction of the image
    brightness_std: float = 0.2
    contrast_std: float = 0.5  # of log2 of the contrast
    hue_max: float = 1.0  # largest turn of the hue, in half turns
    saturation_std: float = 1.0  # of log2 of the saturation
    imgfilter_bands: tuple[float, ...] = (1.0, 1.0, 1.0, 1.0)  # probability by band, low to high
    imgfilter_std: float = 1.0  # of log2 of a band's gain
    noise_std: float = 0.1  # of the noise amplitude
    cutout_size: float = 0.5  # side of the hole, as a fraction of the image

    def __post_init__(self) -> None:
        bad = [
            f"{name} {value!r}"
            for name, value in vars(self).items()
            for number in (value if name == "imgfilter_bands" else (value,))
            if not (isinstance(number, int | float) and math.isfinite(number) and number >= 0)
        ]
        if bad:
            raise ConfigError(
                f"augmentation: {', '.join(bad)}; every strength must be a number, 0 or more"
            )
        if len(self.imgfilter_bands) != 4:
            raise ConfigError(
                f"imgfilter_bands has {len(self.imgfilter_bands)} numbers; there are four bands"
            )

    @property
    def enabled(self) -> tuple[str, ...]:
        """Names of the transforms that can happen, in order of application."""
        return tuple(name for name in TRANSFORMS if getattr(self, name) > 0)

    def uses(self, group: tuple[str, ...]) -> bool:
        """Whether any transform of `group` can happen."""
        return any(getattr(self, name) > 0 for name in group)


@dataclass(frozen=True)
class AdaConfig:
    """How the probability p is chosen.

    Modes: "ada" adapts it from `p` on; "fixed" keeps `p`; "none" augments
    nothing. `kimg` is how many thousand images it takes p to go from 0 to 1
    when every step goes up (500 for a fresh run, 100 is usual for
    fine-tuning), and `interval` the iterations between two updates.
    """

    mode: str = "ada"
    p: float = 0.0
    target: float = 0.6
    interval: int = 4
    kimg: float = 500.0

    def __post_init__(self) -> None:
        problems = []
        if self.mode not in MODES:
            problems.append(f"mode is {self.mode!r}; it must be one of {', '.join(MODES)}")
        if not (math.isfinite(self.p) and self.p >= 0):
            problems.append(f"p is {self.p}; it must be 0 or more")
        if self.mode == "none" and self.p != 0:
            problems.append(f"p is {self.p}; mode none takes no p, use fixed or ada")
        if not -1 <= self.target <= 1:
            problems.append(f"target is {self.target}; it must be between -1 and 1")
        if self.interval < 1:
            problems.append(f"interval is {self.interval}; it must be 1 or more")
        if not (math.isfinite(self.kimg) and self.kimg > 0):
            problems.append(f"kimg is {self.kimg}; it must be positive")
        if problems:
            raise ConfigError(f"ada: {'; '.join(problems)}")


def preset(name: str, **strengths: Any) -> AugmentConfig:
    """Config of a named set of transforms ("bgc", "bgcfnc", ...), each with strength 1.

    `strengths` are fields of `AugmentConfig` to set besides. Raises ConfigError
    for an unknown name or field, naming the valid ones.
    """
    if name not in PRESETS:
        raise ConfigError(f"augmentation {name!r} is unknown; choose one of {', '.join(PRESETS)}")
    fields = [field.name for field in dataclasses.fields(AugmentConfig)]
    unknown = sorted(set(strengths) - set(fields))
    if unknown:
        raise ConfigError(
            f"augmentation has no field {', '.join(unknown)}; the fields are {', '.join(fields)}"
        )
    return AugmentConfig(**(dict.fromkeys(PRESETS[name], 1.0) | strengths))
