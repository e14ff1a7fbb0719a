"""Animated WebP by Pillow."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, BinaryIO

import numpy as np
from PIL import Image

from aligned_jax.viz.frames import enlarged

_QUALITY = 90  # 100 is twice as large; of lossless files it is the effort
_EXIF = {"Comment": 0x010E, "Software": 0x0131}  # ImageDescription and Software


def save_webp(
    file: BinaryIO,
    frames: Iterable[np.ndarray],
    milliseconds: int | Sequence[int],
    hold: int = 0,
    loop: int = 0,
    text: Mapping[str, str] | None = None,
    scale: int = 1,
    lossless: bool = False,
) -> None:
    """Writes frames uint8 [H, W, 1, 3 or 4] as an animation.

    Args:
      file: open for writing.
      frames: all of one size; they must have a length if `milliseconds` is one number.
      milliseconds: that each is shown, or those of every frame.
      hold: more of them for the last.
      loop: times that it plays; 0 is for ever.
      text: `Comment` and `Software`, kept as EXIF.
      scale: every pixel becomes a square of so many pixels.
      lossless: keeps every bit of what is visible.
    """
    exif = Image.Exif()
    for key, value in (text or {}).items():
        exif[_EXIF[key]] = value
    if isinstance(milliseconds, int):
        frames = list(frames)
        lasting = [milliseconds] * len(frames)
    else:
        lasting = [*milliseconds]
    lasting[-1] += hold
    ordered = iter(frames)
    first = _image(next(ordered), scale)
    others = [_Frames(ordered, len(lasting) - 1, scale)] if len(lasting) > 1 else []
    first.save(
        file,
        "WEBP",
        save_all=True,
        append_images=others,
        duration=lasting,
        loop=loop,
        quality=_QUALITY,
        exif=exif,
        lossless=lossless,
    )
    next(ordered, None)  # whoever gives the frames hears that the last one is written


class _Frames:
    """Frames as one animation that Pillow takes apart; only one of them is an image at a time."""

    def __init__(self, frames: Iterator[np.ndarray], count: int, scale: int) -> None:
        self._frames, self._scale = frames, scale
        self.n_frames, self._number = count, -1
        self.seek(0)

    def seek(self, number: int) -> None:
        """Makes this frame the current one, which is the same or the next."""
        for _ in range(self._number, number):
            self._shown = _image(next(self._frames), self._scale)
        self._number = number

    def __getattr__(self, name: str) -> Any:
        return getattr(self._shown, name)


def _image(frame: np.ndarray, scale: int) -> Image.Image:
    frame = frame[..., 0] if frame.shape[-1] == 1 else frame
    return Image.fromarray(enlarged(frame, scale))
