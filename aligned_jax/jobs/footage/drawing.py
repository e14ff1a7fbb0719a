"""Frames of a film, drawn anew and put together."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from aligned_jax.config import GeneratorConfig
from aligned_jax.data.footage import Footage
from aligned_jax.data.tracks import Track
from aligned_jax.jobs.footage.inverting import blocks_of, smoothed_latents, square_of
from aligned_jax.jobs.footage.work import FilmWork
from aligned_jax.rendering.latent_batch import LatentBatch
from aligned_jax.rendering.pasting import Face, pasted
from aligned_jax.utils.reporting import Advance

# Pictures of latents by each network, with their places.
Painter = Callable[[LatentBatch], Mapping[str, Sequence[Face]]]


@dataclass(frozen=True, eq=False)
class FrameDrawing:
    """How frames are drawn.

    Attributes:
      footage: the film.
      track: squares of its frames, smoothed.
      config: of the network whose latents they have.
      psi: truncation that the latents have still to go through.
      window: of frames over which latents are averaged.
      painter: draws them.
      feather: of the seams in whole frames; None if these are not wanted.
    """

    footage: Footage
    track: Track
    config: GeneratorConfig
    psi: float
    window: int
    painter: Painter
    feather: float | None

    def draw(self, work: FilmWork, advance: Advance) -> None:
        """Draws the frames that are not there yet.

        Squares are kept as rows, [R, (1 + networks) * R, C]: what was cut out and what each
        network draws.

        Args:
          work: has the latents, and takes the frames.
          advance: hears of every frame.
        """
        count = len(self.track)
        kinds = ["squares"] if self.feather is None else ["squares", "whole"]
        missing = (
            frame
            for frame in range(count)
            if not all(work.has_frame(kind, frame) for kind in kinds)
        )
        if (frame := next(missing, None)) is None:
            advance(count)
            return
        first = frame // work.block
        advance(first * work.block)
        for start, frames in blocks_of(self.footage, work.block, first):
            self._draw_block(work, start, frames)
            advance(len(frames))

    def _draw_block(self, work: FilmWork, start: int, frames: Sequence[np.ndarray]) -> None:
        numbers = range(start, start + len(frames))
        places = [self.track.placement(number, self.footage.name) for number in numbers]
        squares = [
            square_of(frame, place, self.config)
            for frame, place in zip(frames, places, strict=True)
        ]
        arrays = smoothed_latents(work, start, numbers.stop, len(self.track), self.window)
        # One number for all: random noise is that of the film, and does not change.
        still = np.zeros(len(frames), np.uint32)
        names = tuple(self.footage.called(number) for number in numbers)
        latents = LatentBatch(
            arrays, names, still, self.psi, np.stack(squares), placements=tuple(places)
        )
        drawn = self.painter(latents)
        for row, number in enumerate(numbers):
            images = [squares[row], *(faces[row].image for faces in drawn.values())]
            work.keep_frame("squares", number, side_by_side(images))
            if self.feather is not None:
                [faces] = drawn.values()
                work.keep_frame("whole", number, pasted(frames[row], [faces[row]], self.feather))


def side_by_side(images: Sequence[np.ndarray]) -> np.ndarray:
    """Pictures uint8 [R, R, 1, 3 or 4] in a row, of the most channels that any has."""
    most = max(image.shape[2] for image in images)
    return np.concatenate([_with_channels(image, most) for image in images], axis=1)


def _with_channels(image: np.ndarray, channels: int) -> np.ndarray:
    if image.shape[2] == channels:
        return image
    colours = np.broadcast_to(image, (*image.shape[:2], 3))
    if channels == 3:
        return colours
    return np.concatenate([colours, np.full_like(colours[..., :1], 255)], axis=2)


@dataclass
class Flicker:
    """How far frames are from the means of their neighbours, measured as they pass.

    Attributes:
      columns: into so many equal parts frames are divided, and each is measured for itself.
      total: sum over frames of the mean difference in steps of 1/255, [columns].
      count: of frames that have two neighbours.
    """

    columns: int
    total: np.ndarray = field(default_factory=lambda: np.zeros(0))
    count: int = 0

    def watched(self, frames: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        """The same frames, uint8 [H, W, C]."""
        self.total = np.zeros(self.columns)
        last: list[np.ndarray] = []
        for frame in frames:
            last = [*last[-2:], frame.astype(np.int16)]
            if len(last) == 3:
                before, own, after = last
                apart = np.abs(2 * own - before - after) / 2
                parts = np.split(apart, self.columns, axis=1)
                self.total += [part.mean() for part in parts]
                self.count += 1
            yield frame

    @property
    def means(self) -> np.ndarray:
        """Of all frames, [columns]; 0 of films of one or two frames."""
        return self.total / max(self.count, 1)
