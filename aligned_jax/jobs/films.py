"""Films: what jobs that draw one return, and how their frames come one by one."""

import contextlib
import itertools
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from aligned_jax import provenance, viz
from aligned_jax.errors import UserError
from aligned_jax.jobs.sources import Usage
from aligned_jax.provenance import Command
from aligned_jax.utils.reporting import QUIET, Reporter

# Bytes of all frames, where somebody wants them as one array.
_LARGEST = 2**36
_MOST = 10_000_000  # frames: 92 hours at 30 a second


@dataclass(frozen=True, eq=False)
class Film:
    """A film, ready to be drawn: frame by frame into a file, or as a whole into memory.

    Attributes:
      shape: number of frames, height, width, channels.
      draw: draws the frames, uint8 [H, W, C] each, in order; every call begins anew.
      fps: frames a second.
      scale: a pixel becomes a square of so many pixels when it is written.
      usage: what of the options counted.
    """

    shape: tuple[int, int, int, int]
    draw: Callable[[], Iterable[np.ndarray]]
    fps: float
    scale: int
    usage: Usage

    def __len__(self) -> int:
        return self.shape[0]

    def __iter__(self) -> Iterator[np.ndarray]:
        """The frames one by one, uint8 [H, W, C]; drawn now unless `frames` were."""
        drawn = self.__dict__.get("frames")
        return iter(self.draw() if drawn is None else drawn)

    @cached_property
    def frames(self) -> np.ndarray:
        """All frames, uint8 [T, H, W, C], which are drawn when they are first asked for.

        Raises:
          UserError: for more than any memory is meant to hold, or numbers that are not finite.
        """
        count, height, width, channels = self.shape
        size = count * height * width * channels
        if size > _LARGEST:
            raise UserError(
                f"{count} frames of {width}x{height} pixels take {size / 2**30:.0f} GiB of memory; "
                f"{_LARGEST >> 30} GiB is the most: take them one by one, or write a file"
            )
        frames = np.empty(self.shape, np.uint8)
        for number, frame in enumerate(self.draw()):
            frames[number] = frame
        return frames

    @property
    def summary(self) -> str:
        """The length in words: "70 frames, 3.5 s"."""
        return f"{len(self)} frames, {len(self) / self.fps:.1f} s"

    def write(
        self,
        out: str | os.PathLike[str],
        command: Command = Command(),  # noqa: B008  # it cannot change
        overwrite: bool = False,
        report: Reporter = QUIET,
        lossless: bool = False,
    ) -> None:
        """Draws and writes the film, which says what command made it.

        Memory holds the frames of one block at a time, however long the film is.

        Args:
          out: NAME.webp, NAME.mp4, NAME.gif, or a folder of PNG frames: a name without an ending,
            or with a slash behind it.
          command: that the result names.
          overwrite: replace what is there.
          report: hears of every frame.
          lossless: a webp keeps every bit of what is visible, as a folder always does.

        Raises:
          UserError: if the target is taken, or the disk or the format refuses.
          NotFinite: naming frames whose numbers are not finite.
        """
        text = provenance.png_text(command.line)
        with report.progress(len(self), "frames") as advance:

            def told() -> Iterator[np.ndarray]:
                for frame in self:
                    yield frame
                    advance(1)  # once it is written

            stream = viz.FrameStream(self.shape, told())
            viz.save_video(out, stream, self.fps, text, overwrite, self.scale, lossless)


@contextlib.contextmanager
def drawn_once(film: Film) -> Iterator[Film]:
    """The same film for several files: frames that were drawn once wait in a temporary file."""
    count, shape = film.shape[0], film.shape[1:]
    size, drawn, frames = int(np.prod(shape)), 0, iter(film)
    with tempfile.TemporaryFile() as file:

        def draw() -> Iterator[np.ndarray]:
            nonlocal drawn
            for number in range(count):
                file.seek(number * size)
                if number < drawn:
                    yield np.frombuffer(file.read(size), np.uint8).reshape(shape)
                    continue
                frame = next(frames)
                file.write(np.ascontiguousarray(frame).data)
                drawn += 1
                yield frame

        yield Film(film.shape, draw, film.fps, film.scale, film.usage)


def check_count(count: int) -> None:
    """Raises UserError for more frames than make a film."""
    if count > _MOST:
        raise UserError(
            f"{count} frames are too many for one film, which has {_MOST} at most; draw several, "
            "and join them"
        )


def in_turn(
    drawn: Iterator[np.ndarray], places: Sequence[int] | np.ndarray
) -> Iterator[np.ndarray]:
    """Frames in the order of their places; each is drawn once and held as long as it lasts.

    Those that are wanted again after others were shown wait in a temporary file.

    Args:
      drawn: frames of one shape and type, by place: 0, 1, 2, ...
      places: of the frames that are shown; the first time, in rising order.
    """
    places = [int(place) for place in places]
    again = {place for before, place in itertools.pairwise(places) if place < before}
    with tempfile.TemporaryFile() as file:
        kept: dict[int, int] = {}
        number = -1
        frame: np.ndarray = np.empty(0)
        for place in places:
            while number < place:
                number, frame = number + 1, next(drawn)
                if number in again:
                    kept[number] = file.seek(0, os.SEEK_END)
                    file.write(np.ascontiguousarray(frame).data)
            if place == number:
                yield frame
                continue
            file.seek(kept[place])
            yield np.frombuffer(file.read(frame.nbytes), frame.dtype).reshape(frame.shape)
