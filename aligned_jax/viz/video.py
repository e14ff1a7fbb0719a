"""Animations: webp by Pillow, mp4 by the ffmpeg of the extra `video`."""

import os
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image

from aligned_jax.errors import UserError
from aligned_jax.viz.files import check_file, writing
from aligned_jax.viz.grid import check_channels

VIDEOS = (".webp", ".mp4")
_QUALITY = 90  # of webp; 100 is twice as large
_CRF = "16"  # of mp4; smaller is better and larger
_EXIF = {"Comment": 0x010E, "Software": 0x0131}  # ImageDescription and Software


def check_video(path: str | os.PathLike, overwrite: bool = False, fps: float = 20) -> None:
    """Raises UserError if `save_video` would refuse this target; call it before long work."""
    suffix = os.path.splitext(path)[1]
    if suffix not in VIDEOS:
        raise UserError(f"{path}: an animation is NAME.webp or NAME.mp4")
    if not 0 < fps <= 1000:
        raise UserError(f"{fps:g} frames a second cannot be shown; give more than 0, at most 1000")
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

    The file has its name when it is whole, and not before.

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
      UserError: for another ending, a rate that is not positive, or an mp4
        without the extra.
    """
    check_video(path, overwrite, fps)
    check_channels(frames.shape[-1])
    frames = frames.repeat(scale, axis=1).repeat(scale, axis=2)
    with writing(path, overwrite) as file:
        if os.path.splitext(path)[1] == ".mp4":
            file.write(_mp4(frames, fps, text or {}))
            return
        ends = np.round(np.arange(len(frames) + 1) * 1000 / fps).astype(int)
        save_webp(file, frames, np.diff(ends).tolist(), text=text)


def save_webp(
    file: BinaryIO,
    frames: Sequence[np.ndarray],
    milliseconds: int | Sequence[int],
    hold: int = 0,
    loop: int = 0,
    text: Mapping[str, str] | None = None,
) -> None:
    """Writes frames uint8 [H, W, 1, 3 or 4] as an animation.

    Args:
      file: open for writing.
      frames: all of one size.
      milliseconds: that each is shown, or those of every frame.
      hold: more of them for the last.
      loop: times that it plays; 0 is for ever.
      text: `Comment` and `Software`, kept as EXIF.
    """
    exif = Image.Exif()
    for key, value in (text or {}).items():
        exif[_EXIF[key]] = value
    lasting = [milliseconds] * len(frames) if isinstance(milliseconds, int) else [*milliseconds]
    lasting[-1] += hold
    shown = [frame[..., 0] if frame.shape[-1] == 1 else frame for frame in frames]
    first, *others = map(Image.fromarray, shown)
    options = {"duration": lasting, "loop": loop, "quality": _QUALITY, "exif": exif}
    first.save(file, "WEBP", save_all=True, append_images=others, **options)


def _mp4(frames: np.ndarray, fps: float, text: Mapping[str, str]) -> bytes:
    frames = _opaque(frames)
    odd = [size % 2 for size in frames.shape[1:3]]
    frames = np.pad(frames, ((0, 0), (0, odd[0]), (0, odd[1]), (0, 0)), mode="edge")
    size = f"{frames.shape[2]}x{frames.shape[1]}"
    about = [word for key, value in text.items() for word in ("-metadata", f"{key}={value}")]
    with tempfile.TemporaryDirectory() as folder:
        # Not a pipe: the index of an mp4 is written last, to the front of the file.
        name = os.path.join(folder, "film.mp4")
        source = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", size, "-r", str(fps), "-i", "-"]
        target = ["-c:v", "libx264", "-crf", _CRF, "-pix_fmt", "yuv420p", "-movflags", "+faststart"]
        command = [_ffmpeg(), "-v", "error", *source, *target, *about, name]
        done = subprocess.run(command, input=frames.tobytes(), capture_output=True)
        if done.returncode:
            said = done.stderr.decode(errors="replace").strip()
            raise UserError(f"ffmpeg cannot write this mp4: {said}; write NAME.webp")
        return Path(name).read_bytes()


def _opaque(frames: np.ndarray) -> np.ndarray:
    """uint8 [T, H, W, 3], on white."""
    if frames.shape[-1] == 4:
        alpha = frames[..., 3:].astype(np.uint16)
        mixed = frames[..., :3] * alpha + 255 * (255 - alpha)
        return ((mixed + 127) // 255).astype(np.uint8)
    return np.broadcast_to(frames, (*frames.shape[:3], 3))


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
