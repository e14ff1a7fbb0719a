"""Which checkpoint a path means, and where runs keep theirs."""

import os
from pathlib import Path

from aligned_jax.checkpoint.manifest import is_checkpoint
from aligned_jax.errors import CheckpointError
from aligned_jax.utils.paths import as_path, exists, is_dir


def find(path: str | os.PathLike) -> Path:
    """The checkpoint that a path means: itself, a run's latest, or `RUN@KIMG`.

    Raises:
      CheckpointError: naming the run's checkpoints if the one asked for is missing.
    """
    text = os.fspath(path)
    run, at, kimg = text.rpartition("@")
    if not at or exists(text):
        folder, kimg = as_path(text), None
    else:
        folder = as_path(run)
        if not is_dir(folder) or not _is_number(kimg):
            raise CheckpointError(f"{text}: no such folder, and no run folder with a KIMG number")
    if not exists(folder):
        raise CheckpointError(f"{folder}: no such file or folder")
    steps = run_checkpoints(folder)
    if not steps:
        if kimg is not None:
            raise CheckpointError(f"{folder} is not a run folder: it has no checkpoints/kimg-*")
        return folder
    wanted = max(steps) if kimg is None else int(kimg)
    if wanted not in steps:
        have = ", ".join(map(str, sorted(steps)))
        raise CheckpointError(f"run {folder} has no checkpoint at {wanted} kimg; it has {have}")
    return steps[wanted]


def run_checkpoints(run: str | os.PathLike) -> dict[int, Path]:
    """Checkpoints of a run folder by kimg; empty if it is none."""
    folders = {}
    for folder in as_path(run).glob("checkpoints/kimg-*"):
        number = folder.name.removeprefix("kimg-")
        if _is_number(number) and is_checkpoint(folder):
            folders[int(number)] = folder
    return folders


def run_checkpoint(run: str | os.PathLike, kimg: int) -> Path:
    """Where a run keeps its checkpoint at `kimg` thousand images."""
    return as_path(run) / "checkpoints" / f"kimg-{kimg:06d}"


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 10
