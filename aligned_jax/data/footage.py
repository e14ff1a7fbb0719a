"""Films that are read frame by frame: videos by the ffmpeg of the extra `video`, animations by
Pillow, and folders of pictures."""

import itertools
import os
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass

import numpy as np
from PIL import Image

from aligned_jax.data import pictures, videos
from aligned_jax.data.image_files import ImageFiles, reason
from aligned_jax.data.opening import LARGEST_PICTURE, calm, opened, read_file
from aligned_jax.errors import FormatError, UserError
from aligned_jax.utils import checksums
from aligned_jax.utils.reading import read_json

ANIMATIONS = (".webp", ".gif", ".png", ".apng", ".avif")
_USUAL_RATE = 20.0  # frames a second of a folder that does not say it


@dataclass(frozen=True)
class Footage:
    """A film of which one frame at a time is in memory.

    Attributes:
      name: of the file or folder, as it was given.
      size: width and height in pixels.
      channels: of the frames: 1, 3, or 4 of animations and pictures that are transparent.
      fps: frames a second, at a constant rate: of animations and videos without one, the mean.
      sound: the codec of its sound, as ffmpeg calls it; "" without any.
      files: names of a folder's pictures, in order; none of a file.
      digest: SHA-256 of the file, or of names and contents of a folder.
      expected: frames, as far as it is known without reading all; 0 if it is not.
    """

    name: str
    size: tuple[int, int]
    channels: int
    fps: float
    sound: str
    files: tuple[str, ...]
    digest: str
    expected: int = 0

    def frames(self, first: int = 0) -> Iterator[np.ndarray]:
        """The frames from a number on, uint8 [H, W, C] each.

        Raises:
          FormatError: for a frame that cannot be read, or that has another size.
        """
        if self.files:
            drawn = self._pictures(first)
        elif _is_video(self.name):
            every = videos.video_frames(self.name, self.size)
            drawn = itertools.islice(every, first, None)
        else:
            drawn = self._animated(first)
        for number, frame in enumerate(drawn, first):
            if frame.shape != (self.size[1], self.size[0], self.channels):
                height, width = frame.shape[:2]
                raise FormatError(
                    f"{self.name}: {self.called(number)} has {width}x{height} pixels, and the "
                    f"first {self.size[0]}x{self.size[1]}; the frames of a film have one size"
                )
            yield frame

    def called(self, number: int) -> str:
        """How messages call a frame."""
        return self.files[number] if number < len(self.files) else f"frame {number}"

    def _pictures(self, first: int) -> Iterator[np.ndarray]:
        with closing(ImageFiles(self.name)) as folder:
            items = {item.file: item for item in folder.images()}
            for file in self.files[first:]:
                try:
                    image = pictures.whole(folder.read(items[file]))
                except Exception as error:  # decoders raise all kinds of errors
                    raise FormatError(f"{self.name}/{file}: {reason(error)}") from None
                yield _pixels(image, self.channels)

    def _animated(self, first: int) -> Iterator[np.ndarray]:
        with opened(read_file(self.name)) as film:
            for number in range(first, getattr(film, "n_frames", 1)):
                try:
                    with calm():  # not around `yield`: warnings are the process's
                        film.seek(number)
                        pixels = _pixels(film, self.channels)
                except (OSError, EOFError, SyntaxError, ValueError) as error:
                    raise FormatError(f"{self.name}: frame {number}: {reason(error)}") from None
                yield pixels


def open_footage(path: str | os.PathLike[str]) -> Footage:
    """A film, of which the first frame is looked at.

    Videos are turned as their cameras say and brought to a constant rate. A folder is a film of
    its pictures in the order of their names; film.json says how fast, as `aligned` writes it
    beside frames, or else there are 20 a second.

    Args:
      path: of a video, an animation, or a folder of pictures.

    Raises:
      UserError: if there is nothing of the kind, nothing that can be read or not one frame, or
        for a video without the extra `video`.
    """
    name = os.fspath(path)
    if os.path.isdir(name):
        return _of_folder(name.rstrip("/") or name)
    if not os.path.isfile(name):
        raise UserError(f"no such film: {name}; give a video, an animation or a folder of frames")
    if _is_video(name):
        return _of_video(name)
    if not name.lower().endswith(ANIMATIONS):
        raise UserError(
            f"{name} is no film: give a video ({', '.join(videos.SUFFIXES)}), an animation "
            f"({', '.join(ANIMATIONS)}) or a folder of frames"
        )
    return _of_animation(name)


def _is_video(name: str) -> bool:
    return name.lower().endswith(videos.SUFFIXES)


def _of_folder(name: str) -> Footage:
    with closing(ImageFiles(name)) as folder:
        items = folder.images()
        if not items:
            raise UserError(f"{name} holds no frames: there are no pictures in it")
        digest = folder.fingerprint(items)
        try:
            first = pictures.whole(folder.read(items[0]))
        except Exception as error:  # decoders raise all kinds of errors
            raise UserError(f"{name}/{items[0].file}: {reason(error)}") from None
    channels = len(first.getbands())
    files = tuple(item.file for item in items)
    return Footage(name, first.size, channels, _rate_of(name), "", files, digest, len(files))


def _rate_of(folder: str) -> float:
    path = os.path.join(folder, "film.json")
    if not os.path.isfile(path):
        return _USUAL_RATE
    rate = read_json(path).get("fps")
    if isinstance(rate, int | float) and 0 < rate <= 1000:
        return float(rate)
    raise FormatError(f"{path}: `fps` is {rate!r:.40}; it is a number of frames a second")


def _of_animation(name: str) -> Footage:
    try:
        with calm(), opened(read_file(name)) as film:
            count, lasting = getattr(film, "n_frames", 1), 0.0
            clear = False
            for number in range(count):
                film.seek(number)
                film.load()  # which tells how long a frame of webp is shown
                lasting += film.info.get("duration", 0) or 0
                # Encoders give films opacity that hides nothing, for frames that repeat others.
                clear = clear or _pixels(film, 4)[..., 3].min() < 255
            size = film.size
    except Exception as error:  # decoders raise all kinds of errors
        raise UserError(f"{name}: {reason(error)}") from None
    if count < 2:
        raise UserError(f"{name} is a picture and no film: it has one frame")
    fps = min(1000.0, 1000 * count / lasting) if lasting else _USUAL_RATE
    return Footage(name, size, 4 if clear else 3, fps, "", (), checksums.of_file(name), count)


def _of_video(name: str) -> Footage:
    known = videos.video_facts(name)
    width, height = known.size
    if width * height > LARGEST_PICTURE:
        raise UserError(f"{name}: {width}x{height} pixels are more than a frame should have")
    digest = checksums.of_file(name)
    count = round(known.seconds * known.fps)
    return Footage(name, known.size, 3, known.fps, known.sound, (), digest, count)


def _pixels(image: Image.Image, channels: int) -> np.ndarray:
    """A picture as uint8 [H, W, C]; what is transparent becomes white, but in four channels."""
    if channels == 4 or image.mode in ("P", "PA", "LA"):
        image = image.convert("RGBA")
    return np.asarray(pictures.as_mode(image, channels)).reshape(*image.size[::-1], channels)
