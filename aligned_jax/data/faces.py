"""Where faces are in pictures, as a file or a function of the user says it, and how they are cut.

A face is five points, float64 [5, 2] in the order of `placements.POINTS`; or a box, [4]: left, top,
right and bottom; or the corners of a square that may be turned, [4, 2]: upper left and right, lower
right and left. All are in pixels of the picture turned as its camera says.
"""

import dataclasses
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from PIL import Image

from aligned_jax.data import placements
from aligned_jax.data.pictures import as_mode
from aligned_jax.data.placements import Placement
from aligned_jax.errors import FormatError, UserError
from aligned_jax.utils.reading import read_json
from aligned_jax.utils.text import listed, one_line

FACE_FORM = (
    "a face is [x, y] of left eye, right eye, nose, left and right corner of the mouth, as the "
    "viewer sees them; or a box, left, top, right, bottom; or [x, y] of the corners of a square, "
    "from the upper left one clockwise; in pixels of the picture turned as its camera says"
)


@dataclass(frozen=True, eq=False)
class FaceTable:
    """Faces by the names of their pictures.

    Attributes:
      faces: by file name, by path within its folder or zip, or by path as it is given.
      where: what messages call it.
      others: whether it may name pictures that are not given; else these are refused.
    """

    faces: Mapping[str, Sequence[np.ndarray]]
    where: str = "the faces"
    others: bool = False


@dataclass(frozen=True, eq=False)
class Detector:
    """A function from a picture, uint8 [H, W, 3], to its faces, of which there may be none.

    Attributes:
      find: the function.
      where: what messages call it.
    """

    find: Callable[[np.ndarray], Any]
    where: str = "the detector"


# "center" cuts out the middle square, "none" nothing; else squares around faces.
Align = str | FaceTable | Detector


def read_faces(path: str | os.PathLike[str]) -> FaceTable:
    """Faces of a JSON file: {"name.jpg": [FACE, FACE, ...], ...}.

    Raises:
      UserError: naming all entries that are no faces, or if it cannot be read.
    """
    where = os.fspath(path)
    try:
        document = read_json(path)
    except OSError as error:
        raise UserError(f"{where} cannot be read: {error.strerror or error}") from None
    wrong: list[str] = []
    faces: dict[str, list[np.ndarray]] = {}
    for name, entry in document.items():
        if not isinstance(entry, list):
            wrong.append(f"{one_line(name)} is no list of faces")
            continue
        parsed = [parsed_face(face) for face in entry]
        lost = [number for number, face in enumerate(parsed, 1) if face is None]
        wrong += [f"{one_line(name)}, face {number}" for number in lost]
        faces[name] = [face for face in parsed if face is not None]
    if wrong:
        raise FormatError(f"{where}: {listed(wrong, separator='; ')}; {FACE_FORM}")
    return FaceTable(faces, where)


def parsed_face(value: Any) -> np.ndarray | None:
    """A face of lists or arrays of numbers; None if it is none."""
    try:
        face = np.asarray(value, np.float64)
    except (TypeError, ValueError, OverflowError):
        return None
    plain = not isinstance(value, list) or all(map(_is_number, _flat(value)))
    if face.shape not in ((5, 2), (4,), (4, 2)) or not plain or not np.isfinite(face).all():
        return None
    return face


@dataclass(frozen=True)
class Cut:
    """How one picture is cut.

    Attributes:
      placements: of its squares, by the number of the face, from 1; 0 for the only one.
      skipped: why faces are left out, by number.
    """

    placements: Mapping[int, Placement]
    skipped: Mapping[int, str] = field(default_factory=dict)


class NoFace(Exception):
    """Why a picture is not cut."""


