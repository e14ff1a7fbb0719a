"""Any picture file to a square 8-bit picture of one, three or four channels."""

import io
import re
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageOps

from aligned_jax.data.opening import calm, opened
from aligned_jax.errors import UserError

MODES = {1: "L", 3: "RGB", 4: "RGBA"}
# What becomes of a picture that is not square.
FITS = ("crop", "pad", "stretch")
Colour = tuple[int, int, int, int]
WHITE: Colour = (255, 255, 255, 255)
CLEAR: Colour = (255, 255, 255, 0)
_COLOUR = re.compile("#([0-9a-fA-F]{3}|[0-9a-fA-F]{6}|[0-9a-fA-F]{8})")


@dataclass(frozen=True)
class Squared:
    """A picture made square, and what that took.

    Attributes:
      image: of mode L, RGB or RGBA.
      excess: how much of the longer side the shorter one lacks, in [0, 1); 0 for a square.
      transparent: whether parts of the original were.
    """

    image: Image.Image
    excess: float
    transparent: bool

    def png(self) -> bytes:
        """The picture as a PNG file."""
        out = io.BytesIO()
        self.image.save(out, "PNG")
        return out.getvalue()


def squared(
    data: BinaryIO, resolution: int, channels: int, fit: str = "crop", ground: Colour = WHITE
) -> Squared:
    """A picture of any kind, made square.

    The picture is turned as its camera says, 16 bits become 8, palettes and CMYK become RGB,
    and of an animation the first frame is taken. Transparent parts become white, but in four
    channels. Resizing is Lanczos with antialiasing.

    Args:
      data: a file.
      resolution: of the result.
      channels: 1, 3 or 4.
      fit: "crop" takes the middle square, "pad" adds margins, "stretch" distorts.
      ground: colour of margins.

    Raises:
      ValueError, OSError, SyntaxError, ...: a damaged file, one of an unknown kind, or one
        with more pixels than a picture should have.
    """
    image, transparent = _prepared(data, channels)
    longer = max(image.size)
    excess = (longer - min(image.size)) / longer
    return Squared(fitted(image, resolution, fit, ground), excess, transparent)


def fitted(
    image: Image.Image, resolution: int, fit: str = "crop", ground: Colour = WHITE
) -> Image.Image:
    """A picture made square and resized (Lanczos with antialiasing).

    Args:
      image: of mode L, RGB or RGBA.
      resolution, fit, ground: as for `squared`.
    """
    if fit == "pad" and image.width != image.height:
        return _padded(image, resolution, ground)
    if fit == "crop":
        side = min(image.size)
        left, top = (image.width - side) // 2, (image.height - side) // 2
        # Cropped before: resizing a box would blend in what lies around it.
        image = image.crop((left, top, left + side, top + side))
    return resized(image, resolution, resolution)


def _padded(image: Image.Image, resolution: int, ground: Colour) -> Image.Image:
    """The whole picture, with margins on both sides; resized before, so that none blends in."""
    scale = resolution / max(image.size)
    width, height = (max(1, round(side * scale)) for side in image.size)
    colour = Image.new("RGBA", (1, 1), ground).convert(image.mode).getpixel((0, 0))
    square = Image.new(image.mode, (resolution, resolution), colour)
    place = (resolution - width) // 2, (resolution - height) // 2
    square.paste(resized(image, width, height), place)
    return square


def resized(image: Image.Image, width: int, height: int) -> Image.Image:
    """A picture of another size (Lanczos with antialiasing)."""
    if image.size == (width, height):
        return image
    return image.resize((width, height), Image.Resampling.LANCZOS)


def opaque(data: BinaryIO, channels: int | None = None) -> Image.Image:
    """A picture of mode L or RGB (RGBA for 4 channels), prepared as by `squared`.

    Args:
      data: a file.
      channels: 1, 3 or 4; None takes 1 or 3, as the picture has.

    Raises:
      ValueError, OSError, SyntaxError, ...: as `squared`.
    """
    return _prepared(data, channels)[0]


def parse_colour(text: str, alpha: bool = False) -> Colour:
    """The colour that "#rgb", "#rrggbb" or, where `alpha` is kept, "#rrggbbaa" stands for.

    Raises:
      UserError: for other texts.
    """
    match = _COLOUR.fullmatch(text)
    digits = match[1] if match else ""
    digits = "".join(2 * digit for digit in digits) if len(digits) == 3 else digits
    if not digits or (len(digits) == 8 and not alpha):
        more = " or, with alpha, #rrggbbaa" if alpha else ""
        raise UserError(f"{text!r:.40} is no colour; write it as #rrggbb{more}")
    red, green, blue, opacity = bytes.fromhex(digits.ljust(8, "f"))
    return red, green, blue, opacity


def whole(data: BinaryIO) -> Image.Image:
    """A picture of mode L, RGB or, if parts are transparent, RGBA; prepared as by `squared`.

    Raises:
      ValueError, OSError, SyntaxError, ...: as `squared`.
    """
    image, transparent = _read(data)
    return image if transparent else as_mode(image, None)


def _prepared(data: BinaryIO, channels: int | None) -> tuple[Image.Image, bool]:
    """A picture of one, three or four channels, and whether parts of it are transparent."""
    image, transparent = _read(data)
    return as_mode(image, channels), transparent


def _read(data: BinaryIO) -> tuple[Image.Image, bool]:
    """The picture in 8 bits, and whether parts of it are transparent."""
    with calm():
        with opened(data) as file:
            file.load()
            image = ImageOps.exif_transpose(file)
        del file  # a large picture has 360 MB, and there will be more copies of it
        image = _eight_bits(image)
        transparent = False
        if image.mode == "RGBA":
            transparent = image.getchannel("A").tobytes().strip(b"\xff") != b""
        return image, transparent


def as_mode(image: Image.Image, channels: int | None) -> Image.Image:
    """A picture as L, RGB or RGBA; but for RGBA, what is transparent becomes white.

    Args:
      image: of 8 bits a channel, of any mode.
      channels: 1, 3 or 4; None takes 1 or 3, as the picture has.
    """
    if image.mode == "RGBA" and channels != 4:
        image = Image.alpha_composite(Image.new("RGBA", image.size, WHITE), image)
    if channels is None:
        channels = 1 if image.mode in ("1", "L") else 3
    if channels == 4 and image.mode not in ("RGBA", "L"):
        image = image.convert("RGB")  # not every mode knows the way to RGBA
    mode = MODES[channels]
    return image if image.mode == mode else image.convert(mode)


def _eight_bits(image: Image.Image) -> Image.Image:
    """The same picture with at most 8 bits a channel, RGBA if it may be transparent."""
    if image.mode == "F":
        raise ValueError("pixels are floating-point numbers")
    if image.mode.startswith("I"):
        values = np.asarray(image)
        if values.min() < 0 or values.max() > 65535:
            raise ValueError("pixels have more than 16 bits")
        rounded = values.astype(np.uint32)
        rounded += 128
        rounded //= 257
        return Image.fromarray(rounded.astype(np.uint8))
    if image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
        return image.convert("RGBA")
    return image
