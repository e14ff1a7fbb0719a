"""Whether style channels of a child act where they did, or where its data moved (figure 15).

StyleAlign trains children on pictures that are shifted or upside-down. What a channel does there
may stay at its place in the picture, which is locality bias, or follow the content.
"""

import re
from dataclasses import dataclass

import numpy as np

from aligned_jax.errors import UserError
from aligned_jax.semantics.alignment import unit
from aligned_jax.semantics.effect_maps import EffectMaps

# A channel can tell where it went if its moved map is less like the unmoved one than this.
_LIKE = 0.9
# And if so much of it is still in the picture.
_LEFT = 0.5
_FORM = re.compile(r"(right|down):(-?\d+)|flip:(vertical|horizontal)")


@dataclass(frozen=True)
class Moved:
    """What was done to the pictures that a child was trained on.

    Attributes:
      right, down: pixels by which they were shifted.
      flip: "vertical" (upside-down), "horizontal", or None.
    """

    right: int = 0
    down: int = 0
    flip: str | None = None

    @classmethod
    def parse(cls, text: str) -> "Moved":
        """Of "right:8", "down:-4", "right:8,down:4", "flip:vertical" or "none".

        Raises:
          UserError: for any other text.
        """
        found = cls()
        for part in [] if text == "none" else text.split(","):
            match = _FORM.fullmatch(part.strip())
            if not match:
                raise UserError(
                    f"{text!r:.60} is no move of pictures; write right:8, down:-4, flip:vertical, "
                    "flip:horizontal, several joined by commas, or none"
                )
            right = int(match[2]) if match[1] == "right" else found.right
            down = int(match[2]) if match[1] == "down" else found.down
            found = cls(right, down, match[3] or found.flip)
        return found


@dataclass(frozen=True)
class LocalityScores:
    """Where the effects of a child's channels are.

    Attributes:
      stays: mean cosine of a channel's map with the parent's, where it was.
      follows: the same with the parent's map moved as the data were.
      share: of the channels that are more like the moved map.
      count: channels that can tell: alive in the parent, changed by the move, and still in the
        picture for the most part. The scores are nan if there are none.
    """

    stays: float
    follows: float
    share: float
    count: int


def locality_scores(
    parent: EffectMaps, child: EffectMaps, moved: Moved, resolution: int
) -> LocalityScores:
    """Compares every map of a child with the parent's at its place, and moved.

    Where a shift leaves a margin nothing is expected.

    Args:
      parent, child: maps of the same channels.
      moved: what was done to the child's data; a flip comes before a shift.
      resolution: of the pictures, in whose pixels shifts are counted.

    Raises:
      UserError: if the maps are not of the same channels, or a shift leaves nothing of a picture.
    """
    if parent.channels != child.channels or parent.signed.shape[2:] != child.signed.shape[2:]:
        raise UserError("the maps are not of the same channels and sizes")
    if max(abs(moved.right), abs(moved.down)) >= resolution:
        raise UserError(
            f"a shift by {moved.right}, {moved.down} leaves nothing of pictures of "
            f"{resolution} pixels"
        )
    shape = (len(parent), *parent.signed.shape[2:])
    before, after = parent.mean().reshape(shape), child.mean().reshape(shape)
    there = before
    if moved.flip:
        there = np.flip(there, axis=1 if moved.flip == "vertical" else 2)
    side = shape[1]
    there, rows = _shifted(there, moved.down * side / resolution, 1)
    there, columns = _shifted(there, moved.right * side / resolution, 2)
    there = there * (rows[:, None] & columns[None])[..., None]
    here, there, after = (value.reshape(len(parent), -1) for value in (before, there, after))
    strength, left = (np.linalg.norm(one, axis=1) for one in (here, there))
    alive = strength > 1e-6 * max(float(strength.max(initial=0)), 1e-30)
    like = (unit(here) * unit(there)).sum(axis=1)
    telling = alive & (left > _LEFT * strength) & (like < _LIKE)
    if not telling.any():
        return LocalityScores(np.nan, np.nan, np.nan, 0)
    stays, follows = ((unit(one) * unit(after)).sum(axis=1)[telling] for one in (here, there))
    return LocalityScores(
        float(stays.mean()), float(follows.mean()), float((follows > stays).mean()), len(stays)
    )


def _shifted(maps: np.ndarray, cells: float, axis: int) -> tuple[np.ndarray, np.ndarray]:
    """Maps moved along an axis, between places linearly, and which places were inside before."""
    size = maps.shape[axis]
    source = np.arange(size) - cells
    low = np.floor(source).astype(int)
    part = (source - low).astype(maps.dtype)
    part = part.reshape([-1 if k == axis else 1 for k in range(maps.ndim)])
    first, second = (np.take(maps, np.clip(k, 0, size - 1), axis) for k in (low, low + 1))
    return (1 - part) * first + part * second, (source >= -0.5) & (source <= size - 0.5)
