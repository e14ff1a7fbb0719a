"""Features of real images on the disk, so that a data set is looked at once."""

import contextlib
import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from aligned_jax import viz
from aligned_jax.convert.files.arrays import DAMAGE
from aligned_jax.errors import UserError
from aligned_jax.evaluation.catalogue import ROWS
from aligned_jax.evaluation.collect import Gathered, present
from aligned_jax.metrics import Moments
from aligned_jax.utils import paths
from aligned_jax.utils.reading import open_regular

# Raised when what is stored, or how it is computed, changes.
_VERSION = 1


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
        try:
            path = self._file(key, need)
            with open_regular(path) as opened, np.load(opened, allow_pickle=False) as file:
                if need == ROWS:
                    return Gathered(rows=file["rows"])
                count = int(file["count"])
                return Gathered(moments=Moments(count, file["mean"], file["scatter"]))
        except (*DAMAGE, KeyError, TypeError, MemoryError):
            return None

    def save(self, key: Mapping[str, Any], need: str, gathered: Gathered) -> None:
        """Stores what a metric needs of a set of images: its moments, or its rows of features."""
        arrays: dict[str, Any]
        if need == ROWS:
            arrays = {"rows": present(gathered.rows)}
        else:
            arrays = present(gathered.moments)._asdict()
        with (
            contextlib.suppress(UserError),
            viz.writing(self._file(key, need), overwrite=True) as file,
        ):
            np.savez(file, **arrays)

    def _file(self, key: Mapping[str, Any], need: str) -> Path:
        text = json.dumps([_VERSION, need, dict(key)], sort_keys=True)
        return self.folder / f"{hashlib.sha256(text.encode()).hexdigest()[:32]}.npz"
