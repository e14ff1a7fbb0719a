"""Checkpoint folders: the only module that knows Orbax.

A checkpoint is a folder with one Orbax tree for each network (`G_ema`, `G`,
`D`, any subset) and `config.json` with the format version, every network's
sizes and the provenance. A run folder holds checkpoints as
`checkpoints/kimg-000400`. Writing is atomic: everything goes to a hidden
sibling folder that is renamed at the end, so a name either holds a whole
checkpoint or what it held before. Reading one network never reads another.
"""

import contextlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import numpy as np

from aligned_jax.config import (
    DiscriminatorConfig,
    GeneratorConfig,
    NetworkConfig,
    from_dict,
    to_dict,
)
from aligned_jax.errors import CheckpointError, ConfigError
from aligned_jax.types import Variables

FORMAT_VERSION = 1
KEYS = ("G_ema", "G", "D")
_CONFIG = "config.json"
_CLASSES = {"generator": GeneratorConfig, "discriminator": DiscriminatorConfig}
# What file systems and TensorStore say when a write cannot be completed.
_WRITE_FAILURE = re.compile(r"no space left|file too large|disk quota|permission denied", re.I)


@dataclass(frozen=True)
class Manifest:
    """What `config.json` says: sizes of every network, by key, and where they come from."""

    configs: dict[str, NetworkConfig]
    provenance: dict[str, Any]


def is_checkpoint(folder: str | os.PathLike) -> bool:
    """Whether the folder claims to be a checkpoint."""
    return (Path(folder) / _CONFIG).is_file()


def check_target(folder: str | os.PathLike, overwrite: bool = False) -> None:
    """Raises CheckpointError if `write` would refuse this target; call it before long work."""
    folder = Path(folder)
    if not os.path.lexists(folder):
        return
    if not overwrite:
        raise CheckpointError(f"{folder} already exists; choose another name or pass --overwrite")
    empty = folder.is_dir() and not any(folder.iterdir())
    if not empty and not is_checkpoint(folder):
        raise CheckpointError(f"{folder} is not a checkpoint, so it is not overwritten")


def write(
    folder: str | os.PathLike,
    networks: Mapping[str, tuple[NetworkConfig, Variables | Callable[[], Variables]]],
    provenance: Mapping[str, Any] | None = None,
    overwrite: bool = False,
) -> None:
    """Writes a checkpoint; a failure leaves nothing behind and an old one untouched.

    Args:
      folder: the new checkpoint.
      networks: by key, config and variables; variables may be a function that
        returns them, called when their turn comes, so that only one network is
        in memory at a time.
      provenance: JSON-able facts about the origin.
      overwrite: replace an existing checkpoint.

    Raises:
      CheckpointError: if the target exists and may not be replaced, a key is
        unknown, or the disk refuses.
    """
    folder = Path(folder).absolute()
    unknown = sorted(set(networks) - set(KEYS))
    if unknown or not networks:
        raise CheckpointError(f"a checkpoint holds {', '.join(KEYS)}; got {unknown or 'nothing'}")
    check_target(folder, overwrite)
    manifest = {
        "format_version": FORMAT_VERSION,
        "networks": {
            key: {"kind": _kind(config), "config": to_dict(config)}
            for key, (config, _) in networks.items()
        },
        "provenance": dict(provenance or {}),
    }
    text = json.dumps(manifest, indent=2) + "\n"
    with _writing(folder) as partial:
        for key, (_, variables) in networks.items():
            _write_tree(partial / key, variables() if callable(variables) else variables)
        (partial / _CONFIG).write_text(text, encoding="utf-8")


