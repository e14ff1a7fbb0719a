"""Where in a photograph a square was cut out, so that it can be put back there.

Positions are in pixels of the photograph, turned as its camera says: (0, 0) is the upper left
corner of the upper left pixel, x grows to the right and y down.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from aligned_jax.errors import FormatError

Pair = tuple[float, float]
# Left and right eye, nose, left and right corner of the mouth, as the viewer sees them.
POINTS = ("left eye", "right eye", "nose", "left corner of the mouth", "right corner of the mouth")
FARTHEST = 1e6  # pixels; products of larger numbers could be infinite
_SKEW = 0.1  # of a square that is hardly one, in sides
_WIDEST = 2  # of a square by its corners, in longer sides of the photograph


@dataclass(frozen=True)
class Placement:
    """A square of a photograph, which may be turned, and reach beyond it.

    Attributes:
      corner: its upper left corner, (x, y) in pixels of the photograph.
      across: from there to its upper right corner.
      down: from there to its lower left corner.
      size: width and height of the photograph.
      photo: its file, or "photos.zip/NAME"; "" if there is none.
      digest: SHA-256 of the file, by which it is known again; "" without one.
    """

    corner: Pair
    across: Pair
    down: Pair
    size: tuple[int, int]
    photo: str = ""
    digest: str = ""

    @property
    def side(self) -> float:
        """Length of a side of the square in pixels of the photograph."""
        return math.hypot(*self.across)

    @property
    def corners(self) -> np.ndarray:
        """All corners, float64 [4, 2]: upper left and right, lower right and left."""
        return self.to_photo(np.asarray([[0, 0], [1, 0], [1, 1], [0, 1]], np.float64))

    @property
    def whole_box(self) -> tuple[int, int, int, int] | None:
        """Left, top, right and bottom if no pixel is divided and none is missing; None else."""
        box = (*self.corner, self.corner[0] + self.across[0], self.corner[1] + self.down[1])
        turned = self.across[1] or self.down[0] or self.across[0] != self.down[1]
        if turned or self.across[0] <= 0 or any(value != round(value) for value in box):
            return None
        left, top, right, bottom = map(int, box)
        inside = left >= 0 and top >= 0 and right <= self.size[0] and bottom <= self.size[1]
        return (left, top, right, bottom) if inside else None

    def to_photo(self, points: np.ndarray) -> np.ndarray:
        """Points [..., 2] of the unit square, in [0, 1] inside it, as points of the photograph."""
        return np.asarray(self.corner) + points @ np.asarray([self.across, self.down])

    def from_photo(self, points: np.ndarray) -> np.ndarray:
        """The inverse of `to_photo`."""
        inverse = np.linalg.inv(np.asarray([self.across, self.down], np.float64))
        return (points - np.asarray(self.corner)) @ inverse

    def document(self) -> dict[str, Any]:
        """All of it as JSON has it."""
        pairs = {name: list(getattr(self, name)) for name in ("corner", "across", "down", "size")}
        return {"photo": self.photo, "sha256": self.digest, **pairs}


def of_document(document: Any) -> Placement:
    """What `Placement.document` wrote, possibly changed by somebody else.

    Raises:
      FormatError: if it is anything else.
    """
    try:
        corner, across, down = (_pair(document[name]) for name in ("corner", "across", "down"))
        width, height = (int(value) for value in _pair(document["size"]))
        photo, digest = document["photo"], document["sha256"]
    except (KeyError, TypeError, ValueError, IndexError, OverflowError) as error:
        raise FormatError(
            f"the place of a picture in its photograph is damaged ({error})"
        ) from None
    fits = width > 0 and height > 0 and isinstance(photo, str) and isinstance(digest, str)
    place = Placement(corner, across, down, (width, height), photo, digest)
    x, y = place.corners.mean(axis=0)
    skew = math.hypot(down[0] + across[1], down[1] - across[0])
    inside = 0 <= x <= width and 0 <= y <= height
    if not (fits and inside and skew < 1e-6 * place.side):
        raise FormatError("the place of a picture in its photograph is damaged")
    return place


def of_points(points: np.ndarray, size: tuple[int, int]) -> Placement:
    """The square around a face as FFHQ and CelebA-HQ cut it out.

    With the middles of eyes e and mouth m, v from one eye to the other and d from e to m, the
    square stands upright along v - rotate90(d), is max(4 |v|, 3.6 |d|) wide, and has its
    middle at e + 0.1 d. Karras et al., Progressive Growing of GANs, ICLR 2018, appendix C, where
    the vectors point the other way.

    Args:
      points: [5, 2], in the order of `POINTS`; whole numbers are middles of pixels.
      size: width and height of the photograph.
    """
    left, right, _, mouth_left, mouth_right = np.asarray(points, np.float64) + 0.5
    eyes, mouth = (left + right) / 2, (mouth_left + mouth_right) / 2
    between, below = right - left, mouth - eyes
    along = between - np.asarray([-below[1], below[0]])
    half = max(2.0 * np.hypot(*between), 1.8 * np.hypot(*below))
    across = along / np.hypot(*along) * half  # half a side
    down = np.asarray([-across[1], across[0]])
    corner = eyes + 0.1 * below - across - down
    return Placement(_floats(corner), _floats(2 * across), _floats(2 * down), size)


def of_box(box: np.ndarray, size: tuple[int, int]) -> Placement:
    """The square around a box, as wide as its longer side.

    Args:
      box: [4], left, top, right and bottom; whole numbers are edges of pixels.
      size: width and height of the photograph.
    """
    left, top, right, bottom = (float(value) for value in box)
    side = max(right - left, bottom - top)
    corner = (left + right - side) / 2, (top + bottom - side) / 2
    return Placement(corner, (side, 0.0), (0.0, side), size)


def of_corners(corners: np.ndarray, size: tuple[int, int]) -> Placement:
    """The square whose corners lie nearest to four points.

    Args:
      corners: [4, 2], upper left and right, lower right and left, as they are to be seen in the
        square, which may reach beyond the photograph; whole numbers are edges of pixels.
      size: width and height of the photograph.
    """
    across, down = _sides(np.asarray(corners, np.float64))
    along = (across + np.asarray([down[1], -down[0]])) / 2  # of both, down turned back
    below = np.asarray([-along[1], along[0]])
    corner = np.asarray(corners, np.float64).mean(axis=0) - (along + below) / 2
    return Placement(_floats(corner), _floats(along), _floats(below), size)


def of_middle(size: tuple[int, int]) -> Placement:
    """The middle square of a photograph, as wide as its shorter side."""
    side = min(size)
    left, top = ((length - side) // 2 for length in size)
    return of_box(np.asarray([left, top, left + side, top + side]), size)


def problem_of_points(points: np.ndarray, size: tuple[int, int]) -> str:
    """Why five points are not those of a face in a photograph; "" if they may be.

    Args:
      points: [5, 2], as for `of_points`.
      size: width and height of the photograph.
    """
    beyond = ((points < -0.5) | (points > np.asarray(size) - 0.5)).any(axis=1)
    if beyond.any():
        names = [POINTS[number] for number in np.flatnonzero(beyond)]
        return f"{_and(names)} outside the picture of {size[0]}x{size[1]} pixels"
    left, right, nose, mouth_left, mouth_right = points
    eyes, mouth = (left + right) / 2, (mouth_left + mouth_right) / 2
    between, below = right - left, mouth - eyes
    if min(np.hypot(*between), np.hypot(*below)) < 1e-3 * max(size):
        return "points that lie upon each other"
    if below[1] < 0 and -below[1] > abs(below[0]):
        return "the eyes below the mouth"
    if between[0] * below[1] - between[1] * below[0] <= 0:
        return "the left eye to the right of the right one"
    if (mouth_right - mouth_left) @ between <= 0:
        return "the left corner of the mouth to the right of the right one"
    if not 0 <= (nose - eyes) @ below / (below @ below) <= 1.1:
        return "the nose not between eyes and mouth"
    return ""


def problem_of_box(box: np.ndarray, size: tuple[int, int]) -> str:
    """Why four numbers are no box in a photograph; "" if they are; as for `of_box`."""
    left, top, right, bottom = box
    if right <= left or bottom <= top:
        return "a box whose right and bottom do not lie beyond left and top"
    if left < 0 or top < 0 or right > size[0] or bottom > size[1]:
        return f"a box that leaves the picture of {size[0]}x{size[1]} pixels"
    return "a box less than a pixel wide" if max(right - left, bottom - top) < 1 else ""


def problem_of_corners(corners: np.ndarray, size: tuple[int, int]) -> str:
    """Why four points are no square in a photograph; "" if they are; as for `of_corners`."""
    across, down = _sides(corners)
    side = np.hypot(*across)
    if side == 0 or np.hypot(down[0] + across[1], down[1] - across[0]) > _SKEW * side:
        return "corners of no square (upper left and right, lower right and left)"
    middle = corners.mean(axis=0)
    if (middle < 0).any() or (middle > np.asarray(size)).any():
        return f"corners whose middle lies outside the picture of {size[0]}x{size[1]} pixels"
    if side > _WIDEST * max(size):
        return f"corners of a square more than twice as wide as {size[0]}x{size[1]} pixels"
    return "corners of a square less than a pixel wide" if side < 1 else ""


def placements_of(documents: Any) -> tuple[Placement, ...]:
    """Placements of several documents; FormatError as `of_document`."""
    if not isinstance(documents, list) or not all(isinstance(one, Mapping) for one in documents):
        raise FormatError("the places of pictures in their photographs are damaged")
    return tuple(of_document(one) for one in documents)


def _pair(values: Any) -> Pair:
    first, second = (float(value) for value in values)
    if not max(abs(first), abs(second)) < FARTHEST:
        raise ValueError(f"{first}, {second}")
    return first, second


def _sides(corners: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Means of the upper and the lower side, and of the left and the right one."""
    upper_left, upper_right, lower_right, lower_left = corners
    across = (upper_right - upper_left + lower_right - lower_left) / 2
    return across, (lower_left - upper_left + lower_right - upper_right) / 2


def _floats(pair: np.ndarray) -> Pair:
    return float(pair[0]) + 0.0, float(pair[1]) + 0.0  # no minus zeros


def _and(names: list[str]) -> str:
    return " and ".join(", ".join(names).rsplit(", ", 1))
