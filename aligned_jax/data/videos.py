"""Videos, decoded frame by frame by the ffmpeg of the extra `video`."""

import contextlib
import os
import re
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from aligned_jax.errors import FormatError
from aligned_jax.utils import ffmpeg

SUFFIXES = (".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".ts", ".ogv", ".3gp")
# Demuxers that open nothing but the file itself: a list of other files or addresses is no film.
_CONTAINERS = "mov,matroska,avi,mpegts,mpeg,ogg,flv"
_HEAD = re.compile(rb"YUV4MPEG2 W(\d+) H(\d+) F(\d+):(\d+)")
_SOUND = re.compile(r"Stream #\S+ Audio: (\w+)")
_LASTING = re.compile(r"Duration: (\d+):(\d+):([\d.]+)")


@dataclass(frozen=True)
class VideoFacts:
    """What a video is.

    Attributes:
      size: width and height, turned as its camera says.
      fps: frames a second.
      sound: the codec of its first sound, as ffmpeg calls it; "" without any.
      seconds: how long it says to last; 0 if it does not say it.
    """

    size: tuple[int, int]
    fps: float
    sound: str
    seconds: float


def video_facts(path: str) -> VideoFacts:
    """Decodes the first frame of a video.

    Raises:
      FormatError: if that cannot be done.
      UserError: without the extra `video`.
    """
    how = ["-frames:v", "1", "-pix_fmt", "yuv420p", "-f", "yuv4mpegpipe", "-"]
    ran = subprocess.run(_command(path, "info", how), stdin=subprocess.DEVNULL, capture_output=True)
    words = ran.stderr.decode(errors="replace")
    head = _HEAD.match(ran.stdout)
    if head is None or not int(head[4]) or not int(head[3]):
        raise FormatError(f"{path} cannot be read: {_last(words)}")
    width, height, rate, parts = map(int, head.groups())
    sound = _SOUND.search(words)
    lasting = _LASTING.search(words)
    hours, minutes, seconds = map(float, lasting.groups()) if lasting else (0.0, 0.0, 0.0)
    return VideoFacts(
        (width, height),
        rate / parts,
        sound[1] if sound else "",
        3600 * hours + 60 * minutes + seconds,
    )


def video_frames(path: str, size: tuple[int, int]) -> Iterator[np.ndarray]:
    """All frames of a video at a constant rate, uint8 [H, W, 3] each.

    Args:
      path: of the file.
      size: width and height, as `video_facts` tells.

    Raises:
      FormatError: if ffmpeg fails.
      UserError: without the extra `video`.
    """
    width, height = size
    how = ["-pix_fmt", "rgb24", "-f", "rawvideo", "-"]
    with tempfile.TemporaryFile() as said:
        running = subprocess.Popen(
            _command(path, "error", how),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=said,
        )
        with _ended(running), running.stdout as pipe:  # type: ignore[union-attr]  # a pipe, as asked
            while len(pixels := pipe.read(width * height * 3)) == width * height * 3:
                yield np.frombuffer(pixels, np.uint8).reshape(height, width, 3)
            if running.wait():
                said.seek(0)
                raise FormatError(f"{path}: {_last(said.read().decode(errors='replace'))}")


@contextlib.contextmanager
def _ended(running: "subprocess.Popen[bytes]") -> Iterator[None]:
    """A block with which a program ends, also when nobody wants the rest of what it writes."""
    try:
        yield
    finally:
        running.kill()
        running.wait()


def _command(path: str, level: str, how: Sequence[str]) -> list[str]:
    program = ffmpeg.ffmpeg_program(f"{path}: a video", "give a webp or a folder of frames")
    source = [*ffmpeg.ONLY_FILES, "-format_whitelist", _CONTAINERS]
    source += ["-i", os.path.abspath(path)]  # which is no address, and no option
    target = ["-map", "0:v:0", "-fps_mode", "cfr", *how]
    return [program, "-hide_banner", "-v", level, *source, *target]


def _last(words: str) -> str:
    """What ffmpeg says last, without its name for whoever says it."""
    lines = [line.strip() for line in words.splitlines() if line.strip()]
    return re.sub(r"^\[[^]]*\] ", "", lines[-1]) if lines else "ffmpeg says nothing of it"
