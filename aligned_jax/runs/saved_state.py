"""Saving and restoring the state of a run, bit for bit."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jax
import numpy as np

from aligned_jax import checkpoint
from aligned_jax.convert.files.arrays import (
    open_arrays,
    read_arrays,
    read_document,
    read_headers,
)
from aligned_jax.errors import CheckpointError
from aligned_jax.runs.folder import RunFolder, step_of
from aligned_jax.runs.tasks.base import Task
from aligned_jax.types import PyTree
from aligned_jax.utils.text import listed

# All that is not a network, in one file beside the networks.
TRAINING = "training.npz"


def save_state(
    folder: Path,
    task: Task[Any],
    state: PyTree,
    bookkeeping: Mapping[str, Any],
    origin: Mapping[str, Any],
) -> None:
    """Writes a checkpoint that a run can go on from.

    Args:
      folder: the new checkpoint.
      task, origin: of the run; the origin becomes the provenance.
      state: host arrays.
      bookkeeping: JSON-able, what the loop remembers besides the state.

    Raises:
      CheckpointError: if the disk refuses; older checkpoints are untouched.
    """
    networks = {key: (own, getattr(state, key)) for key, own in task.configs().items()}
    rest = {
        name: leaf for part in task.rest for name, leaf in named(part, getattr(state, part)).items()
    }
    text = np.array(json.dumps(dict(bookkeeping)))

    def fill(partial: Path) -> None:
        np.savez(partial / TRAINING, memory=text, **rest)

    images = int(state.images_seen)
    provenance = {**origin, "kind": "trained", "images": images, "step": int(state.step)}
    checkpoint.write(folder, networks, provenance, fill=fill)


def load_state(folder: Path, task: Task[Any]) -> tuple[PyTree, dict[str, Any]]:
    """Inverse of `save_state`: the state as host arrays, and the bookkeeping.

    Raises:
      CheckpointError: if the folder holds no state, or one that is damaged or
        belongs to other sizes.
    """
    expected = task.expected()
    wanted = {
        name: leaf
        for part in task.rest
        for name, leaf in named(part, getattr(expected, part)).items()
    }
    try:
        with open_arrays(folder / TRAINING) as file:
            bookkeeping = read_document(file, "memory")
            if not _is_bookkeeping(bookkeeping):
                raise ValueError("its memory holds other things than sums and a best score")
            headers, damaged = read_headers(file, [name for name in wanted if name in file.keys])
            if not damaged:
                _check_fit(folder, wanted, headers)  # before memory is asked for
                arrays, damaged = read_arrays(file, list(wanted))
        if damaged:
            raise ValueError(listed(damaged, separator="; "))
    except CheckpointError:
        raise
    except Exception as error:  # zipfile, NumPy and JSON all have their own
        raise CheckpointError(f"{folder / TRAINING} is missing or damaged: {error}") from None
    parts = {part: _filled(folder, part, getattr(expected, part), arrays) for part in task.rest}
    for key in task.configs():
        stored = named(key, checkpoint.read(folder, key, expected=getattr(expected, key)))
        parts[key] = _filled(folder, key, getattr(expected, key), stored)
    return task.state_type(**parts), bookkeeping


def latest_state(run: RunFolder) -> Path | None:
    """The latest checkpoint that holds a state; None if there is none."""
    return next(iter(states(run)), None)


def states(run: RunFolder) -> list[Path]:
    """Checkpoints of the run that hold a state to go on from, the latest first."""
    candidates = [*checkpoint.run_checkpoints(run.path).values(), *run.interrupted]
    return sorted(filter(is_whole, candidates), key=step_of, reverse=True)


def load_latest(run: RunFolder, task: Task[Any]) -> tuple[Path, PyTree, dict[str, Any], list[str]]:
    """The latest state that can be read: its folder, the state, the bookkeeping, and notices.

    A notice tells of every later one that is damaged.

    Raises:
      CheckpointError: the latest one's, if none can be read; or if there is none.
    """
    failures: list[CheckpointError] = []
    for folder in states(run):
        try:
            state, bookkeeping = load_state(folder, task)
        except CheckpointError as error:
            failures.append(error)
            continue
        return folder, state, bookkeeping, [f"{e}; going back to {folder}" for e in failures]
    raise failures[0] if failures else CheckpointError(f"{run.path} has no state to go on from")


def is_whole(folder: Path) -> bool:
    """Whether a run can go on from this checkpoint."""
    return checkpoint.is_checkpoint(folder) and (folder / TRAINING).is_file()


def prune(run: RunFolder, task: Task[Any]) -> None:
    """Reduces all but the latest checkpoints to what is kept of them."""
    keys, options = tuple(task.configs()), task.config.snapshots
    folders = checkpoint.run_checkpoints(run.path)
    for kimg in sorted(folders)[: -options.latest]:
        if not options.is_kept(kimg):
            checkpoint.remove(folders[kimg])
        elif is_whole(folders[kimg]):
            whole = options.is_kept_whole(kimg)
            checkpoint.reduce(folders[kimg], keys if whole else keys[:1])


def named(part: str, tree: PyTree) -> dict[str, Any]:
    """Leaves by name: "G_opt/0/mu/synthesis/b4/const"."""

    def name(path: tuple) -> str:
        return jax.tree_util.keystr(
            (jax.tree_util.DictKey(part), *path), simple=True, separator="/"
        )

    return {name(path): leaf for path, leaf in jax.tree_util.tree_leaves_with_path(tree)}


def _is_bookkeeping(values: Mapping[str, Any]) -> bool:
    """Whether `tally` holds three numbers a report, by phase and name, and `best` a score."""

    def numbers(items: Any) -> bool:
        return all(isinstance(item, int | float) for item in items)

    tally, best = values.get("tally") or {}, values.get("best")
    sums = [named for phase in tally.values() for named in phase.values()]
    return all(len(three) == 3 and numbers(three) for three in sums) and (
        best is None or numbers([best["score"]])
    )


def _check_fit(folder: Path, wanted: Mapping[str, Any], given: Mapping[str, Any]) -> None:
    """Raises CheckpointError naming all arrays that are not given as they are wanted."""
    wrong = [
        f"{name} is {given[name].shape if name in given else 'missing'}, expected {leaf.shape}"
        for name, leaf in wanted.items()
        if name not in given or given[name].shape != leaf.shape or given[name].dtype != leaf.dtype
    ]
    if wrong:
        raise CheckpointError(f"{folder} does not fit its run: {listed(wrong, separator='; ')}")


def _filled(folder: Path, part: str, expected: PyTree, arrays: Mapping[str, np.ndarray]) -> PyTree:
    """`expected` with its leaves taken from `arrays`, every misfit named."""
    wanted = named(part, expected)
    _check_fit(folder, wanted, arrays)
    return jax.tree.unflatten(jax.tree.structure(expected), [arrays[name] for name in wanted])
