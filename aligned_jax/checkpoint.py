"""Checkpoint folders: the only module that knows Orbax.

A checkpoint is a folder with one Orbax tree for each network (`G_ema`, `G`,
`D`, an encoder's `E`, any subset) and `config.json` with the format version, every network's
sizes and the provenance. A run folder holds checkpoints as
`checkpoints/kimg-000400`. Writing is atomic: everything goes to a hidden
sibling folder that is renamed at the end, so a name never holds half a
checkpoint. Replacing an old one takes two renames: a machine that stops between
them leaves the old one whole, in a hidden sibling. In a bucket, where nothing
is renamed, an old one goes first and `config.json` comes last; a folder without
it is no checkpoint. Reading one network never reads another.
"""

import contextlib
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import numpy as np

from aligned_jax.config import (
    ALL_KEYS,
    KINDS,
    AnyConfig,
    check_kinds,
    from_dict,
    kind_of,
    to_dict,
)
from aligned_jax.errors import CheckpointError, ConfigError
from aligned_jax.types import Variables
from aligned_jax.utils.atomic import take_away, writing_folder
from aligned_jax.utils.paths import (
    absolute,
    as_path,
    exists,
    is_dir,
    is_file,
    is_remote,
    on_disk,
    put,
    remove_folder,
)
from aligned_jax.utils.text import listed

FORMAT_VERSION = 1
_CONFIG = "config.json"


@dataclass(frozen=True)
class Manifest:
    """What `config.json` says: sizes of every network, by key, and where they come from."""

    configs: dict[str, AnyConfig]
    provenance: dict[str, Any]


def is_checkpoint(folder: str | os.PathLike) -> bool:
    """Whether the folder claims to be a checkpoint."""
    return is_file(as_path(folder) / _CONFIG)


def check_target(folder: str | os.PathLike, overwrite: bool = False) -> None:
    """Raises CheckpointError if `write` would refuse this target; call it before long work.

    Only an empty folder or a checkpoint with nothing else in it is ever replaced.
    """
    if not os.fspath(folder):
        raise CheckpointError("the name of the new checkpoint is empty")
    folder = as_path(folder)
    if not exists(folder):
        return
    if not overwrite:
        raise CheckpointError(f"{folder} already exists; choose another name or pass --overwrite")
    foreign = [folder.name]
    if is_dir(folder) and (is_remote(folder) or not folder.is_symlink()):
        entries = {entry.name for entry in folder.iterdir()}
        if not entries:
            return
        with contextlib.suppress(CheckpointError):
            read_manifest(folder)
            foreign = sorted(entries - {_CONFIG, *ALL_KEYS})
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
    manifest = {
        "format_version": FORMAT_VERSION,
        "networks": {
            key: {"kind": kind_of(config), "config": to_dict(config)}
            for key, (config, _) in networks.items()
        },
        "provenance": dict(provenance or {}),
    }
    text = json.dumps(manifest, indent=2) + "\n"
    with writing_folder(folder, last=_CONFIG) as partial:
        for key, (_, variables) in networks.items():
            _write_tree(partial / key, variables() if callable(variables) else variables)
        if fill is not None:
            fill(partial)
        (partial / _CONFIG).write_text(text, encoding="utf-8")


def reduce(folder: str | os.PathLike, keys: tuple[str, ...]) -> None:
    """Removes all but these networks from a checkpoint, which can be read at every moment.

    Raises:
      CheckpointError: if the folder is no checkpoint, has none of the networks,
        or the disk refuses.
    """
    folder = absolute(folder)
    manifest = json.loads((folder / _CONFIG).read_text(encoding="utf-8"))
    kept = {key: manifest["networks"][key] for key in keys if key in read_manifest(folder).configs}
    if not kept:
        raise CheckpointError(f"{folder} has none of {', '.join(keys)}")
    text = json.dumps(manifest | {"networks": kept}, indent=2) + "\n"
    try:
        if is_remote(folder):
            put(folder / _CONFIG, text.encode())
        else:
            partial = folder / f".{_CONFIG}"
            partial.write_text(text, encoding="utf-8")
            partial.replace(folder / _CONFIG)
        for entry in folder.iterdir():
            if entry.is_dir() and entry.name not in kept:
                remove_folder(entry)
            elif not entry.is_dir() and entry.name != _CONFIG:
                entry.unlink()
    except OSError as error:
        raise CheckpointError(f"{folder} cannot be reduced: {error.strerror}") from None


