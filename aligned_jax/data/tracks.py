"""Where a face is in every frame of a film: found or told, filled in, and smoothed."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from aligned_jax.data import faces, placements
from aligned_jax.data.faces import Align, Detector, FaceTable
from aligned_jax.data.footage import Footage
from aligned_jax.data.placements import Placement
from aligned_jax.data.smoothing import smoothed
from aligned_jax.errors import UserError
from aligned_jax.utils.text import listed, one_line

_DIGITS = 6  # of pixels, so that what stands still stays the same to the bit


@dataclass(frozen=True, eq=False)
class Track:
    """The square of every frame of a film.

    Attributes:
      squares: float64 [T, 4]: the upper left corner, and the way from there to the upper right.
      found: bool [T], whether the square of the frame was told or found; that of others lies
        between those of its neighbours.
      size: width and height of the frames.
    """

    squares: np.ndarray
    found: np.ndarray
    size: tuple[int, int]

    def __len__(self) -> int:
        return len(self.squares)

    def smoothed(self, window: int) -> "Track":
        """The same with means over a window of frames (see `smoothing.smoothed`)."""
        return Track(smoothed(self.squares, window), self.found, self.size)

    def placement(self, frame: int, photo: str = "") -> Placement:
        """The square of a frame."""
        x, y, right, down = np.round(self.squares[frame], _DIGITS).tolist()
        return Placement((x, y), (right, down), (-down + 0.0, right), self.size, photo)


def find_track(
    footage: Footage,
    align: Align,
    advance: Callable[[int], object] = lambda count: None,
    frames: Iterator[np.ndarray] | None = None,
) -> Track:
    """Looks through a film for the square of every frame.

    A table names the film, for a square that stands still, or frames of it: "film.mp4@12" is
    frame 12, the first is 0, and pictures of a folder have names. Between frames that are named
    squares move and turn steadily. Of several faces that a detector finds, the largest is
    followed: in each frame the one that is nearest to the last.

    Args:
      footage: the film, all of whose frames are read.
      align: "center", "none", a table or a detector, as for pictures.
      advance: hears of every frame.
      frames: in place of those of `footage`.

    Raises:
      UserError: for a table that does not fit, a film that is not square if nothing may be cut,
        a detector that fails, or if no frame has a face.
      FormatError: for a frame that cannot be read.
    """
    width, height = footage.size
    if align == "none" and width != height:
        raise UserError(f"{footage.name}: {width}x{height} pixels are not square")
    told: dict[int, np.ndarray] = {}
    if isinstance(align, str):
        told[0] = _square(placements.of_middle(footage.size))
    count = 0
    for number, frame in enumerate(footage.frames() if frames is None else frames):
        if isinstance(align, Detector):
            near = next(reversed(told.values()), None)
            if (square := _detected(align, footage, number, frame, near)) is not None:
                told[number] = square
        count = number + 1
        advance(1)
    if isinstance(align, FaceTable):
        told = _of_table(align, footage, count)
    if not told:
        where = align.where if isinstance(align, Detector) else "the faces"
        raise UserError(f"{where} has no face in any of the {count} frames of {footage.name}")
    found = np.zeros(count, bool)
    found[list(told) if not isinstance(align, FaceTable | str) else slice(None)] = True
    return Track(_filled(told, count), found, footage.size)


def _of_table(table: FaceTable, footage: Footage, count: int) -> dict[int, np.ndarray]:
    """The squares of frames that a table names."""
    numbers = _names_of(footage, count)
    told: dict[int, np.ndarray] = {}
    problems: list[str] = []
    for name, entry in table.faces.items():
        if (number := numbers.get(name)) is None:
            problems.append(f"no frame is called {one_line(name)}")
            continue
        if len(entry) != 1:
            problems.append(f"{one_line(name)} has {len(entry)} faces; a film follows one")
            continue
        placed = faces.placed_face(entry[0], footage.size)
        if isinstance(placed, str):
            problems.append(f"{one_line(name)} has {placed}")
        else:
            told[number] = _square(placed)
    if problems:
        raise UserError(
            f"{table.where}: {listed(problems, separator='; ')}; name the film itself, or frames "
            f"of it like {footage.name}@0 to {footage.name}@{count - 1}"
        )
    return told


def _names_of(footage: Footage, count: int) -> Mapping[str, int]:
    """By which names a table may know which frame; the film itself stands for its first."""
    names = {file: number for number, file in enumerate(footage.files)}
    for name in (footage.name.replace("\\", "/").rsplit("/", 1)[-1], footage.name):
        names |= {f"{name}@{number}": number for number in range(count)}
        names[name] = 0
    return names


def _detected(
    detector: Detector,
    footage: Footage,
    number: int,
    frame: np.ndarray,
    near: np.ndarray | None,
) -> np.ndarray | None:
    """The square of a face in a frame: the nearest to the last one, or the largest; or None."""
    image = Image.fromarray(frame[..., 0] if frame.shape[2] == 1 else frame)
    found = faces.detected(detector, f"{footage.name}@{number}", image)
    places = [faces.placed_face(face, footage.size) for face in found]
    squares = [_square(place) for place in places if isinstance(place, Placement)]
    if not squares:
        return None
    if near is None:
        return max(squares, key=lambda square: float(np.hypot(*square[2:])))
    return min(squares, key=lambda square: float(np.hypot(*(_middle(square) - _middle(near)))))


def _square(place: Placement) -> np.ndarray:
    return np.asarray([*place.corner, *place.across], np.float64)


def _middle(square: np.ndarray) -> np.ndarray:
    corner, across = square[:2], square[2:]
    return corner + (across + np.asarray([-across[1], across[0]])) / 2


def _filled(told: Mapping[int, np.ndarray], count: int) -> np.ndarray:
    """Squares of all frames, float64 [T, 4]: between two steadily, before and after as they are.

    Middles move on straight lines; sides turn and grow steadily.
    """
    known: Sequence[int] = sorted(told)
    squares = np.stack([told[number] for number in known])
    middles = np.stack([_middle(square) for square in squares])
    sides = np.log(np.hypot(squares[:, 2], squares[:, 3]))
    turns = np.unwrap(np.arctan2(squares[:, 3], squares[:, 2]))
    frames = np.arange(count)
    x, y, side, turn = (np.interp(frames, known, values) for values in (*middles.T, sides, turns))
    across = np.exp(side) * np.stack([np.cos(turn), np.sin(turn)])  # [2, T]
    down = np.stack([-across[1], across[0]])
    corners = np.stack([x, y]) - (across + down) / 2
    filled = np.concatenate([corners, across]).T
    filled[known] = squares
    return filled
