"""Features of real images on the disk, so that a data set is looked at once."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aligned_jax.convert.files.kept_arrays import Shape, keep, kept, kept_name
from aligned_jax.evaluation.catalogue import MOMENTS, ROWS
from aligned_jax.evaluation.collect import Gathered, present
from aligned_jax.metrics import Moments
from aligned_jax.utils import paths

# Raised when what is stored, or how it is computed, changes.
_VERSION = 1
_SHAPES: dict[str, dict[str, Shape]] = {
    ROWS: {"rows": (None, None)},
    MOMENTS: {"count": (), "mean": (None,), "scatter": (None, None)},
}


def default_folder() -> Path:
    """$XDG_CACHE_HOME/aligned_jax/reals, else the same in ~/.cache."""
    return paths.cache_folder("reals")


class Cache:
    """A folder of .npz files, named by a hash of what they were computed from.

    What cannot be read is computed again; what cannot be written is not kept.
    """

    def __init__(self, folder: str | os.PathLike) -> None:
        self.folder = Path(folder)

    def load(self, key: Mapping[str, Any], need: str) -> Gathered | None:
        """What `save` has stored for the same key, or None."""
        arrays = kept(self._file(key, need), _SHAPES[ROWS if need == ROWS else MOMENTS])
        if arrays is None:
            return None
        if need == ROWS:
            return Gathered(rows=arrays["rows"])
        mean, scatter = arrays["mean"], arrays["scatter"]
        if scatter.shape != 2 * mean.shape:
            return None
        return Gathered(moments=Moments(int(arrays["count"]), mean, scatter))

    def save(self, key: Mapping[str, Any], need: str, gathered: Gathered) -> None:
        """Stores what a metric needs of a set of images: its moments, or its rows of features."""
        if need == ROWS:
            keep(self._file(key, need), {"rows": present(gathered.rows)})
        else:
            keep(self._file(key, need), present(gathered.moments)._asdict())

    def _file(self, key: Mapping[str, Any], need: str) -> Path:
        return self.folder / f"{kept_name(_VERSION, need, dict(key))}.npz"
