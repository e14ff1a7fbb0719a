"""Photographs that faces were cut out of, read again as a whole."""

import dataclasses
import hashlib
import io
import os
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from aligned_jax.data import pictures
from aligned_jax.data.image_files import ImageFiles, Item, reason
from aligned_jax.data.opening import read_file
from aligned_jax.data.placements import Placement
from aligned_jax.errors import UserError
from aligned_jax.utils.text import listed


@dataclass(frozen=True, eq=False)
class Photograph:
    """A whole picture.

    Attributes:
      pixels: uint8 [H, W, C], turned as its camera says: grey (1), colours (3), or colours and
        opacity (4) if parts are transparent.
      profile: what its numbers mean, as an ICC profile; empty if the file does not say it.
    """

    pixels: np.ndarray
    profile: bytes = b""

    def profile_of(self, pixels: np.ndarray) -> bytes:
        """The profile, if it is one of pictures with the channels of uint8 [H, W, C]."""
        kind = b"GRAY" if pixels.shape[2] == 1 else b"RGB "
        return self.profile if self.profile[16:20] == kind else b""


def read_photograph(place: Placement) -> Photograph:
    """The photograph that a square was cut out of.

    Raises:
      UserError: if it is not there any more, or another one.
    """
    check_photographs([place])
    return photograph_of(_content(place.photo))


def photograph_of(content: io.BytesIO) -> Photograph:
    """The photograph of a file.

    Raises:
      ValueError, OSError, SyntaxError, ...: as `pictures.whole`.
    """
    image = pictures.whole(content)
    pixels = np.asarray(image)
    profile = image.info.get("icc_profile") or b""
    return Photograph(pixels.reshape(*pixels.shape[:2], -1), profile)


def check_photographs(places: Iterable[Placement]) -> None:
    """Raises UserError naming all photographs that are not there any more, or are others now.

    Args:
      places: of squares that were cut out of them.
    """
    lost, changed = [], []
    for photo, digest in dict.fromkeys((place.photo, place.digest) for place in places):
        try:
            found = hashlib.sha256(_content(photo).getbuffer()).hexdigest()
        except (OSError, ValueError, KeyError) as error:
            lost.append(f"{photo} ({getattr(error, 'strerror', None) or reason(error)})")
            continue
        changed += [photo] if found != digest else []
    told = [f"{listed(lost)} cannot be read"] if lost else []
    told += [f"{listed(changed)} changed since"] if changed else []
    if told:
        raise UserError(
            f"faces go back into the photographs that they were cut out of, but {'; '.join(told)}"
        )


def found_from(place: Placement, folder: str | os.PathLike[str]) -> Placement:
    """A placement whose photograph is looked for from a folder of results upwards.

    Files of latents name a photograph as the command did that made them. From another working
    folder, or after all has moved together, the name holds from a folder above those files.

    Args:
      place: of a square; it is returned as it is if its photograph is where it says, or nowhere.
      folder: of the file that tells it.
    """
    if not place.photo or os.path.isabs(place.photo) or _stored(place.photo):
        return place
    start = Path(folder).absolute()
    for above in (start, *start.parents):
        if _stored(name := os.path.join(above, place.photo)):
            return dataclasses.replace(place, photo=os.path.normpath(name))
    return place


def _content(photo: str) -> io.BytesIO:
    """The bytes of a file, or of a picture in a zip."""
    if (stored := _stored(photo)) is None:
        raise FileNotFoundError(2, "no such file")
    path, inner = stored
    if not inner:
        return read_file(path)
    with closing(ImageFiles(path)) as files:
        return files.read(Item(inner, 0))


def _stored(photo: str) -> tuple[str, str] | None:
    """The file of a photograph, and its name within if that is a zip; None if there is none."""
    place, inner = photo, ""
    while not os.path.isfile(place):
        place, slash, part = place.rpartition("/")
        if not slash or not place:
            return None
        inner = f"{part}/{inner}" if inner else part
    return place, inner
