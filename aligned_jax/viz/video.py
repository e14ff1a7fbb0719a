"""Moving pictures as animated WebP, which browsers and Pillow play without anything else."""

from collections.abc import Sequence
from typing import BinaryIO

import numpy as np
from PIL import Image


def save_webp(
    file: BinaryIO, frames: Sequence[np.ndarray], milliseconds: int, hold: int = 0, loop: int = 0
) -> None:
    """Writes frames uint8 [H, W, 1 or 3] as an animation.

    Args:
      file: open for writing.
      frames: all of one size.
      milliseconds: that each is shown.
      hold: more of them for the last.
      loop: times that it plays; 0 is for ever.
    """
    pictures = [Image.fromarray(np.broadcast_to(f, (*f.shape[:2], 3))) for f in frames]
    durations = [milliseconds] * (len(pictures) - 1) + [milliseconds + hold]
    first, *others = pictures
    first.save(
        file,
        "WEBP",
        save_all=True,
        append_images=others,
        duration=durations,
        loop=loop,
        quality=90,
    )
