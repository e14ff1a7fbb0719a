"""Films of a face that changes inside its photograph, which stays as it is around it."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from aligned_jax import viz
from aligned_jax.data import targets
from aligned_jax.data.photographs import check_photographs, read_photograph
from aligned_jax.data.placements import Placement
from aligned_jax.errors import UserError
from aligned_jax.jobs.films import Film
from aligned_jax.jobs.pasting import PasteOptions, known_placements
from aligned_jax.jobs.pending import Pending
from aligned_jax.rendering.pasting import FEATHER, Face, pasted


@dataclass(frozen=True, eq=False)
class MorphFilm(Film):
    """A film, which may belong into a photograph.

    Attributes:
      placement: where it lies there, or None.
      feather: width of the seam, in sides of the square that was cut out.
    """

    placement: Placement | None = None
    feather: float = FEATHER

    def in_photograph(self, film: Film | None = None) -> Film:
        """The whole photograph with each frame in its place, of its own size whatever `scale` is.

        Args:
          film: that draws the frames; this one, unless another shares them.

        Raises:
          UserError: if there is no photograph, it is not there any more, or it is another one now.
        """
        place = self.placement
        if place is None:
            raise UserError("no key frame of this film says in which photograph it belongs")
        photo, frames = read_photograph(place).pixels, film or self
        channels = photo.shape[2]
        if channels == 1 and self.shape[3] > 1:  # a grey photograph takes the colours of the face
            channels = 3

        def draw() -> Iterator[np.ndarray]:
            for frame in frames:
                yield pasted(photo, [Face(frame, place)], self.feather)

        shape = (len(self), *photo.shape[:2], channels)
        return Film(shape, draw, self.fps, 1, self.usage)


def place_of(keys: Sequence[Pending]) -> Placement | None:
    """Where a film through key frames lies: where the first one that was cut out of a file does.

    That of the others does not count. A film has one frame, and a face that comes from another
    photograph, or from elsewhere in the same, comes to this place as one of a seed does.

    Args:
      keys: one latent or picture each.
    """
    known = (places[0] for key in keys if (places := known_placements(key)))
    return next((place for place in known if place.photo), None)


def check_pasted(
    paste: PasteOptions,
    place: Placement | None,
    frames: int,
    fps: float,
    lossless: bool,
) -> None:
    """Looks at all that may be wrong before long work, if the photograph's film will be written.

    Args:
      paste: whether, and under which name.
      place: of the film, as of `place_of`.
      frames: their number.
      fps: of them a second.
      lossless: whether a webp will be written so.

    Raises:
      UserError: if no key frame knows its photograph, it is not there any more, or the target
        cannot be.
    """
    if paste.paste_back is None:
        return
    if place is None:
        raise UserError(
            "no key frame says in which photograph it belongs; give a picture, or the file of one "
            "by `aligned invert`"
        )
    shape = (frames, place.size[1], place.size[0])
    viz.check_video(paste.paste_back, paste.overwrite, fps, shape, 1, lossless)
    targets.check_apart([place.photo], [os.fspath(paste.paste_back)])
    check_photographs([place])
