"""Pictures that a page uploads: cut out, and inverted in the parent."""

import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from aligned_jax.data import opening, pictures
from aligned_jax.errors import FormatError, UserError
from aligned_jax.jobs.inversion.run import invert
from aligned_jax.networks.network import Network
from aligned_jax.rendering.latent_batch import LatentBatch
from aligned_jax.utils.reporting import Reporter
from aligned_jax.utils.text import said

MOST_BYTES, MOST_PIXELS = 20 << 20, 50_000_000
_WAYS, _SPACES = ("encoder", "start", "optimise"), ("z", "w", "w+")
_COMPARE = ("vgg", "alex", "pixels")
_MOST_STEPS = 5000


@dataclass(frozen=True)
class UploadOptions:
    """What a page asks of an upload.

    Attributes:
      x, y, side: corner and side of the square that is cut out, as shares of the width, the height
        and the shorter side of the picture, turned as its camera says.
      way: "encoder" alone, "start" (the optimiser begins at an encoder's latents) or "optimise".
      encoder: number of the encoder among those of the command line.
      space: "z", "w" or "w+"; None is the encoder's, or w+.
      steps: of the optimiser.
      compare: by LPIPS of "vgg" or "alex", or by "pixels".
      label: class of a conditional network.
    """

    x: float = 0.0
    y: float = 0.0
    side: float = 1.0
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
        if key in ("x", "y", "side"):
            try:
                known[key] = float(text)
            except ValueError:
                known[key] = math.nan
            least = 0.01 if key == "side" else 0.0
            if not least <= known[key] <= 1:
                wrong.append(f"{key} is {text!r:.40}; it is from {least:g} to 1")
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


def cut_out(content: bytes, options: UploadOptions, network: Network) -> np.ndarray:
    """The square of an upload that is to be inverted.

    Args:
      content: of a picture file.
      options: where the square is.
      network: whose pictures it shall be like.

    Returns:
      uint8 [R, R, C] of the network's size: Lanczos with antialiasing.

    Raises:
      UserError: for what is no picture, or has too many pixels.
    """
    channels = network.config.img_channels
    try:
        with opening.calm(), opening.opened(io.BytesIO(content)) as head:
            width, height = head.size
        if width * height > MOST_PIXELS:
            raise UserError(
                f"the picture has {width}x{height} pixels; "
                f"{MOST_PIXELS // 10**6} million is the most"
            )
        with opening.calm():
            image = pictures.opaque(io.BytesIO(content), channels)
    except UserError:
        raise
    except Exception as error:  # Decoders raise all kinds of errors.
        raise FormatError(f"this is no picture that can be read ({said(error)})") from None
    width, height = image.size
    side = max(1, round(options.side * min(width, height)))
    left = min(round(options.x * width), width - side)
    top = min(round(options.y * height), height - side)
    square = image.crop((left, top, left + side, top + side))
    fitted = pictures.fitted(square, network.config.img_resolution)
    return np.asarray(fitted).reshape(*fitted.size[::-1], channels)


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
        self, network: Network, picture: np.ndarray, options: UploadOptions, report: Reporter
    ) -> tuple[LatentBatch, dict[str, float]]:
        """Latents of one picture, and how far what they draw is from it.

        Args:
          network: the parent.
          picture: uint8 [R, R, C].
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
        return found.latents(), found.means

    def command(self, parent: str, name: str, options: UploadOptions) -> list[str]:
        """The words of `aligned invert` that find the same latents of NAME-crop.png."""
        chosen = None if options.way == "optimise" else self.encoders[options.encoder]
        words = ["aligned", "invert", parent, f"{name}-crop.png"]
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
        return [*words, "--out", f"{name}-inverted"]
