"""Pictures: float images to 8 bits, and grids of them with labels."""

import functools
import io
import math
from collections.abc import Mapping, Sequence
from typing import Any, BinaryIO, cast

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from PIL.PngImagePlugin import PngInfo

from aligned_jax.errors import UserError
from aligned_jax.utils.text import printable

_MODES = {1: "L", 3: "RGB", 4: "RGBA"}
_INK, _FAINT, _FRAME = (36, 41, 47), (110, 119, 129), (208, 215, 222)
_MARGIN = 8
_BETWEEN = 16  # more pixels between groups of columns


def as_pixels(images: Any) -> np.ndarray:
    """8-bit values of pictures of either kind, NumPy or JAX.

    Args:
      images: uint8 [..., H, W, C], which stay as they are, or floats in [-1, 1].

    Returns:
      uint8 [..., H, W, C], of floats by `to_uint8`; arrays of other types as they are.
    """
    pixels = np.asarray(images)
    return to_uint8(pixels) if np.issubdtype(pixels.dtype, np.floating) else pixels


def to_uint8(images: np.ndarray) -> np.ndarray:
    """8-bit values of images in [-1, 1]: x * 127.5 + 128, clipped and truncated.

    This is how the official scripts write PNG files, so pictures agree with
    theirs to the last bit wherever the floats do.

    Args:
      images: float [..., H, W, C].

    Returns:
      uint8 [..., H, W, C].

    Raises:
      UserError: if a value is not finite.
    """
    images = np.asarray(images, np.float32)
    if not np.isfinite(images).all():
        raise UserError("images hold numbers that are not finite; they cannot be drawn")
    # Clipped before as well: no product may overflow.
    values = np.clip(images, -2, 2) * np.float32(127.5) + np.float32(128)
    return np.clip(values, 0, 255).astype(np.uint8)


def check_channels(channels: int) -> None:
    """Raises UserError unless a PNG can hold images of so many channels."""
    if channels not in _MODES:
        raise UserError(
            f"images of {channels} channels cannot be drawn (1, 3 and 4 can); write them to an .npz"
        )


def tile(images: np.ndarray, columns: int | None = None) -> np.ndarray:
    """Images side by side in reading order, without gaps; empty places are white.

    Args:
      images: uint8 [N, H, W, C].
      columns: images in a row; the square root of N, rounded up, by default.

    Returns:
      uint8 [rows * H, columns * W, C].
    """
    count, height, width, channels = images.shape
    columns = columns or math.ceil(math.sqrt(count))
    rows = math.ceil(count / columns)
    full = np.full((rows * columns, height, width, channels), 255, np.uint8)
    full[:count] = images
    full = full.reshape(rows, columns, height, width, channels).swapaxes(1, 2)
    return full.reshape(rows * height, columns * width, channels)


def figure(
    images: np.ndarray,
    columns: Sequence[str],
    rows: Sequence[str] = (),
    gap: int = 4,
    smallest: int = 112,
    group: int = 0,
    title: str = "",
) -> np.ndarray:
    """A labelled grid on white, with a line around every image.

    Args:
      images: uint8 [R, K, H, W, C], R rows and K columns.
      columns: a label above each column; lines are broken at spaces to fit.
      rows: a label left of each row; none if empty.
      gap: pixels between images.
      smallest: images narrower than this are enlarged by a whole factor, each
        pixel a square, so that labels fit and pixels can be told apart.
      group: columns that belong together; a wider gap follows each such group.
      title: what the whole picture shows, above it; lines are broken at spaces to fit.

    Returns:
      uint8 [height, width, 3 or 4]; transparency stays as it is.
    """
    check_channels(images.shape[-1])
    factor = math.ceil(smallest / images.shape[3])
    images = images.repeat(factor, axis=2).repeat(factor, axis=3)
    _, _, height, width, channels = images.shape
    font = _font(max(13, min(width // 9, 40)))
    headings = [_wrapped(label, font, width) for label in columns]
    line = sum(font.getmetrics())
    left = _MARGIN + (round(max(map(font.getlength, rows))) + _MARGIN if rows else 0)
    # Left edges of the columns.
    edges = [
        left + k * (width + gap) + (k // group * _BETWEEN if group else 0)
        for k in range(len(columns))
    ]
    whole = edges[-1] + width + _MARGIN
    said = _wrapped(title, font, whole - 2 * _MARGIN)
    above = len(said) * line + (_MARGIN if said else 0)
    top = _MARGIN + above + max(len(lines) for lines in headings) * line + gap
    size = (whole, top + images.shape[0] * (height + gap) - gap + _MARGIN)
    canvas = Image.new("RGBA" if channels == 4 else "RGB", size, "white")
    draw = ImageDraw.Draw(canvas)
    for i, text in enumerate(said):
        draw.text((_MARGIN, _MARGIN + i * line), text, _INK, font)
    for k, lines in enumerate(headings):
        centre = edges[k] + width / 2
        for i, text in enumerate(reversed(lines)):
            draw.text((centre, top - gap - i * line), text, _INK, font, anchor="md")
    for r, label in enumerate(rows):
        middle = top + r * (height + gap) + height / 2
        draw.text((left - _MARGIN, middle), label, _FAINT, font, anchor="rm")
    for r, k in np.ndindex(images.shape[:2]):
        x, y = edges[k], top + r * (height + gap)
        draw.rectangle((x - 1, y - 1, x + width, y + height), outline=_FRAME)
        canvas.paste(_picture(images[r, k]), (x, y))
    return np.asarray(canvas)


def spread(marks: Sequence[int], count: int) -> list[int]:
    """At most `count` of sorted marks, dense at the beginning, the first and last among them."""
    if len(marks) <= count:
        return list(marks)
    # Squares of equal steps: the visible change is fastest at the beginning.
    places = np.linspace(0, 1, count) ** 2 * (len(marks) - 1)
    chosen = np.maximum(np.round(places).astype(int), np.arange(count))
    return [marks[i] for i in chosen]


def save_png(
    file: BinaryIO,
    image: np.ndarray,
    text: Mapping[str, str] | None = None,
    profile: bytes = b"",
) -> None:
    """Writes uint8 [H, W, 1, 3 or 4] as PNG, with `text` as text chunks and an ICC profile."""
    check_channels(image.shape[-1])
    info = PngInfo()
    for key, value in (text or {}).items():
        info.add_text(key, printable(value))
    _picture(image).save(file, "PNG", pnginfo=info, icc_profile=profile or None)


def png_bytes(
    image: np.ndarray, text: Mapping[str, str] | None = None, profile: bytes = b""
) -> bytes:
    """The content of the file that `save_png` writes."""
    file = io.BytesIO()
    save_png(file, image, text, profile)
    return file.getvalue()


def reduced(image: np.ndarray, most: int) -> np.ndarray:
    """An image uint8 [H, W, C], averaged by the least whole factor that leaves `most` pixels."""
    factor = math.ceil(max(image.shape[:2]) / most)
    if factor == 1:
        return image
    small = np.asarray(_picture(image).reduce(factor))
    return small.reshape(*small.shape[:2], image.shape[2])


def _picture(image: np.ndarray) -> Image.Image:
    return Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image)


@functools.cache
def _font(size: int) -> ImageFont.FreeTypeFont:
    # With a size Pillow returns no other kind.
    return cast(ImageFont.FreeTypeFont, ImageFont.load_default(size))


def _wrapped(label: str, font: ImageFont.FreeTypeFont, width: int) -> list[str]:
    """Lines of `label` no wider than `width` as far as its spaces allow."""
    lines: list[str] = []
    for word in label.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and font.getlength(longer) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines
