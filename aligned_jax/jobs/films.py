"""Films: what jobs that draw one return, and what is refused before its frames are drawn."""

import os
from dataclasses import dataclass

import numpy as np

from aligned_jax import provenance, viz
from aligned_jax.errors import UserError
from aligned_jax.jobs.sources import Usage
from aligned_jax.provenance import Command

# Bytes of all frames, which are kept in memory until they are written.
_LARGEST = 2**36


@dataclass(frozen=True, eq=False)
class Film:
    """The frames of a film, ready to be written.

    Attributes:
      frames: uint8 [T, H, W, C].
      fps: frames a second.
      scale: a pixel becomes a square of so many pixels when it is written.
      usage: what of the options counted.
    """

    frames: np.ndarray
    fps: float
    scale: int
    usage: Usage

    @property
    def summary(self) -> str:
        """The length in words: "70 frames, 3.5 s"."""
        return f"{len(self.frames)} frames, {len(self.frames) / self.fps:.1f} s"

    def write(
        self,
        out: str | os.PathLike[str],
        command: Command = Command(),  # noqa: B008  # it cannot change
        overwrite: bool = False,
    ) -> None:
        """Writes NAME.webp or NAME.mp4, which says what command made it.

        Raises:
          UserError: if the target is taken, or the disk or the format refuses.
        """
        text = provenance.png_text(command.line)
        viz.save_video(out, self.frames, self.fps, text, overwrite, self.scale)


def check_size(count: int, height: int, width: int, channels: int) -> None:
    """Raises UserError for frames that no memory is meant to hold."""
    size = count * height * width * channels
    if size > _LARGEST:
        raise UserError(
            f"{count} frames of {width}x{height} pixels take {size / 2**30:.0f} GiB of memory; "
            f"{_LARGEST >> 30} GiB is the most: draw fewer frames, and join their files"
        )
