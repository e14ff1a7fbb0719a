"""The folder of a film that is not finished: what is known of it, block by block."""

import contextlib
import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from aligned_jax import viz
from aligned_jax.data.opening import pixels_of, read_file
from aligned_jax.data.tracks import Track
from aligned_jax.errors import FormatError, UserError
from aligned_jax.utils.reading import read_json

_JOB, _TRACK, _FILMS, _LATENTS = "job.json", "track.npz", "films.json", "latents"
_KINDS = ("squares", "whole")


@dataclass(frozen=True)
class FilmWork:
    """Where squares, latents and drawn frames wait until the film is written.

    Each file has its name when it is whole, and not before: whatever is there is right.

    Attributes:
      path: of the folder.
      block: frames that are inverted together.
      keys: of all that decides what is there, as `begin` takes them.
    """

    path: str
    block: int
    keys: Mapping[str, str]

    @classmethod
    def begin(
        cls, path: str, block: int, latents_key: str, frames_key: str, overwrite: bool
    ) -> "FilmWork":
        """Goes on with what the same work has left, or begins anew with the first thing kept.

        Args:
          path: of the folder.
          block: frames that are inverted together.
          latents_key: of all that decides squares and latents.
          frames_key: of all that decides drawn frames besides; where it alone is another, these
            are drawn anew.
          overwrite: drop what other work has left.

        Raises:
          UserError: if something else is there.
        """
        keys = {"latents": latents_key, "frames": frames_key}
        known: Mapping[str, object] = {}
        if os.path.lexists(path):
            try:
                known = read_json(os.path.join(path, _JOB))
            except (OSError, FormatError):
                known = {}
            if known.get("latents") != latents_key:
                if not overwrite:
                    raise UserError(
                        f"{path} holds the unfinished work on another film, or with other "
                        "settings; remove it, or pass `overwrite=True`"
                    )
                shutil.rmtree(path)
                known = {}
            elif known.get("frames") != frames_key:
                for kind in _KINDS:
                    shutil.rmtree(os.path.join(path, kind), ignore_errors=True)
                with contextlib.suppress(FileNotFoundError):
                    os.remove(os.path.join(path, _FILMS))
        work = cls(path, block, keys)
        if known:
            work._keep_keys()  # of frames that are drawn now
        return work

    def track(self) -> Track | None:
        """The squares of all frames, if they are known."""
        if not os.path.isfile(place := self._file(_TRACK)):
            return None
        with np.load(place) as kept:
            width, height = kept["size"].tolist()
            return Track(kept["squares"], kept["found"], (width, height))

    def keep_track(self, track: Track) -> None:
        """Keeps them."""
        self._keep_keys()
        arrays = {"squares": track.squares, "found": track.found, "size": np.asarray(track.size)}
        with viz.writing(self._file(_TRACK), overwrite=True) as file:
            np.savez(file, **arrays)  # type: ignore[arg-type]

    def has_latents(self, block: int) -> bool:
        """Whether those of a block are known."""
        return os.path.isfile(self._latents(block))

    def latents(self, block: int) -> dict[str, np.ndarray]:
        """Arrays of the latents of a block, [B, ...] each, and `good`, bool [B]."""
        with np.load(self._latents(block)) as kept:
            return {key: kept[key] for key in kept.files}

    def keep_latents(self, block: int, arrays: Mapping[str, np.ndarray]) -> None:
        """Keeps them."""
        with viz.writing(self._latents(block), overwrite=True) as file:
            np.savez(file, **arrays)  # type: ignore[arg-type]

    def has_frame(self, kind: str, number: int) -> bool:
        """Whether a drawn frame is there; of kind "squares" or "whole"."""
        return os.path.isfile(self._frame(kind, number))

    def frame(self, kind: str, number: int) -> np.ndarray:
        """A drawn frame, uint8 [H, W, C]."""
        return pixels_of(read_file(self._frame(kind, number)).getvalue())

    def keep_frame(self, kind: str, number: int, pixels: np.ndarray) -> None:
        """Keeps it."""
        with viz.writing(self._frame(kind, number), overwrite=True) as file:
            viz.save_png(file, pixels)

    def note_film(self, film: str) -> None:
        """Notes that a film was written, for `own_films`."""
        known = {**_films(self.path), film: _state(film)}
        with viz.writing(self._file(_FILMS), overwrite=True) as file:
            file.write(json.dumps(known).encode())

    def remove(self) -> None:
        """Removes the folder."""
        shutil.rmtree(self.path)

    def _keep_keys(self) -> None:
        with viz.writing(self._file(_JOB), overwrite=True) as file:
            file.write((json.dumps(self.keys, indent=2) + "\n").encode())

    def _file(self, name: str) -> str:
        return os.path.join(self.path, name)

    def _latents(self, block: int) -> str:
        return os.path.join(self.path, _LATENTS, f"{block:06d}.npz")

    def _frame(self, kind: str, number: int) -> str:
        return os.path.join(self.path, kind, f"{number:07d}.png")


def own_films(folder: str) -> set[str]:
    """Films that the unfinished work in a folder has written, and nobody has changed since."""
    return {film for film, state in _films(folder).items() if state == _state(film)}


def _films(folder: str) -> dict[str, object]:
    try:
        return read_json(os.path.join(folder, _FILMS))
    except (OSError, FormatError):
        return {}


def _state(film: str) -> list[int] | None:
    try:
        found = os.stat(film)
    except OSError:
        return None
    return [found.st_size, found.st_mtime_ns]
