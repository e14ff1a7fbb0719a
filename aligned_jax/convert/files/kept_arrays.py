"""Arrays that were computed before, in files of the user's cache folder.

What cannot be read is None, and computed again; what cannot be written is not kept.
"""

import contextlib
import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from aligned_jax import viz
from aligned_jax.convert.files.arrays import DAMAGE, open_arrays, read_arrays, read_headers
from aligned_jax.errors import UserError

# Sides of an array; None for any.
Shape = tuple[int | None, ...]


def kept_name(*facts: Any) -> str:
    """A name of 32 letters for what was computed from JSON-able facts; others have other names."""
    text = json.dumps(facts, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def keep(file: Path, arrays: Mapping[str, Any]) -> None:
    """Writes arrays by name to NAME.npz, in place of what is there."""
    contents = dict(arrays)
    with contextlib.suppress(UserError), viz.writing(file, overwrite=True) as opened:
        np.savez(opened, **contents)


def kept(
    file: str | os.PathLike[str], expected: Mapping[str, Shape]
) -> dict[str, np.ndarray] | None:
    """What `keep` wrote, or None unless all are there, of these shapes, and of finite numbers.

    Args:
      file: NAME.npz; others of its arrays are not read.
      expected: shapes by name.
    """
    try:
        with open_arrays(file) as opened:
            headers, wrong = read_headers(opened, list(expected))
            if wrong or any(
                header.problem or not header.is_numbers or not _fits(header.shape, expected[name])
                for name, header in headers.items()
            ):
                return None
            arrays, wrong = read_arrays(opened, list(expected))
    except (*DAMAGE, KeyError, TypeError, MemoryError):
        return None
    if wrong or not all(np.isfinite(array).all() for array in arrays.values()):
        return None
    return arrays


def _fits(shape: tuple[int, ...], expected: Shape) -> bool:
    return len(shape) == len(expected) and all(
        side in (None, found) for found, side in zip(shape, expected, strict=True)
    )
