"""Pictures that a page uploads: cut out, and inverted in the parent."""

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from aligned_jax.data import placements
from aligned_jax.data.cropping import cropped
from aligned_jax.data.faces import FACE_FORM, parsed_face, placed_face
from aligned_jax.data.placements import Placement
from aligned_jax.errors import UserError
from aligned_jax.jobs.inversion.run import invert
from aligned_jax.networks.network import Network
from aligned_jax.rendering.latent_batch import LatentBatch
from aligned_jax.utils.reporting import Reporter
from aligned_jax.viewer.album import decoded

MOST_BYTES = 20 << 20
_WAYS, _SPACES = ("encoder", "start", "optimise"), ("z", "w", "w+")
_COMPARE = ("vgg", "alex", "pixels")
_MOST_STEPS = 5000
_LONGEST_FACE, _LONGEST_NAME = 1000, 255  # letters


@dataclass(frozen=True)
class UploadOptions:
    """What a page asks of an upload.

    Attributes:
      face: where the square is that is cut out, as files of faces say it: five points, a box, or
        the corners of a square that may be turned, in pixels of the picture turned as its camera
        says. None cuts out the middle square.
      name: of the file, as the user calls it; it is never opened.
      way: "encoder" alone, "start" (the optimiser begins at an encoder's latents) or "optimise".
      encoder: number of the encoder among those of the command line.
      space: "z", "w" or "w+"; None is the encoder's, or w+.
      steps: of the optimiser.
      compare: by LPIPS of "vgg" or "alex", or by "pixels".
      label: class of a conditional network.
    """

    face: list[Any] | None = None
    name: str = ""
    way: str = "optimise"
    encoder: int = 0
    space: str | None = None
    steps: int = 300
    compare: str = "vgg"
    label: int | None = None


def read_options(given: Mapping[str, str]) -> UploadOptions:
    """Options of words; UserError naming every one that is unknown or cannot be."""
    wrong = [f"{key} is unknown" for key in given if key not in UploadOptions.__dataclass_fields__]
    known: dict[str, Any] = {}
    for key, text in given.items():
        if key == "face":
            known[key] = _read_face(text)
            if known[key] is None:
                wrong.append(f"face is {text!r:.60}; {FACE_FORM}")
        elif key == "name":
            known[key] = text[:_LONGEST_NAME]
        elif key in ("encoder", "steps", "label"):
            most = _MOST_STEPS if key == "steps" else 10**6
            known[key] = int(text) if text.isascii() and text.isdecimal() and len(text) < 9 else -1
            if not 0 <= known[key] <= most:
                wrong.append(f"{key} is {text!r:.40}; it is a whole number from 0 to {most}")
        elif key in ("way", "space", "compare"):
            words = {"way": _WAYS, "space": _SPACES, "compare": _COMPARE}[key]
            known[key] = text
            if text not in words:
                wrong.append(f"{key} is {text!r:.40}; it is {', '.join(words)}")
    if wrong:
        raise UserError("; ".join(wrong))
    return UploadOptions(**known)


def cut_out(
    content: bytes, options: UploadOptions, network: Network
) -> tuple[np.ndarray, Placement]:
    """The square of an upload that is to be inverted, as `--align` cuts it out.

    Args:
      content: of a picture file.
      options: where the square is.
      network: whose pictures it shall be like.

    Returns:
      uint8 [R, R, C] of the network's size, and where it lies; the placement names no file.

    Raises:
      UserError: for what is no picture, or has too many pixels; or for a face that cannot be in it.
    """
    config = network.config
    image = decoded(content, config.img_channels)
    place: Placement | str = placements.of_middle(image.size)
    if options.face is not None:
        place = placed_face(np.asarray(options.face, np.float64), image.size)
    if isinstance(place, str):
        raise UserError(f"this face cannot be cut out: it has {place}")
    square = np.asarray(cropped(image, place, config.img_resolution))
    return square.reshape(*square.shape[:2], config.img_channels), place


class Uploads:
    """How pictures are inverted, as the command line allows it.

    Attributes:
      encoders: as they were named.
      most_bytes: of an upload.
    """

    def __init__(self, encoders: Sequence[str] = (), most_bytes: int = MOST_BYTES) -> None:
        self.encoders, self.most_bytes = tuple(encoders), most_bytes

    def check(self, options: UploadOptions) -> None:
        """Raises UserError if there is no such encoder."""
        if options.way != "optimise" and not options.encoder < len(self.encoders):
            given = ", ".join(self.encoders) or "none was given (--encoder E)"
            raise UserError(f"there is no encoder {options.encoder}: {given}")

    def invert(
        self,
        network: Network,
        picture: np.ndarray,
        place: Placement,
        options: UploadOptions,
        report: Reporter,
    ) -> tuple[LatentBatch, dict[str, float]]:
        """Latents of one picture, and how far what they draw is from it.

        Args:
          network: the parent.
          picture: uint8 [R, R, C].
          place: where it lies in its photograph, which the latents remember.
          options: how.
          report: hears of every step.
        """
        self.check(options)
        chosen = None if options.way == "optimise" else self.encoders[options.encoder]
        alone = options.way == "encoder"
        by_pixels = options.compare == "pixels"
        found = invert(
            network,
            picture[None],
            space=options.space or (None if chosen else "w+"),
            encoder=chosen if alone else None,
            start=None if alone else chosen,
            steps=None if alone else options.steps,
            label=options.label,
            perceptual="none" if by_pixels or alone else options.compare,
            pixels=1.0 if by_pixels or alone else 0.0,
            report=report,
        )
        return dataclasses.replace(found.latents(), placements=(place,)), found.means

    def command(
        self, parent: str, photo: str, faces: str | None, out: str, options: UploadOptions
    ) -> list[str]:
        """The words of `aligned invert` that find the same latents.

        Args:
          parent: name of the network.
          photo: name of the photograph.
          faces: the file that names the face; None cuts out the middle square.
          out: name of the folder.
          options: how.
        """
        chosen = None if options.way == "optimise" else self.encoders[options.encoder]
        words = ["aligned", "invert", parent, photo]
        words += ["--align", faces] if faces else []
        if options.space or not chosen:
            words += ["--space", options.space or "w+"]
        if options.way == "encoder" and chosen:
            words += ["--encoder", chosen, "--perceptual", "none", "--pixels", "1"]
        else:
            words += ["--start", chosen] if chosen else []
            words += ["--steps", str(options.steps)]
            by_pixels = options.compare == "pixels"
            words += ["--perceptual", "none", "--pixels", "1"] if by_pixels else []
            words += ["--perceptual", options.compare] if not by_pixels else []
        words += [] if options.label is None else ["--label", str(options.label)]
        return [*words, "--out", out]


def _read_face(text: str) -> list[Any] | None:
    """A face as files of faces have it; None if it is none."""
    if len(text) > _LONGEST_FACE:
        return None
    try:
        face = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return face if isinstance(face, list) and parsed_face(face) is not None else None