def remove(folder: str | os.PathLike) -> None:
    """Removes a checkpoint; its name goes first, so that nobody ever finds half of it."""
    folder = absolute(folder)
    take_away(folder, first=_CONFIG)


def read_manifest(folder: str | os.PathLike) -> Manifest:
    """The checkpoint's `config.json`, checked.

    Raises:
      CheckpointError: if the folder is no checkpoint, or of a later format.
    """
    folder = as_path(folder)
    if not is_dir(folder):
        raise CheckpointError(f"{folder}: no such folder")
    try:
        manifest = json.loads((folder / _CONFIG).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise CheckpointError(
            f"{folder} is not a checkpoint: it has no {_CONFIG} (a checkpoint is a folder made "
            "by `aligned convert` or by training)"
        ) from None
    except (OSError, ValueError, RecursionError) as error:
        raise CheckpointError(f"{folder / _CONFIG} cannot be read: {error}") from None
    version = manifest.get("format_version") if isinstance(manifest, dict) else None
    if type(version) is not int:
        raise CheckpointError(f"{folder} is not a checkpoint: its {_CONFIG} is of another kind")
    if version != FORMAT_VERSION:
        raise CheckpointError(
            f"{folder} has checkpoint format {version}; this release reads {FORMAT_VERSION}"
        )
    try:
        return Manifest(_configs(manifest.get("networks")), _object(manifest, "provenance"))
    except ConfigError as error:
        raise CheckpointError(f"{folder / _CONFIG} is damaged: {error}") from None


def _configs(networks: Any) -> dict[str, AnyConfig]:
    """Configs of the `networks` entry of a manifest."""
    configs = {}
    for key in networks if isinstance(networks, dict) else ():
        entry = _object(networks, key)
        if entry.get("kind") not in tuple(KINDS):
            raise ConfigError(f"the kind of {key} is none of {', '.join(KINDS)}")
        configs[key] = from_dict(KINDS[entry["kind"]], _object(entry, "config"))
    check_kinds(configs)
    return configs


def _object(parent: dict[str, Any], key: str) -> dict[str, Any]:
    value = parent.get(key, {})
    if not isinstance(value, dict):
        raise ConfigError(f"{key} is a {type(value).__name__}, not an object")
    return value


def read(folder: str | os.PathLike, key: str, only: tuple[str, ...] = ()) -> Variables:
    """Variables of one network as NumPy arrays, bit for bit as they were written.

    Args:
      folder: a checkpoint.
      key: "G_ema", "G", "D" or "E".
      only: collections to read ("params", "noise", "stats"); all by default.

    Raises:
      CheckpointError: if the network is absent (those present are named) or damaged.
    """
    import orbax.checkpoint as ocp

    folder = absolute(folder)
    present = read_manifest(folder).configs
    if key not in present:
        raise CheckpointError(f"{folder} has no network {key!r}; it has {', '.join(present)}")
    if not is_file(folder / key / "_METADATA"):
        raise CheckpointError(f"{folder / key} is damaged or incomplete: its arrays are missing")
    try:
        with (
            on_disk(folder / key) as here,
            _checkpointer() as checkpointer,
        ):
            shapes = checkpointer.metadata(here).item_metadata.tree
            wanted = {name: shapes[name] for name in (only or shapes)}
            as_numpy = jax.tree.map(lambda _: ocp.RestoreArgs(restore_type=np.ndarray), wanted)
            args = ocp.args.PyTreeRestore(item=wanted, restore_args=as_numpy, partial_restore=True)
            tree = checkpointer.restore(here, args=args)
    except Exception as error:
        reason = str(error).strip().split("\n")[0][:200]
        raise CheckpointError(f"{folder / key} is damaged or incomplete: {reason}") from error
    return jax.tree.map(np.asarray, tree)


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


def _checkpointer() -> Any:
    """Orbax for this process alone; by itself it waits for the other hosts of a run to join in."""
    import orbax.checkpoint as ocp

    me = jax.process_index()
    alone = ocp.options.MultiprocessingOptions(primary_host=me, active_processes={me})
    handler = ocp.PyTreeCheckpointHandler(multiprocessing_options=alone)
    return ocp.Checkpointer(handler, multiprocessing_options=alone)


def _write_tree(folder: Path, variables: Variables) -> None:
    with _checkpointer() as checkpointer:
        checkpointer.save(folder, jax.tree.map(np.asarray, variables))
