"""Photographs that a page uploads, whole, so that faces can go back into them."""

import hashlib
import io
import os
import re
import threading
from collections.abc import Iterable
from dataclasses import dataclass

from PIL import Image

from aligned_jax.data import opening, pictures
from aligned_jax.data.photographs import Photograph, photograph_of
from aligned_jax.data.placements import Placement
from aligned_jax.errors import FormatError, UserError
from aligned_jax.utils.text import said
from aligned_jax.viewer.kept import Kept

FOLDER = "photographs"  # of a zip, and of what placements say
MOST_PIXELS = 50_000_000
_MOST_BYTES = 512 << 20
_LONGEST_NAME = 40
# Of formats whose files are not called after them.
_SUFFIXES = {"JPEG": ".jpg", "JPEG2000": ".jp2", "TIFF": ".tif", "PPM": ".ppm", "DIB": ".dib"}


@dataclass(frozen=True, eq=False)
class UploadedPhoto:
    """A photograph as it was uploaded.

    Attributes:
      name: by which tables of faces, commands and zips know it, like "party.jpg".
      content: of its file.
      digest: SHA-256 of the content.
    """

    name: str
    content: bytes
    digest: str

    @property
    def path(self) -> str:
        """Where a zip has it, and placements say it is."""
        return f"{FOLDER}/{self.name}"

    @property
    def stem(self) -> str:
        """The name without its ending, by which results are called."""
        return os.path.splitext(self.name)[0]


def head_of(content: bytes) -> tuple[tuple[int, int], str]:
    """Width and height of a picture as it is stored, and its format.

    Raises:
      UserError: for what is no picture, or has too many pixels.
    """
    try:
        with opening.calm(), opening.opened(io.BytesIO(content)) as head:
            size, kind = head.size, str(head.format)
    except Exception as error:  # Decoders raise all kinds of errors.
        raise _no_picture(error) from None
    if size[0] * size[1] > MOST_PIXELS:
        raise UserError(
            f"the picture has {size[0]}x{size[1]} pixels; {MOST_PIXELS // 10**6} million is the "
            "most"
        )
    return size, kind


def decoded(content: bytes, channels: int) -> Image.Image:
    """The picture, turned as its camera says, of so many channels; raises as `head_of`."""
    head_of(content)
    try:
        with opening.calm():
            return pictures.opaque(io.BytesIO(content), channels)
    except Exception as error:
        raise _no_picture(error) from None


class PhotoAlbum:
    """The photographs that a session keeps, each once however often it is uploaded."""

    def __init__(self, most_bytes: int = _MOST_BYTES) -> None:
        self._photos: dict[str, UploadedPhoto] = {}
        self._most = most_bytes
        self._lock = threading.Lock()
        self._decoded: Kept[Photograph] = Kept(1)  # one at a time: they are large

    def check_room(self, content: bytes) -> None:
        """Raises UserError if no more photographs can be kept."""
        others = [one.content for one in [*self._photos.values()] if one.content != content]
        if sum(map(len, others)) + len(content) > self._most:
            raise UserError(
                f"photographs of {self._most >> 20} MB are kept; start the program again for more"
            )

    def add(self, content: bytes, called: str = "") -> UploadedPhoto:
        """Keeps a photograph.

        Args:
          content: of its file.
          called: how the user calls the file; nothing but letters, digits and "-_." of it counts,
            and a name that another one has gets a number.
        """
        digest = hashlib.sha256(content).hexdigest()
        if digest not in self._photos:
            _, kind = head_of(content)
            suffix = _SUFFIXES.get(kind, f".{kind.lower()}")
            name = _unused(_plain(called), {one.stem for one in self._photos.values()}) + suffix
            self._photos[digest] = UploadedPhoto(name, content, digest)
        return self._photos[digest]

    def named(self, name: object) -> UploadedPhoto:
        """The photograph of a name; raises UserError if there is none."""
        for one in [*self._photos.values()]:
            if one.name == name:
                return one
        raise UserError(f"there is no photograph {name!r:.60}; upload it again")

    def of(self, places: Iterable[Placement]) -> list[UploadedPhoto]:
        """The photographs that these squares were cut out of, each once, in their order."""
        digests = dict.fromkeys(place.digest for place in places)
        return [self._photos[digest] for digest in digests if digest in self._photos]

    def pixels(self, photo: UploadedPhoto) -> Photograph:
        """The whole picture, as `aligned_jax.data.photographs` reads it."""
        with self._lock:
            return self._decoded.get(photo.digest, lambda: photograph_of(io.BytesIO(photo.content)))


def _plain(called: str) -> str:
    stem = os.path.splitext(re.split(r"[/\\]", called)[-1])[0]
    stem = re.sub(r"[^A-Za-z0-9._-]+", "_", stem)[:_LONGEST_NAME].strip("._-")
    return stem or "photograph"


def _unused(stem: str, used: set[str]) -> str:
    known = {one.lower() for one in used}
    number, name = 1, stem
    while name.lower() in known:
        number += 1
        name = f"{stem}-{number}"
    return name


def _no_picture(error: Exception) -> FormatError:
    return FormatError(f"this is no picture that can be read ({said(error)})")
