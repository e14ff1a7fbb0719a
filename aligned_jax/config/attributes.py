"""Sizes of readers, which tell attributes of pictures; without arrays."""

import math
from dataclasses import dataclass

from aligned_jax.errors import ConfigError, too_large, too_small
from aligned_jax.utils.text import listed

KINDS = ("binary", "category", "colour", "number")
_LARGEST_SIDE, _LARGEST_WIDTH, _MOST_HEADS, _MOST_VALUES = 512, 1024, 1000, 1000
_LONGEST_NAME = 100
_GROUP = 8


@dataclass(frozen=True)
class AttributeHead:
    """One attribute that a reader tells.

    Attributes:
      name: of the attribute.
      kind: "binary" (there or not), "category" (one of `values`), "colour" (RGB in [0, 1]) or
        "number" (such as yaw).
      values: names of the categories; () for other kinds.
      mean, deviation: of a number in the data; the network tells how many deviations from the
        mean it is.
      odd: whether a number changes its sign in the mirror, as yaw and roll do; its mean is 0.
      scale, offset: log-odds = scale * output + offset, for probabilities that hold on pictures
        which were not trained on (Platt 1999; of categories only the scale, the inverse
        temperature of Guo et al. 2017).

    Raises:
      ConfigError: naming everything that does not fit.
    """

    name: str
    kind: str
    values: tuple[str, ...] = ()
    mean: float = 0.0
    deviation: float = 1.0
    odd: bool = False
    scale: float = 1.0
    offset: float = 0.0

    def __post_init__(self) -> None:
        name = f"attribute {self.name!r:.40}"
        wrong = []
        if not 0 < len(self.name) <= _LONGEST_NAME or not self.name.isprintable():
            wrong.append(f"{name} has no printable name of at most {_LONGEST_NAME} letters")
        clash = set("=.,<>") & set(self.name) | set(",<>") & set("".join(self.values))
        if clash:
            wrong.append(f"{name} has {' '.join(sorted(clash))} in a name, which conditions use")
        if self.kind not in KINDS:
            wrong.append(f"{name} is of kind {self.kind!r:.40}; kinds are {', '.join(KINDS)}")
        if self.kind == "category" and not 2 <= len(set(self.values)) <= _MOST_VALUES:
            wrong.append(f"{name} has {len(set(self.values))} values; 2 to {_MOST_VALUES} can be")
        if len(set(self.values)) < len(self.values):
            wrong.append(f"{name} has values that come twice")
        if self.kind != "category" and self.values:
            wrong.append(f"{name} is no category, but has values")
        if self.odd and (self.kind != "number" or self.mean):
            wrong.append(f"{name} cannot change its sign in the mirror: it is no number around 0")
        numbers = (self.mean, self.deviation, self.scale, self.offset)
        if not all(map(math.isfinite, numbers)) or min(self.deviation, self.scale) <= 0:
            wrong.append(f"{name}: deviation and scale must be positive, and all numbers finite")
        if wrong:
            raise ConfigError("; ".join(wrong))

    @property
    def width(self) -> int:
        """Outputs of the network for this attribute."""
        return {"category": len(self.values), "colour": 3}.get(self.kind, 1)

    @property
    def scores(self) -> tuple[str, ...]:
        """Names of what a judge tells of it: "hair=long", "hair_color.red", or the name itself."""
        if self.kind == "category":
            return tuple(f"{self.name}={value}" for value in self.values)
        if self.kind == "colour":
            return tuple(f"{self.name}.{part}" for part in COLOUR_PARTS)
        return (self.name,)


COLOUR_PARTS = ("red", "green", "blue", "lightness")


@dataclass(frozen=True)
class ReaderConfig:
    """Sizes of a reader.

    Attributes:
      heads: the attributes that it tells.
      resolution: side of the pictures that it looks at; others are resized.
      widths: channels of each stage; a stage halves the side. Multiples of 8.
      dense: width of what all attributes are told from.
      mirror: whether a picture and its mirror image are read and averaged, so that what is odd
        is told exactly so.
      parts: names of the parts of a picture that it tells apart, such as "hair"; () for none.

    Raises:
      ConfigError: naming everything that does not fit.
    """

    heads: tuple[AttributeHead, ...]
    resolution: int = 64
    widths: tuple[int, ...] = (16, 32, 64, 96)
    dense: int = 64
    mirror: bool = True
    parts: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        names = [head.name for head in self.heads]
        wrong = []
        if not 1 <= len(names) <= _MOST_HEADS or len(set(names)) < len(names):
            twice = listed(sorted({name for name in names if names.count(name) > 1}))
            wrong.append(f"{len(names)} attributes (twice: {twice or 'none'}); 1 to {_MOST_HEADS}")
        if not 1 <= len(self.widths) <= 8 or any(
            not 0 < width <= _LARGEST_WIDTH or width % _GROUP for width in self.widths
        ):
            wrong.append(f"widths are {self.widths!r:.80}; 1 to 8 multiples of {_GROUP} can be")
        elif self.resolution % 2 ** len(self.widths):
            wrong.append(
                f"a resolution of {self.resolution} cannot be halved {len(self.widths)} times"
            )
        wrong += too_small(self, {"resolution": 8, "dense": 1})
        wrong += too_large(self, {"resolution": _LARGEST_SIDE, "dense": _LARGEST_WIDTH})
        if len(set(self.parts)) < len(self.parts) or len(self.parts) == 1:
            wrong.append(f"parts are {listed(self.parts)}; two or more different ones can be")
        if wrong:
            raise ConfigError("; ".join(wrong))

    @property
    def scores(self) -> tuple[str, ...]:
        """Names of all that a judge tells."""
        return tuple(score for head in self.heads for score in head.scores)


def usual_widths(resolution: int) -> tuple[int, ...]:
    """Channels of the stages for pictures of this side: until 4 pixels are left, or an odd side."""
    stages = 1
    while resolution % 2 ** (stages + 1) == 0 and resolution // 2 ** (stages + 1) >= 4:
        stages += 1
    return ((16, 32, 64) + (96,) * stages)[:stages]
