"""When a walk is where: the place and the parameters of every frame, before any network is read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from aligned_jax.errors import UserError
from aligned_jax.jobs.films import check_count
from aligned_jax.jobs.walks.names import PLACE, SWAP, check_names
from aligned_jax.jobs.walks.tables import CurveTable
from aligned_jax.latents import numbers_at
from aligned_jax.utils.text import counted, listed

FRAMES = 60  # from a key frame to the next, unless somebody says it


@dataclass(frozen=True, eq=False)
class Schedule:
    """A film's frames.

    Attributes:
      places: of the latents, float64 [T]: at key frame k it is k; on a circle, turns.
      tracks: of parameters that somebody moves or sets, by name, float64 [T].
      loop: whether it goes on from the last key frame to the first.
    """

    places: np.ndarray
    tracks: Mapping[str, np.ndarray]
    loop: bool

    def __len__(self) -> int:
        return len(self.places)

    @property
    def turns(self) -> np.ndarray:
        """Share of the film that is over at each frame, float64 [T], from 0 to less than 1."""
        return np.arange(len(self)) / len(self)


def schedule(
    seeds: int,
    animate: Mapping[str, Sequence[float]],
    table: CurveTable | None,
    *,
    frames: int | None,
    fps: float,
    loop: bool,
    straight: bool,
    circle: bool,
) -> Schedule:
    """Lays out a film.

    There are as many key frames as seeds, or, where the latents stand still or go round a circle,
    as values. A film that loops does not show its first frame again.

    Args:
      seeds: of each cell.
      animate: values at the key frames by name; one value stays.
      table: more parameters, frame by frame.
      frames: from a key frame to the next; None is 60, or what the table has rows or time for.
      fps: frames a second, for tables with times.
      loop: whether the way is closed.
      straight: whether numbers go straight from key frame to key frame.
      circle: whether latents go round a circle through two seeds.

    Raises:
      UserError: for unknown names, counts that do not fit, all of them at once, and a table of
        another length than the film.
    """
    check_names(animate)
    both = [name for name in animate if table and name in table.columns]
    if both:
        raise UserError(f"{listed(both)}: moved at key frames and by the table; choose one")
    if PLACE in animate:
        raise UserError("place is for tables; key frames are places already")
    if frames is not None and frames < 1:
        raise UserError(f"{frames} frames from a key frame to the next; there must be 1 or more")
    keys = _keys(seeds, animate, table, circle)
    count = _count(keys, table, frames, fps, loop)
    check_count(count)
    if table is None or frames is not None:
        along = np.arange(count) / (FRAMES if frames is None else frames)
    else:
        legs, steps = (keys, count) if loop else (keys - 1, count - 1)
        along = np.arange(count) * legs / max(steps, 1)
    tracks = {name: _track(name, values, along, straight, loop) for name, values in animate.items()}
    places = along / keys if circle else along * (seeds > 1)
    if table is not None:
        tracks |= table.at(fps, count)
        if PLACE in tracks:
            places = _placed(tracks.pop(PLACE), 1 if circle else seeds, loop, circle)
    return Schedule(places, tracks, loop)


def _keys(
    seeds: int, animate: Mapping[str, Sequence[float]], table: CurveTable | None, circle: bool
) -> int:
    """How many key frames there are."""
    if circle and seeds != 2:
        raise UserError(f"a circle goes through 2 seeds; {counted(seeds, 'seed')} were given")
    moved = {name: len(values) for name, values in animate.items() if len(values) > 1}
    told = ", ".join(f"{name} {count}" for name, count in moved.items())
    if seeds > 1 and not circle:
        if any(count != seeds for count in moved.values()):
            raise UserError(
                f"{seeds} key frames, one for each seed, but values of {told}; give {seeds} or 1"
            )
        return seeds
    if len(set(moved.values())) > 1:
        raise UserError(f"the numbers of values differ ({told}); give equally many, or 1")
    if not moved and seeds == 1 and table is None:
        raise UserError("1 seed: a walk goes through 2 or more, unless something else moves")
    return max(moved.values(), default=2 if circle else 1)


def _count(keys: int, table: CurveTable | None, frames: int | None, fps: float, loop: bool) -> int:
    """How many frames the film has."""
    each = FRAMES if frames is None else frames
    count = keys * each if loop else (keys - 1) * each + 1
    if table is None:
        return count
    there = table.frames_at(fps)
    if frames is None:
        return there
    if there < count or (table.times is None and there != count):
        what = "rows" if table.times is None else f"frames at {fps:g} a second"
        raise UserError(
            f"the table is for {there} {what}, but {counted(keys, 'key frame')} with {frames} "
            f"frames each make a film of {count}; leave out `frames`, or change the table"
        )
    return count


def _track(
    name: str, values: Sequence[float], along: np.ndarray, straight: bool, loop: bool
) -> np.ndarray:
    """A parameter at every frame."""
    if len(values) == 1:
        return np.full(len(along), float(values[0]))
    kind = "linear" if straight else "cubic"
    if name != SWAP:
        return numbers_at(np.asarray(values), along, kind, loop)
    if min(values) <= 0:
        raise UserError(f"swap is {min(values):g}; it is a resolution in pixels, 4 or more")
    found = np.exp2(numbers_at(np.log2(values), along, kind, loop))
    at_keys = np.asarray(values, np.float64)[np.round(along).astype(int) % len(values)]
    return np.where(along == np.round(along), at_keys, found)


def _placed(places: np.ndarray, keys: int, loop: bool, circle: bool) -> np.ndarray:
    """Places of a table, of which those of a loop begin anew after the last key frame."""
    if keys == 1 and not circle:
        raise UserError("place has nowhere to go: there is one latent; give two or more seeds")
    if loop:
        return places % keys
    last = keys - 1
    if places.min() < 0 or places.max() > last:
        raise UserError(
            f"place goes from {places.min():g} to {places.max():g}; key frames are 0 to {last}"
        )
    return places
