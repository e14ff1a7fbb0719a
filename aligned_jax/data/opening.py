"""The one place where picture files are opened: known formats, bounded sizes, regular files.

Pillow decides by content how to read a file, and would start Ghostscript for an EPS that is
called .png. So every picture of this project is opened by `opened`, with a list of formats
that Pillow itself, or a library in it, decodes.
"""

import contextlib
import functools
import io
import logging
import os
import warnings
from collections.abc import Iterator
from typing import BinaryIO

import numpy as np
from PIL import Image

from aligned_jax.utils import reading

# EPS and others that start programs, or ask plug-ins, are not among them.
FORMATS = (
    *("PNG", "JPEG", "WEBP", "BMP", "DIB", "TIFF", "GIF"),
    *("PPM", "JPEG2000", "AVIF", "ICO", "TGA"),
)
COMMON = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff", ".gif")
# Less common names of the same formats.
RARE = (
    *(".jpe", ".jfif", ".apng", ".avif", ".jp2", ".j2k", ".j2c", ".jpc", ".jpf", ".jpx"),
    *(".ppm", ".pgm", ".pbm", ".pnm", ".dib", ".ico", ".tga"),
)
SUFFIXES = COMMON + RARE
LARGEST_FILE = 2**28  # bytes
LARGEST_PICTURE = 89_478_485  # pixels, Pillow's own bound
# How files of the formats begin; TGA has no mark, and ICO and BMP none that others lack.
_MARKS = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF87a", b"GIF89a", b"\xff\x4f\xff\x51")
_JPEG2000 = b"\0\0\0\x0cjP  \r\n\x87\n"
_TIFF = (b"II*\0", b"MM\0*")
_HEAD = 16


@contextlib.contextmanager
def opened(data: BinaryIO) -> Iterator[Image.Image]:
    """A picture whose head is read; its pixels are when they are asked for.

    Args:
      data: a file that is open, or bytes in an `io.BytesIO`.

    Raises:
      ValueError, OSError, SyntaxError, ...: a damaged file, one of an unknown kind, or one
        with more pixels than a picture should have (89 million).
    """
    _hush()
    with Image.open(data, formats=FORMATS) as image:
        if image.width * image.height > LARGEST_PICTURE:
            raise Image.DecompressionBombError(
                f"{image.width}x{image.height} pixels are more than a picture should have"
            )
        yield image


def pixels_of(content: bytes) -> np.ndarray:
    """The pixels of a file that this program wrote, uint8 [H, W, C]; raises as `opened`."""
    with opened(io.BytesIO(content)) as image:
        pixels = np.asarray(image)
    return pixels.reshape(*pixels.shape[:2], -1)


@functools.cache
def _hush() -> None:
    """Keeps what Pillow logs of damaged files off the terminal; they are told of once, by us."""
    logger = logging.getLogger("PIL")
    if logger.level == logging.NOTSET:
        logger.setLevel(logging.CRITICAL)


@contextlib.contextmanager
def calm() -> Iterator[None]:
    """Keeps Pillow's remarks on odd metadata, which spoils no pixels, from the user."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # `opened` refuses those
        warnings.filterwarnings("ignore", category=UserWarning, module="PIL")
        yield


def read_file(path: str | os.PathLike) -> io.BytesIO:
    """The bytes of a picture file.

    Raises:
      OSError: if it cannot be read.
      ValueError: if it is not a regular file (but a pipe or a device), or too large.
    """
    with reading.open_regular(path) as file:
        try:
            size = os.fstat(file.fileno()).st_size
        except io.UnsupportedOperation:  # in a bucket
            size = LARGEST_FILE + 1
        else:
            check_size(size)
        data = file.read(size)
    check_size(len(data))
    return io.BytesIO(data)


def check_size(size: int) -> None:
    """Raises ValueError for a file of more bytes than a picture should have."""
    if size > LARGEST_FILE:
        raise ValueError(f"a file of {size:,} bytes is too large")


def suffix_of(name: str) -> str:
    """The ending of a file's name in small letters, such as ".png"; "" without one."""
    return os.path.splitext(name)[1].lower()


def is_marked(head: bytes, suffix: str) -> bool:
    """Whether a file begins as pictures do, whatever it is called.

    Args:
      head: its first 16 bytes, or all.
      suffix: of its name. Raw photographs begin as TIFF does, and hold a small copy where
        TIFF has the picture; so that mark counts for files without a suffix alone.
    """
    if head.startswith(_MARKS) or head.startswith(_JPEG2000):
        return True
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return True
    if head[4:12] in (b"ftypavif", b"ftypavis"):
        return True
    if head[:1] == b"P" and head[1:2] in b"123456" and head[2:3] in (b"\n", b" ", b"\t", b"\r"):
        return True
    return not suffix and head.startswith((*_TIFF, b"BM"))


def is_picture(data: BinaryIO) -> bool:
    """Whether a file can be opened as a picture; its pixels are not looked at."""
    try:
        with calm(), opened(data):
            return True
    except Exception:  # Decoders raise all kinds of errors.
        return False


def is_picture_file(path: str) -> bool:
    """Whether a regular file is a picture by its suffix or, where that is another, its content."""
    if not os.path.isfile(path):
        return False
    suffix = suffix_of(path)
    if suffix in SUFFIXES:
        return True
    try:
        with reading.open_regular(path) as file:
            marked = is_marked(file.read(_HEAD), suffix)
        return marked and is_picture(read_file(path))
    except (OSError, ValueError):
        return False
