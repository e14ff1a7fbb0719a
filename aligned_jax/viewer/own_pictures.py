"""Pictures of the user that a session holds: where each was cut out, and how it was inverted."""

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aligned_jax.data.placements import Placement
from aligned_jax.errors import UserError
from aligned_jax.viewer.album import PhotoAlbum, UploadedPhoto
from aligned_jax.viewer.uploads import UploadOptions, Uploads

MOST_PICTURES = 100
FACES = "faces.json"


@dataclass(frozen=True, eq=False)
class OwnPicture:
    """One square of a photograph.

    Attributes:
      photo: that it was cut out of.
      place: where.
      options: how it was cut and inverted.
    """

    photo: UploadedPhoto
    place: Placement
    options: UploadOptions

    @property
    def face(self) -> list[Any]:
        """The square as a file of faces has it: as it was asked for, or the box of the middle."""
        if self.options.face is not None:
            return self.options.face
        left, top = self.place.corner
        return [left, top, left + self.place.side, top + self.place.side]


class OwnPictures:
    """The pictures of a session by their numbers, which are words."""

    def __init__(self) -> None:
        self.album = PhotoAlbum()
        self._known: dict[str, OwnPicture] = {}

    def check_room(self, content: bytes) -> None:
        """Raises UserError if there is no room for one more."""
        if len(self._known) >= MOST_PICTURES:
            raise UserError(f"{MOST_PICTURES} pictures are kept; start the program again for more")
        self.album.check_room(content)

    def add(self, one: OwnPicture) -> str:
        """Keeps a picture; returns its number."""
        number = str(len(self._known) + 1)
        self._known[number] = one
        return number

    def photographs(self) -> Mapping[str, str]:
        """The name of the photograph of every picture, by number."""
        return {number: one.photo.name for number, one in [*self._known.items()]}

    def origins(self, numbers: Sequence[str], parent: str, uploads: Uploads) -> list[str]:
        """The lines of a shell, as comments, that find the latents of pictures.

        Args:
          numbers: of the pictures.
          parent: name of the network.
          uploads: that inverted them.
        """
        lines = []
        for number in numbers:
            one, name = self._known[number], f"picture-{number}"
            faces = None if one.options.face is None else _faces_file(number)
            path, out = one.photo.path, f"{name}-inverted"
            words = uploads.command(parent, path, faces, out, one.options)
            lines.append(f"# {shlex.join(words)}")
        return lines

    def files(self, numbers: Sequence[str]) -> dict[str, bytes]:
        """What those lines read, by path, and the faces of all photographs in one file."""
        found: dict[str, bytes] = {}
        for number in numbers:
            one = self._known[number]
            found[one.photo.path] = one.photo.content
            if one.options.face is not None:
                found[_faces_file(number)] = _written({one.photo.name: [one.options.face]})
        return found | ({FACES: self.faces(numbers)} if numbers else {})

    def faces(self, numbers: Sequence[str]) -> bytes:
        """The faces of pictures by photograph, as `--align` takes them.

        Raises:
          UserError: if there are no pictures.
        """
        if not numbers:
            raise UserError("no picture is shown, so that there are no faces to save")
        table: dict[str, list[Any]] = {}
        for number in numbers:
            one = self._known[number]
            entry = table.setdefault(one.photo.name, [])
            entry += [one.face] if one.face not in entry else []
        return _written(table)


def _faces_file(number: str) -> str:
    return f"picture-{number}-{FACES}"


def _written(table: Mapping[str, Any]) -> bytes:
    return (json.dumps(table, indent=1) + "\n").encode()
