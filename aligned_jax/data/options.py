"""What a run reads and how it changes it; plain values, so that help stays instant."""

import math
from dataclasses import dataclass

from aligned_jax.errors import ConfigError

FILLS = ("reflect", "edge", "black")


@dataclass(frozen=True)
class Variant:
    """A change that every image undergoes (StyleAlign, figures 15 and 37).

    Attributes:
      shift_x: shift to the right as a fraction of the width, rounded to pixels; negative: left.
      shift_y: shift down as a fraction of the height, rounded to pixels; negative: up.
      fill: what a shift uncovers: the image mirrored at its "reflect"ing border, its
        outermost pixels ("edge"), or "black".
      upside_down: the image flipped top to bottom, before the shift.
      edges: blur, in pixels, of the outlines, dark on white, that take the place of the image; 0
        leaves the image.

    Raises:
      ConfigError: a shift not within (-1, 1), an unknown fill, or a blur not within [0, 100].
    """

    shift_x: float = 0.0
    shift_y: float = 0.0
    fill: str = "reflect"
    upside_down: bool = False
    edges: float = 0.0

    def __post_init__(self) -> None:
        mistakes = [
            f"{name} is {value}, which is not between -1 and 1"
            for name, value in (("shift_x", self.shift_x), ("shift_y", self.shift_y))
            if not (math.isfinite(value) and abs(value) < 1)
        ]
        if not 0 <= self.edges <= 100:
            mistakes.append(f"edges is {self.edges}, which is no blur from 0 to 100 pixels")
        if self.fill not in FILLS:
            mistakes.append(f"fill is {self.fill!r}; it can be {', '.join(FILLS)}")
        if mistakes:
            raise ConfigError("; ".join(mistakes))


@dataclass(frozen=True)
class DataOptions:
    """Which images a run reads, and what it does to them.

    Attributes:
      path: folder of a dataset, as `aligned data` writes it.
      split: its part, such as "train", "test" or "train[:10%]".
      labels: feature that conditions the networks: a class (one-hot), a number or a
        vector of numbers; None for networks without labels.
      mirror: every image also comes mirrored left to right, which doubles the epoch.
      subset: only so many images (before mirroring), chosen by `subset_seed`.
      variant: a change of all images.

    Raises:
      ConfigError: a subset of no images or a negative seed.
    """

    path: str
    split: str = "train"
    labels: str | None = None
    mirror: bool = False
    subset: int | None = None
    subset_seed: int = 0
    variant: Variant = Variant()

    def __post_init__(self) -> None:
        if self.subset is not None and self.subset < 1:
            raise ConfigError(f"subset is {self.subset}; it takes at least 1 image")
        if self.subset_seed < 0:
            raise ConfigError(f"subset_seed is {self.subset_seed}; it must not be negative")
