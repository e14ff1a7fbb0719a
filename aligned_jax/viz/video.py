"""Films: webp and gif by Pillow, mp4 by the ffmpeg of the extra `video`, folders of PNG frames.

Frames are written as they come; none is kept longer than its turn.
"""

import json
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from aligned_jax.errors import UserError
from aligned_jax.utils.text import listed
from aligned_jax.viz.files import check_file, check_folder, writing, writing_folder
from aligned_jax.viz.frames import FrameStream, Sound, enlarged, opaque
from aligned_jax.viz.gif import save_gif
from aligned_jax.viz.grid import check_channels, save_png
from aligned_jax.viz.mp4 import ffmpeg_program, save_mp4
from aligned_jax.viz.webp import save_webp

VIDEOS = (".webp", ".mp4", ".gif")
# Pixels of a side: what the format has room for, and what players of H.264 take.
_LARGEST = {".webp": 16383, ".mp4": 4096, ".gif": 65535}
_SLOWEST = 1e-4  # frames a second; webp has 24 bits for the milliseconds of one
# Of gif, which counts hundredths of a second in 16 bits; players slow down frames of less than two.
_GIF_RATES = (0.002, 50)
_LONGEST = 2**31 - 1  # milliseconds of all frames: webp counts them in an int
_LOST = {
    ".webp": "lossy; a folder of PNG frames or `lossless=True` keeps every bit",
    ".mp4": "lossy; a folder of PNG frames keeps every bit",
    ".gif": "256 colours a frame; a folder of PNG frames keeps every bit",
}


def is_frame_folder(path: str | os.PathLike[str]) -> bool:
    """Whether a film of this name is a folder of frames: it has no ending, or is a folder."""
    text = os.fspath(path)
    return text.endswith("/") or not os.path.splitext(text)[1] or os.path.isdir(text)


def loss_of(path: str | os.PathLike[str], lossless: bool = False) -> str:
    """What a film of this name loses of its frames, in words behind others; empty if nothing."""
    if lossless or is_frame_folder(path):
        return ""
    return f", {_LOST[os.path.splitext(path)[1]]}"


def check_video(
    path: str | os.PathLike,
    overwrite: bool = False,
    fps: float = 20,
    shape: Sequence[int] | None = None,
    scale: int = 1,
    lossless: bool = False,
) -> None:
    """Raises UserError if `save_video` would refuse this target; call it before long work.

    Args:
      path, overwrite, fps, scale, lossless: as of `save_video`.
      shape: number, height and width of the frames, as far as they are known.
    """
    suffix = "" if is_frame_folder(path) else os.path.splitext(path)[1]
    if suffix not in ("", *VIDEOS):
        raise UserError(
            f"{path}: a film is NAME.webp, NAME.mp4, NAME.gif, or a folder of frames, NAME/"
        )
    if lossless and suffix in (".mp4", ".gif"):
        raise UserError(f"a {suffix} loses something; write NAME.webp, or a folder of frames NAME/")
    slowest, fastest = _GIF_RATES if suffix == ".gif" else (_SLOWEST, 1000)
    if not slowest <= fps <= fastest:
        kind = " in a .gif" if suffix == ".gif" else ""
        raise UserError(
            f"{fps:g} frames a second cannot be shown{kind}; give {slowest:g} to {fastest:g}"
        )
    if shape is not None and suffix:
        _check_shape(suffix, fps, shape, scale)
    if suffix == ".mp4":
        ffmpeg_program()
    if suffix:
        check_file(path, overwrite)
        return
    check_folder(path, overwrite)
    if shape is not None:
        _check_others(path, shape[0])


def _check_shape(suffix: str, fps: float, shape: Sequence[int], scale: int) -> None:
    count, height, width = shape
    if count * 1000 / fps > _LONGEST:
        raise UserError(
            f"{count} frames at {fps:g} a second last longer than 24 days; show more a second"
        )
    most = _LARGEST[suffix]
    if max(height, width) * scale > most:
        raise UserError(
            f"{width}x{height} pixels times {scale} are too large: a side of a {suffix} may "
            f"have {most}; {_smaller(most // max(height, width))}"
        )