def read_manifest(folder: str | os.PathLike) -> Manifest:
    """The checkpoint's `config.json`, checked.

    Raises:
      CheckpointError: if the folder is no checkpoint, or of a later format.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise CheckpointError(f"{folder}: no such folder")
    try:
        manifest = json.loads((folder / _CONFIG).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise CheckpointError(
            f"{folder} is not a checkpoint: it has no {_CONFIG} (a checkpoint is a folder made "
            "by `aligned convert` or by training)"
        ) from None
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{folder / _CONFIG} cannot be read: {error}") from None
    try:
        version, networks = manifest["format_version"], manifest["networks"]
        if version != FORMAT_VERSION:
            raise CheckpointError(
                f"{folder} has checkpoint format {version!r}; this release reads {FORMAT_VERSION}"
            )
        configs = {
            key: from_dict(_CLASSES[entry["kind"]], entry["config"])
            for key, entry in networks.items()
        }
        return Manifest(configs, dict(manifest.get("provenance", {})))
    except (KeyError, TypeError, AttributeError, ConfigError) as error:
        raise CheckpointError(f"{folder / _CONFIG} is damaged: {error}") from None


def read(folder: str | os.PathLike, key: str, only: tuple[str, ...] = ()) -> Variables:
    """Variables of one network as NumPy arrays, bit for bit as they were written.

    Args:
      folder: a checkpoint.
      key: "G_ema", "G" or "D".
      only: collections to read ("params", "noise", "stats"); all by default.

    Raises:
      CheckpointError: if the network is absent (those present are named) or damaged.
    """
    import orbax.checkpoint as ocp

    folder = Path(folder).absolute()
    present = read_manifest(folder).configs
    if key not in present:
        raise CheckpointError(f"{folder} has no network {key!r}; it has {', '.join(present)}")
    try:
        with ocp.Checkpointer(ocp.PyTreeCheckpointHandler()) as checkpointer:
            shapes = checkpointer.metadata(folder / key).item_metadata.tree
            wanted = {name: shapes[name] for name in (only or shapes)}
            as_numpy = jax.tree.map(lambda _: ocp.RestoreArgs(restore_type=np.ndarray), wanted)
            args = ocp.args.PyTreeRestore(item=wanted, restore_args=as_numpy, partial_restore=True)
            tree = checkpointer.restore(folder / key, args=args)
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
    if Path(text).exists() or not at:
        folder, kimg = Path(text), None
    else:
        folder = Path(run)
        if not folder.is_dir() or not kimg.isdigit():
            raise CheckpointError(f"{text}: no such folder, and no run folder with a KIMG number")
    if not folder.exists():
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
    found = {}
    for folder in Path(run).glob("checkpoints/kimg-*"):
        number = folder.name.removeprefix("kimg-")
        if number.isdigit() and is_checkpoint(folder):
            found[int(number)] = folder
    return found


def run_checkpoint(run: str | os.PathLike, kimg: int) -> Path:
    """Where a run keeps its checkpoint at `kimg` thousand images."""
    return Path(run) / "checkpoints" / f"kimg-{kimg:06d}"


def _kind(config: NetworkConfig) -> str:
    return "generator" if isinstance(config, GeneratorConfig) else "discriminator"


def _write_tree(folder: Path, variables: Variables) -> None:
    import orbax.checkpoint as ocp

    with ocp.Checkpointer(ocp.PyTreeCheckpointHandler()) as checkpointer:
        checkpointer.save(folder, jax.tree.map(np.asarray, variables))


@contextlib.contextmanager
def _writing(folder: Path) -> Iterator[Path]:
    """A hidden sibling to fill; renamed to `folder` on success, removed on failure."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    except OSError as error:
        raise CheckpointError(f"{folder} cannot be written: {error.strerror}") from None
    try:
        yield partial
        partial.chmod(0o755)
        _replace(partial, folder)
    except Exception as error:
        shutil.rmtree(partial, ignore_errors=True)
        if isinstance(error, OSError) or _WRITE_FAILURE.search(str(error)):
            reason = (_WRITE_FAILURE.search(str(error)) or [str(error)])[0]
            raise CheckpointError(
                f"{folder} was not written: {reason}; nothing was left behind"
            ) from error
        raise
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise


def _replace(partial: Path, folder: Path) -> None:
    """Renames `partial` to `folder`; what was there goes only after that."""
    if not os.path.lexists(folder):
        partial.rename(folder)
        return
    old = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    folder.rename(old / folder.name)
    try:
        partial.rename(folder)
    except OSError:
        (old / folder.name).rename(folder)
        raise
    finally:
        if os.path.lexists(folder):
            shutil.rmtree(old, ignore_errors=True)
