"""Animations: webp by Pillow, mp4 by the ffmpeg of the extra `video`."""

import contextlib
import os
import re
import subprocess
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from PIL import Image

from aligned_jax.errors import UserError
from aligned_jax.viz.files import check_file, writing
from aligned_jax.viz.grid import check_channels

VIDEOS = (".webp", ".mp4")
# Pixels of a side: what the format has room for, and what players of H.264 take.
_LARGEST = {".webp": 16383, ".mp4": 4096}
_SLOWEST = 1e-4  # frames a second; webp has 24 bits for the milliseconds of one
_LONGEST = 2**31 - 1  # milliseconds of all frames: webp counts them in an int
_QUALITY = 90  # of webp; 100 is twice as large
_CRF = "16"  # of mp4; smaller is better and larger
_EXIF = {"Comment": 0x010E, "Software": 0x0131}  # ImageDescription and Software


def check_video(
    path: str | os.PathLike,
    overwrite: bool = False,
    fps: float = 20,
    shape: Sequence[int] | None = None,
    scale: int = 1,
) -> None:
    """Raises UserError if `save_video` would refuse this target; call it before long work.

    Args:
      path, overwrite, fps, scale: as of `save_video`.
      shape: number, height and width of the frames, as far as they are known.
    """
    suffix = os.path.splitext(path)[1]
    if suffix not in VIDEOS:
        raise UserError(f"{path}: an animation is NAME.webp or NAME.mp4")
    if not _SLOWEST <= fps <= 1000:
        raise UserError(f"{fps:g} frames a second cannot be shown; give {_SLOWEST:g} to 1000")
    if shape is not None:
        count, height, width = shape
        if count * 1000 / fps > _LONGEST:
            raise UserError(
                f"{count} frames at {fps:g} a second last longer than 24 days; show more a second"
            )
        most = _LARGEST[suffix]
        if max(height, width) * scale > most:
            raise UserError(
                f"{width}x{height} pixels times {scale} are too large: a side of a {suffix} may "
                f"have {most}; choose a scale of at most {most // max(height, width)}"
            )
    if suffix == ".mp4":
        _ffmpeg()
    check_file(path, overwrite)


def save_video(
    path: str | os.PathLike,
    frames: np.ndarray,
    fps: float,
    text: Mapping[str, str] | None = None,
    overwrite: bool = False,
    scale: int = 1,
) -> None:
    """Writes frames as an animation that loops (webp) or a film (mp4).

    The file has its name when it is whole, and not before. Frames are enlarged one
    by one.

    Args:
      path: NAME.webp or NAME.mp4.
      frames: uint8 [T, H, W, 1, 3 or 4]. An mp4 shows transparency on white, and
        repeats the last row or column of sizes that are odd.
      fps: frames each second; a frame of webp lasts whole milliseconds, which add
        up to the right length.
      text: `Comment` and `Software` go into the file.
      overwrite: replace what is there already.
      scale: every pixel becomes a square of so many pixels.

    Raises:
      UserError: for another ending, a rate that is not positive, a film that is too
        long or has too large frames, or an mp4 without the extra.
    """
    check_video(path, overwrite, fps, frames.shape[:3], scale)
    check_channels(frames.shape[-1])
    with writing(path, overwrite) as file:
        if os.path.splitext(path)[1] == ".mp4":
            file.write(_mp4(frames, fps, text or {}, scale))
            return
        ends = np.round(np.arange(len(frames) + 1) * 1000 / fps).astype(int)
        save_webp(file, list(frames), np.diff(ends).tolist(), text=text, scale=scale)


def save_webp(
    file: BinaryIO,
    frames: Sequence[np.ndarray],
    milliseconds: int | Sequence[int],
    hold: int = 0,
    loop: int = 0,
    text: Mapping[str, str] | None = None,
    scale: int = 1,
) -> None:
    """Writes frames uint8 [H, W, 1, 3 or 4] as an animation.

    Args:
      file: open for writing.
      frames: all of one size.
      milliseconds: that each is shown, or those of every frame.
      hold: more of them for the last.
      loop: times that it plays; 0 is for ever.
      text: `Comment` and `Software`, kept as EXIF.
      scale: every pixel becomes a square of so many pixels.
    """
    exif = Image.Exif()
    for key, value in (text or {}).items():
        exif[_EXIF[key]] = value
    lasting = [milliseconds] * len(frames) if isinstance(milliseconds, int) else [*milliseconds]
    lasting[-1] += hold
    others = [_Frames(frames[1:], scale)] if len(frames) > 1 else []
    options = {"duration": lasting, "loop": loop, "quality": _QUALITY, "exif": exif}
    _image(frames[0], scale).save(file, "WEBP", save_all=True, append_images=others, **options)


class _Frames:
    """Frames as one animation that Pillow takes apart; only one of them is an image at a time."""

    def __init__(self, frames: Sequence[np.ndarray], scale: int) -> None:
        self._frames, self._scale = frames, scale
        self.n_frames = len(frames)
        self.seek(0)

    def seek(self, number: int) -> None:
        """Makes this frame the current one."""
        self._shown = _image(self._frames[number], self._scale)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._shown, name)


def _image(frame: np.ndarray, scale: int) -> Image.Image:
    frame = frame[..., 0] if frame.shape[-1] == 1 else frame
    return Image.fromarray(_enlarged(frame, scale))


def _enlarged(frame: np.ndarray, scale: int) -> np.ndarray:
    """[H * scale, W * scale, ...]."""
    return frame.repeat(scale, axis=0).repeat(scale, axis=1) if scale > 1 else frame


def _mp4(frames: np.ndarray, fps: float, text: Mapping[str, str], scale: int) -> bytes:
    odd = [side * scale % 2 for side in frames.shape[1:3]]
    height, width = (side * scale + more for side, more in zip(frames.shape[1:3], odd, strict=True))
    about = [word for key, value in text.items() for word in ("-metadata", f"{key}={value}")]
    with tempfile.TemporaryDirectory() as folder:
        # Not a pipe: the index of an mp4 is written last, to the front of the file.
        name = os.path.join(folder, "film.mp4")
        source = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}"]
        source += ["-r", str(fps), "-i", "-"]
        target = ["-c:v", "libx264", "-crf", _CRF, "-pix_fmt", "yuv420p", "-movflags", "+faststart"]
        command = [_ffmpeg(), "-v", "error", *source, *target, *about, name]
        shown = (_enlarged(_opaque(frame), scale) for frame in frames)
        padding = [(0, odd[0]), (0, odd[1]), (0, 0)]
        _feed(command, (np.pad(frame, padding, mode="edge") for frame in shown))
        return Path(name).read_bytes()


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


def _opaque(frame: np.ndarray) -> np.ndarray:
    """uint8 [H, W, 3], on white."""
    if frame.shape[-1] == 4:
        alpha = frame[..., 3:].astype(np.uint16)
        mixed = frame[..., :3] * alpha + 255 * (255 - alpha)
        return ((mixed + 127) // 255).astype(np.uint8)
    return np.broadcast_to(frame, (*frame.shape[:2], 3))


def _ffmpeg() -> str:
    """Path of the program."""
    try:
        import imageio_ffmpeg
    except ImportError:
        raise UserError(
            "an mp4 needs the extra `video` (pip install 'aligned_jax[video]'); "
            "without it, write NAME.webp"
        ) from None
    return imageio_ffmpeg.get_ffmpeg_exe()
