"""Latents of all frames of a film, a block of frames at a time."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from PIL import Image

from aligned_jax.config import GeneratorConfig
from aligned_jax.data.cropping import cropped
from aligned_jax.data.footage import Footage
from aligned_jax.data.pictures import as_mode
from aligned_jax.data.placements import Placement
from aligned_jax.data.smoothing import smoothed
from aligned_jax.data.targets import Target, Targets
from aligned_jax.data.tracks import Track
from aligned_jax.jobs.footage.work import FilmWork
from aligned_jax.jobs.pending import PendingInversion
from aligned_jax.utils.reporting import Advance

Block = tuple[int, list[np.ndarray]]  # the number of the first frame, and frames


def blocks_of(footage: Footage, size: int, first: int = 0) -> Iterator[Block]:
    """Blocks of frames uint8 [H, W, C] from the block of a number on; the last may be shorter."""
    frames = footage.frames(first * size)
    for number in itertools.count(first):
        if not (block := list(itertools.islice(frames, size))):
            return
        yield number * size, block


def square_of(frame: np.ndarray, place: Placement, config: GeneratorConfig) -> np.ndarray:
    """What is cut out of a frame for a network, uint8 [R, R, C]."""
    image = Image.fromarray(frame[..., 0] if frame.shape[2] == 1 else frame)
    channels, resolution = config.img_channels, config.img_resolution
    crop = cropped(as_mode(image, channels), place, resolution)
    return np.asarray(crop).reshape(resolution, resolution, channels)


def invert_film(
    footage: Footage,
    track: Track,
    pending: PendingInversion,
    work: FilmWork,
    advance: Advance,
) -> None:
    """Inverts what is not inverted yet; the frames are those of `track`, which is smoothed.

    Args:
      footage: the film.
      track: its squares.
      pending: how its pictures are inverted; its own are not looked at.
      work: takes the latents, and knows those that are there.
      advance: hears of every frame.
    """
    count = -(-len(track) // work.block)
    first = next((block for block in range(count) if not work.has_latents(block)), count)
    advance(min(first * work.block, len(track)))
    if first == count:
        return
    config = pending.network.config
    for start, frames in blocks_of(footage, work.block, first):
        names = [footage.called(number) for number in range(start, start + len(frames))]
        squares = [
            square_of(frame, track.placement(number), config)
            for number, frame in enumerate(frames, start)
        ]
        work.keep_latents(start // work.block, _inverted(pending, names, squares))
        advance(len(frames))


def _inverted(
    pending: PendingInversion, names: Sequence[str], squares: Sequence[np.ndarray]
) -> dict[str, np.ndarray]:
    """Latents of a block; those that diverge are the nearest neighbour's, and not `good`."""
    targets = [Target(name, name, pixels) for name, pixels in zip(names, squares, strict=True)]
    asked = replace(pending, targets=Targets(targets, {}))
    if choice := pending.choice:
        start = choice.latents(
            pending.network, np.stack(squares), pending.settings.space, pending.label
        )
        asked = replace(asked, start=start)
    latents = asked.run()
    numbers = latents.numbers.astype(int)
    rows = np.arange(len(names))
    nearest = np.abs(rows[:, None] - numbers).argmin(axis=1)
    arrays = {key: value[nearest] for key, value in latents.arrays.items()}
    return {**arrays, "good": np.isin(rows, numbers)}


def smoothed_latents(
    work: FilmWork, start: int, end: int, count: int, window: int
) -> dict[str, np.ndarray]:
    """Latents of the frames from `start` to `end`, averaged over windows of frames.

    Args:
      work: that has all latents.
      start, end: of the frames that are wanted.
      count: of all frames.
      window: as of `smoothing.smoothed`.

    Returns:
      arrays [end - start, ...] by name.
    """
    half = window // 2
    low, high = max(0, start - half), min(count, end + half)
    numbers = range(low // work.block, (high - 1) // work.block + 1)
    parts = [work.latents(number) for number in numbers]
    offset = numbers[0] * work.block
    around = {
        key: np.concatenate([part[key] for part in parts])[low - offset : high - offset]
        for key in parts[0]
        if key != "good"
    }
    return {key: smoothed(values, window, start - low, end - low) for key, values in around.items()}


def count_diverged(work: FilmWork, count: int) -> int:
    """How many of so many frames have the latents of a neighbour."""
    blocks = range(-(-count // work.block))
    return sum(int((~work.latents(block)["good"]).sum()) for block in blocks)
