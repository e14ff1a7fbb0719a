"""Any picture file to a square 8-bit PNG."""

import io
import warnings
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageOps

LARGEST_FILE = 2**28
_WHITE = (255, 255, 255, 255)


def square_png(data: BinaryIO, resolution: int, channels: int) -> bytes:
    """The middle square of a picture, resized, as PNG of one or three channels.

    The picture is turned as its camera says, transparent parts become white, 16
    bits become 8, palettes and CMYK become RGB, and of an animation the first frame is
    taken. Resizing is Lanczos with antialiasing.

    Raises:
      ValueError, OSError, SyntaxError, ...: a damaged file, one of an unknown kind, or one
        with more pixels than a picture should have (Pillow's bound of 89 million).
    """
    out = io.BytesIO()
    square(data, resolution, channels).save(out, "PNG")
    return out.getvalue()


def square(data: BinaryIO, resolution: int, channels: int, crop: bool = True) -> Image.Image:
    """A picture cut square and scaled, before `square_png` encodes it.

    Args:
      data: a file.
      resolution, channels: of the result.
      crop: the middle square is cut out; False refuses a picture that is not square.

    Raises:
      ValueError, OSError, SyntaxError, ...: as `square_png`.
    """
    return fitted(opaque(data, channels), resolution, crop)


def fitted(image: Image.Image, resolution: int, crop: bool = True) -> Image.Image:
    """A picture cut to its middle square and resized (Lanczos with antialiasing).

    Args:
      image: of mode L or RGB.
      resolution: of the result.
      crop: the middle square is cut out; False refuses a picture that is not square.

    Raises:
      ValueError: for a picture that is not square, if nothing may be cut.
    """
    side = min(image.size)
    if not crop and image.width != image.height:
        raise ValueError(f"{image.width}x{image.height} pixels are not square")
    left, top = (image.width - side) // 2, (image.height - side) // 2
    # Cropped before: resizing a box would blend in what lies around it.
    image = image.crop((left, top, left + side, top + side))
    if side != resolution:
        image = image.resize((resolution, resolution), Image.Resampling.LANCZOS)
    return image


def opaque(data: BinaryIO, channels: int | None = None) -> Image.Image:
    """A picture of mode L or RGB, as `square_png` prepares it; of its own mode by default.

    Raises:
      ValueError, OSError, SyntaxError, ...: as `square_png`.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        # Odd metadata spoils no pixels.
        warnings.filterwarnings("ignore", category=UserWarning, module="PIL")
        with Image.open(data) as opened:
            opened.load()
            image = _eight_bits(ImageOps.exif_transpose(opened))
    if channels is None:
        channels = 1 if image.mode in ("1", "L") else 3
    mode = "L" if channels == 1 else "RGB"
    return image if image.mode == mode else image.convert(mode)


def _eight_bits(image: Image.Image) -> Image.Image:
    """The same picture, opaque and with at most 8 bits a channel."""
    if image.mode == "F":
        raise ValueError("pixels are floating-point numbers")
    if image.mode.startswith("I"):
        values = np.asarray(image).astype(np.int64)
        if values.min() < 0 or values.max() > 65535:
            raise ValueError("pixels have more than 16 bits")
        return Image.fromarray(((values + 128) // 257).astype(np.uint8))
    if image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
        image = image.convert("RGBA")
        ground = Image.new("RGBA", image.size, _WHITE)
        return Image.alpha_composite(ground, image)
    return image
