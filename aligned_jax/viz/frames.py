"""Frames of films one by one: streams of them, their size, their colours on white."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np


@dataclass(frozen=True, eq=False)
class FrameStream:
    """Frames that need not be in memory.

    Attributes:
      shape: number, height, width and channels.
      frames: uint8 [H, W, 1, 3 or 4] each, in order.
    """

    shape: tuple[int, int, int, int]
    frames: Iterable[np.ndarray]

    def __iter__(self) -> Iterator[np.ndarray]:
        return iter(self.frames)


class Sound(NamedTuple):
    """The first sound of a film.

    Attributes:
      film: its file.
      codec: of the sound, as ffmpeg calls it.
    """

    film: str
    codec: str


def enlarged(frame: np.ndarray, scale: int) -> np.ndarray:
    """A frame [H, W, ...] whose pixels are squares: [H * scale, W * scale, ...]."""
    return frame.repeat(scale, axis=0).repeat(scale, axis=1) if scale > 1 else frame


def opaque(frame: np.ndarray) -> np.ndarray:
    """A frame uint8 [H, W, 1, 3 or 4] as uint8 [H, W, 3], on white."""
    if frame.shape[-1] == 4:
        alpha = frame[..., 3:].astype(np.uint16)
        mixed = frame[..., :3] * alpha + 255 * (255 - alpha)
        return ((mixed + 127) // 255).astype(np.uint8)
    return np.broadcast_to(frame, (*frame.shape[:2], 3))