class Cutter:
    """How the pictures of one reading are cut; `finish` tells what of a table is wrong."""

    def __init__(self, align: Align) -> None:
        self._align = align
        self._used: dict[str, list[str]] = {}
        self._passed: set[str] = set()
        self._problems: list[str] = []

    def cut(self, file: str, names: Sequence[str], image: Image.Image) -> Cut:
        """The squares of a picture.

        Args:
          file: of the picture.
          names: by which a table may know it, the longest first.
          image: turned as its camera says.

        Raises:
          NoFace: saying why there are none.
          UserError: if a detector fails, or returns something else than faces.
        """
        align = self._align
        if isinstance(align, FaceTable):
            name = next((name for name in names if name in align.faces), None)
            if name is None:
                raise NoFace(f"{align.where} does not name it")
            self._used.setdefault(name, []).append(file)
            faces: Sequence[np.ndarray] = align.faces[name]
        elif isinstance(align, Detector):
            faces = detected(align, file, image)
        elif align == "none" and image.width != image.height:
            raise NoFace(f"{image.width}x{image.height} pixels are not square")
        else:
            return Cut({0: placements.of_middle(image.size)})
        if not faces:
            raise NoFace(f"there is no face in it, says {align.where}")
        squares = [placed_face(face, image.size) for face in faces]
        numbers = [0] if len(faces) == 1 else range(1, len(faces) + 1)
        numbered = dict(zip(numbers, squares, strict=True))
        good = {k: place for k, place in numbered.items() if isinstance(place, Placement)}
        wrong = {k: f"it has {why}" for k, why in numbered.items() if isinstance(why, str)}
        if isinstance(align, FaceTable):
            self._problems += [f"{name}, face {max(k, 1)} has {numbered[k]}" for k in wrong]
        return Cut(good, wrong)

    def pass_over(self, names: Sequence[str]) -> None:
        """A picture that cannot be read, by the names by which a table may know it."""
        self._passed.update(names)

    def finish(self) -> None:
        """Raises UserError naming all of a table that does not fit the pictures."""
        if not isinstance(self._align, FaceTable):
            return
        table = self._align
        problems = list(self._problems)
        known = self._used.keys() | self._passed
        unknown = [one_line(name) for name in table.faces if name not in known]
        if unknown and not table.others:
            problems.append(f"no picture is called {listed(unknown)}")
        several = {name: files for name, files in self._used.items() if len(files) > 1}
        problems += [f"{name} stands for {listed(files)}" for name, files in several.items()]
        if problems:
            form = f"; {FACE_FORM}" if self._problems else ""
            raise UserError(f"{table.where}: {listed(problems, separator='; ')}{form}")


def with_file(place: Placement, photo: str, digest: str) -> Placement:
    """A placement that knows the file of its photograph."""
    return dataclasses.replace(place, photo=photo, digest=digest)


def placed_face(face: np.ndarray, size: tuple[int, int]) -> Placement | str:
    """The square of a face in a photograph of this width and height, or what is wrong with it."""
    if np.abs(face).max() > placements.FARTHEST:
        return f"places far from the picture of {size[0]}x{size[1]} pixels"
    if face.shape == (4,):
        return placements.problem_of_box(face, size) or placements.of_box(face, size)
    if face.shape == (4, 2):
        return placements.problem_of_corners(face, size) or placements.of_corners(face, size)
    return placements.problem_of_points(face, size) or placements.of_points(face, size)


def detected(detector: Detector, file: str, image: Image.Image) -> list[np.ndarray]:
    """What a detector finds in a picture, which messages call `file`.

    Raises:
      UserError: if it fails, or returns something else than faces.
    """
    try:
        told = detector.find(np.array(as_mode(image, 3)))
    except (Exception, SystemExit) as error:  # whatever the user's own code raises
        reason = " ".join(str(error).split())[:200]
        raise UserError(
            f"{detector.where} fails at {file}: {type(error).__name__}: {reason}"
        ) from error
    try:
        faces = [parsed_face(face) for face in told]
    except TypeError:
        faces = [None]
    good = [face for face in faces if face is not None]
    if len(good) < len(faces):
        raise UserError(
            f"{detector.where} returns no list of faces at {file}, but {type(told).__name__}: "
            f"{' '.join(str(told).split())[:100]}; {FACE_FORM}"
        )
    return good


def _flat(value: list[Any]) -> list[Any]:
    return [one for part in value for one in (_flat(part) if isinstance(part, list) else [part])]


def _is_number(value: Any) -> bool:
    known = isinstance(value, int | float | np.number | np.ndarray | tuple)
    return known and not isinstance(value, bool)
