"""Unfinished trainings of a small CLIP on the disk, from which the same training goes on."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from aligned_jax import viz
from aligned_jax.convert.files.arrays import DAMAGE
from aligned_jax.types import PyTree
from aligned_jax.utils.reading import open_regular

_VERSION = 1  # raised when the training computes something else


def state_file(folder: Path, facts: Mapping[str, Any], images: np.ndarray) -> Path:
    """Where a training is kept: a name that no training of other facts or pictures has.

    Args:
      folder: of unfinished trainings.
      facts: all else that decides the training, JSON-able.
      images: uint8, that are learned from.
    """
    text = json.dumps([_VERSION, facts, hashlib.sha256(images.tobytes()).hexdigest()])
    return folder / f"clip-{hashlib.sha256(text.encode()).hexdigest()[:16]}.npz"


def write_state(file: Path, done: int, tree: PyTree, steps: int, falls: int) -> None:
    """Keeps a tree of arrays after so many steps; what was kept before is replaced.

    Args:
      file: of `state_file`.
      done: steps.
      tree: of arrays.
      steps: of the whole training.
      falls: the step from which trainings of another length differ.

    Raises:
      UserError: if the disk refuses.
    """
    arrays = {str(number): np.asarray(leaf) for number, leaf in enumerate(jax.tree.leaves(tree))}
    arrays["plan"] = np.asarray([done, steps, falls])
    with viz.writing(file, overwrite=True) as opened:
        np.savez(opened, **arrays)  # type: ignore[arg-type]  # no name is one of its own options


def read_state(file: Path, tree: PyTree, steps: int, falls: int) -> tuple[int, PyTree]:
    """Steps done and the tree after them.

    Args:
      file: of `state_file`.
      tree: arrays of the right shapes.
      steps, falls: of the training that is to go on.

    Returns:
      0 and `tree` itself if nothing is kept, if it is damaged, or if it is of a training of another
      length, and of a step in which that already differed from this one.
    """
    leaves, shape = jax.tree.flatten(tree)
    try:
        with open_regular(file) as opened, np.load(opened, allow_pickle=False) as arrays:
            done, planned, fell = map(int, arrays["plan"])
            found = [arrays[str(number)] for number in range(len(leaves))]
    except (*DAMAGE, KeyError, TypeError, MemoryError):
        return 0, tree
    if planned != steps and done > min(fell, falls):
        return 0, tree
    if any(one.shape != jnp.shape(leaf) for one, leaf in zip(found, leaves, strict=True)):
        return 0, tree
    return done, jax.tree.unflatten(shape, [jnp.asarray(one) for one in found])
