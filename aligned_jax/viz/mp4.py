"""Films in H.264 by the ffmpeg of the extra `video`."""

import contextlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from typing import BinaryIO

import numpy as np

from aligned_jax.errors import UserError
from aligned_jax.utils import ffmpeg
from aligned_jax.viz.frames import FrameStream, Sound, enlarged, opaque

_CRF = "16"  # smaller is better and larger
_SOUNDS = ("aac", "mp3", "ac3", "eac3", "alac", "opus")  # that players expect in an mp4


def save_mp4(
    file: BinaryIO,
    frames: np.ndarray | FrameStream,
    fps: float,
    text: Mapping[str, str],
    scale: int,
    sound: Sound | None = None,
) -> None:
    """Writes frames as a film.

    Args:
      file: open for writing.
      frames: uint8 [T, H, W, 1, 3 or 4]; sizes that are odd get their last row or column twice.
      fps: frames a second.
      text: `Comment` and `Software`, kept as metadata.
      scale: every pixel becomes a square of so many pixels.
      sound: is kept, as it is where an mp4 may hold it.

    Raises:
      UserError: with what ffmpeg says, if it fails.
    """
    odd = [side * scale % 2 for side in frames.shape[1:3]]
    height, width = (side * scale + more for side, more in zip(frames.shape[1:3], odd, strict=True))
    about = [word for key, value in text.items() for word in ("-metadata", f"{key}={value}")]
    with tempfile.TemporaryDirectory() as folder:
        # Not a pipe: the index of an mp4 is written last, to the front of the file.
        name = os.path.join(folder, "film.mp4")
        source = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}"]
        source += ["-r", str(fps), "-i", "-"]
        if sound is not None:
            source += [*ffmpeg.ONLY_FILES, "-i", os.path.abspath(sound.film)]
            source += ["-map", "0:v", "-map", "1:a:0"]
            source += ["-c:a", "copy" if sound.codec in _SOUNDS else "aac"]
        target = ["-c:v", "libx264", "-crf", _CRF, "-pix_fmt", "yuv420p", "-movflags", "+faststart"]
        command = [ffmpeg_program(), "-v", "error", *source, *target, *about, name]
        shown = (enlarged(opaque(frame), scale) for frame in frames)
        padding = [(0, odd[0]), (0, odd[1]), (0, 0)]
        _feed(command, (np.pad(frame, padding, mode="edge") for frame in shown))
        with open(name, "rb") as made:
            shutil.copyfileobj(made, file)


def _feed(command: Sequence[str], frames: Iterable[np.ndarray]) -> None:
    """Runs ffmpeg on frames; raises UserError with its words if it fails."""
    with tempfile.TemporaryFile() as said:
        running = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=said, stderr=said)
        with running, contextlib.suppress(BrokenPipeError):  # its words say why it reads no more
            if running.stdin is not None:  # a pipe, as asked for
                with running.stdin as pipe:
                    for frame in frames:
                        pipe.write(np.ascontiguousarray(frame).data)
        if running.returncode:
            said.seek(0)
            words = said.read().decode(errors="replace").strip()
            if running.returncode < 0 or re.search("no space left|file too large", words, re.I):
                raise UserError(
                    f"ffmpeg stopped in the middle of the film ({words or 'without a word'}); "
                    f"nothing was left behind. Is the disk of {tempfile.gettempdir()} full?"
                )
            raise UserError(f"ffmpeg cannot write this mp4: {words}; write NAME.webp")


def ffmpeg_program() -> str:
    """Path of ffmpeg; raises UserError without the extra `video`."""
    return ffmpeg.ffmpeg_program("an mp4", "write NAME.webp")
