"""Writes, reduces and removes checkpoints; a name never holds half of one.

Everything goes to a hidden sibling folder that is renamed at the end. Replacing an old
checkpoint takes two renames: a machine that stops between them leaves the old one whole, in a
hidden sibling. In a bucket, where nothing is renamed, an old one goes first and `config.json`
comes last; a folder without it is no checkpoint.
"""

import contextlib
import functools
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from aligned_jax.checkpoint.arrays import check_name, write_tree
from aligned_jax.checkpoint.manifest import CONFIG, manifest_text, read_manifest
from aligned_jax.config import ALL_KEYS, AnyConfig, check_kinds
from aligned_jax.errors import CheckpointError, ConfigError
from aligned_jax.types import Variables
from aligned_jax.utils.atomic import take_away, writing_folder
from aligned_jax.utils.paths import (
    absolute,
    as_path,
    exists,
    is_dir,
    is_remote,
    put,
    remove_folder,
)
from aligned_jax.utils.text import listed


def check_target(folder: str | os.PathLike, overwrite: bool = False) -> None:
    """Raises CheckpointError if `write` would refuse this target; call it before long work.

    Only an empty folder or a checkpoint with nothing else in it is ever replaced.
    """
    if not os.fspath(folder):
        raise CheckpointError("the name of the new checkpoint is empty")
    check_name(folder)
    folder = as_path(folder)
    if not exists(folder):
        return
    if not overwrite:
        raise CheckpointError(
            f"{folder} already exists; choose another name or pass `overwrite=True`"
        )
    foreign = [folder.name]
    if is_dir(folder) and (is_remote(folder) or not folder.is_symlink()):
        entries = {entry.name for entry in folder.iterdir()}
        if not entries:
            return
        with contextlib.suppress(CheckpointError):
            read_manifest(folder)
            foreign = sorted(entries - {CONFIG, *ALL_KEYS})
    if foreign:
        what = "" if foreign == [folder.name] else f": it holds {listed(foreign)}"
        raise CheckpointError(
            f"{folder} is not a checkpoint, or not only one{what}; it is not overwritten"
        )


def write(
    folder: str | os.PathLike,
    networks: Mapping[str, tuple[AnyConfig, Variables | Callable[[], Variables]]],
    provenance: Mapping[str, Any] | None = None,
    overwrite: bool = False,
    fill: Callable[[Path], None] | None = None,
) -> None:
    """Writes a checkpoint; a failure leaves nothing behind and an old one untouched.

    Args:
      folder: the new checkpoint.
      networks: by key, config and variables; variables may be a function that
        returns them, called when their turn comes, so that only one network is
        in memory at a time.
      provenance: JSON-able facts about the origin.
      overwrite: replace an existing checkpoint.
      fill: writes further files into the folder it is given, which becomes the
        checkpoint; the state of a training run is such a file.

    Raises:
      CheckpointError: if the target exists and may not be replaced, a key is
        unknown or holds the wrong kind of network, or the disk refuses.
    """
    try:
        check_kinds({key: config for key, (config, _) in networks.items()})
    except ConfigError as error:
        raise CheckpointError(str(error)) from None
    check_target(folder, overwrite)
    folder = absolute(folder)
    checksums: dict[str, dict[str, str]] = {}
    check = functools.partial(check_target, folder, overwrite)
    with writing_folder(folder, last=CONFIG, check=check) as partial:
        for key, (_, variables) in networks.items():
            tree = variables() if callable(variables) else variables
            checksums[key] = write_tree(partial / key, tree)
        if fill is not None:
            fill(partial)
        configs = {key: config for key, (config, _) in networks.items()}
        text = manifest_text(configs, checksums, provenance or {})
        (partial / CONFIG).write_text(text, encoding="utf-8")


def reduce(folder: str | os.PathLike, keys: tuple[str, ...]) -> None:
    """Removes all but these networks from a checkpoint, which can be read at every moment.

    Raises:
      CheckpointError: if the folder is no checkpoint, has none of the networks,
        or the disk refuses.
    """
    folder = absolute(folder)
    manifest = read_manifest(folder)
    kept = {key: manifest.configs[key] for key in keys if key in manifest.configs}
    if not kept:
        raise CheckpointError(f"{folder} has none of {', '.join(keys)}")
    text = manifest_text(kept, manifest.checksums, manifest.provenance)
    try:
        if is_remote(folder):
            put(folder / CONFIG, text.encode())
        else:
            partial = folder / f".{CONFIG}"
            partial.write_text(text, encoding="utf-8")
            partial.replace(folder / CONFIG)
        for entry in folder.iterdir():
            if entry.is_dir() and entry.name not in kept:
                remove_folder(entry)
            elif not entry.is_dir() and entry.name != CONFIG:
                entry.unlink()
    except OSError as error:
        raise CheckpointError(f"{folder} cannot be reduced: {error.strerror}") from None


def remove(folder: str | os.PathLike) -> None:
    """Removes a checkpoint; its name goes first, so that nobody ever finds half of it."""
    folder = absolute(folder)
    take_away(folder, first=CONFIG)