def _smaller(most: int) -> str:
    """What to do about frames that are too large, if they may be enlarged so many times."""
    return f"choose a scale of at most {most}" if most else "write a folder of frames, NAME/"


def _check_others(folder: str | os.PathLike, count: int) -> None:
    """Raises UserError for frames of another film that would stay among the new ones."""
    there = {name for name in _names_in(folder) if re.fullmatch(r"frame\d+\.png", name)}
    others = sorted(there - {_frame_name(number, count) for number in range(count)})
    if others:
        raise UserError(
            f"{os.fspath(folder)} holds frames of a longer film, which would stay among the new "
            f"ones ({listed(others, 2)}); choose another folder"
        )


def _names_in(folder: str | os.PathLike) -> list[str]:
    return os.listdir(folder) if os.path.isdir(folder) else []


def save_video(
    path: str | os.PathLike,
    frames: np.ndarray | FrameStream,
    fps: float,
    text: Mapping[str, str] | None = None,
    overwrite: bool = False,
    scale: int = 1,
    lossless: bool = False,
    sound: Sound | None = None,
) -> None:
    """Writes frames as an animation that loops (webp, gif), a film (mp4) or a folder of pictures.

    The file or folder has its name when it is whole, and not before. Frames are taken, enlarged
    and written one by one. A webp is lossy unless somebody says otherwise, an mp4 always; a gif
    has 256 colours a frame. A folder holds every bit: frame00000.png and so on, and film.json.

    Args:
      path: NAME.webp, NAME.mp4, NAME.gif, or a folder: a name without an ending, or with a slash
        behind it.
      frames: uint8 [T, H, W, 1, 3 or 4]. An mp4 and a gif show transparency on white, and an mp4
        repeats the last row or column of sizes that are odd.
      fps: frames each second; a frame of webp lasts whole milliseconds, one of gif whole
        hundredths of a second, which add up to the right length.
      text: `Comment` and `Software` go into the file.
      overwrite: replace what is there already.
      scale: every pixel becomes a square of so many pixels.
      lossless: a webp keeps every bit of what is visible.
      sound: that an mp4 gets; others have none.

    Raises:
      UserError: for another ending, a rate that is not positive, a film that is too
        long or has too large frames, or an mp4 without the extra.
    """
    check_video(path, overwrite, fps, frames.shape[:3], scale, lossless)
    check_channels(frames.shape[-1])
    told = text or {}
    if is_frame_folder(path):
        with writing_folder(path, overwrite) as folder:
            _save_frames(folder, frames, fps, told, scale)
        return
    suffix = os.path.splitext(path)[1]
    with writing(path, overwrite) as file:
        if suffix == ".mp4":
            save_mp4(file, frames, fps, told, scale, sound)
        elif suffix == ".gif":
            shown = (enlarged(opaque(frame), scale) for frame in frames)
            save_gif(file, shown, _lasting(frames.shape[0], fps, 100), told.get("Comment", ""))
        else:
            lasting = _lasting(frames.shape[0], fps, 1000)
            save_webp(file, frames, lasting, text=told, scale=scale, lossless=lossless)


def _lasting(count: int, fps: float, unit: int) -> list[int]:
    """How long each frame is shown, in whole parts of a second that add up to the right length."""
    ends = np.round(np.arange(count + 1) * unit / fps).astype(int)
    return [int(length) for length in np.diff(ends)]


def _frame_name(number: int, count: int) -> str:
    return f"frame{number:0{max(5, len(str(count - 1)))}d}.png"


def _save_frames(
    folder: Path,
    frames: np.ndarray | FrameStream,
    fps: float,
    text: Mapping[str, str],
    scale: int,
) -> None:
    """frame00000.png and so on, and film.json, which says how fast they follow each other."""
    count, _, _, channels = frames.shape
    for number, frame in enumerate(frames):
        with open(folder / _frame_name(number, count), "wb") as file:
            save_png(file, enlarged(frame, scale), text)
    told = {"frames": count, "fps": fps, "seconds": count / fps, "channels": channels}
    named = {key.lower(): value for key, value in text.items()}
    (folder / "film.json").write_text(json.dumps(told | named, indent=2) + "\n", encoding="utf-8")
