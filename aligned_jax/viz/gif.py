"""Animated GIFs, written frame by frame: Pillow's own writer keeps all frames in memory."""

import struct
from collections.abc import Iterable, Iterator
from typing import BinaryIO

import numpy as np
from PIL import GifImagePlugin, Image

_EXTENSION, _COMMENT, _APPLICATION, _END = b"\x21", b"\xfe", b"\xff", b"\x3b"
_FOR_EVER = b"\x0bNETSCAPE2.0\x03\x01\x00\x00\x00"
_BLOCK = 255  # bytes of a comment in one piece


def save_gif(
    file: BinaryIO, frames: Iterable[np.ndarray], hundredths: Iterable[int], comment: str = ""
) -> None:
    """Writes an animation that plays for ever.

    Every frame has the 256 colours of its own that suit it best, without dithering.

    Args:
      file: open for writing.
      frames: uint8 [H, W, 3], all of one size; only one at a time is kept.
      hundredths: of a second that each frame is shown.
      comment: that the file holds.
    """
    for number, (frame, lasts) in enumerate(zip(frames, hundredths, strict=True)):
        if not number:
            height, width = frame.shape[:2]
            file.write(b"GIF89a" + struct.pack("<HHBBB", width, height, 0, 0, 0))
            file.write(_EXTENSION + _APPLICATION + _FOR_EVER)
            file.writelines(_comment(comment))
        image = Image.fromarray(frame).quantize(256, dither=Image.Dither.NONE)
        file.writelines(
            GifImagePlugin.getdata(image, duration=10 * lasts, include_color_table=True)
        )
    file.write(_END)


def _comment(text: str) -> Iterator[bytes]:
    data = text.encode()
    if data:
        yield _EXTENSION + _COMMENT
        for start in range(0, len(data), _BLOCK):
            part = data[start : start + _BLOCK]
            yield bytes([len(part)]) + part
        yield b"\0"
