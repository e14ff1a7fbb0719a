"""Trees of arrays of a checkpoint, written and read by Orbax."""

import os
from pathlib import Path
from typing import Any

import jax
import numpy as np

from aligned_jax.checkpoint.manifest import read_manifest
from aligned_jax.errors import CheckpointError, FormatError
from aligned_jax.types import PyTree, Variables
from aligned_jax.utils.checksums import checksum
from aligned_jax.utils.paths import absolute, is_file, is_utf8, on_disk
from aligned_jax.utils.text import listed

_LONGEST_LIST = 1 << 26  # bytes


def read(
    folder: str | os.PathLike,
    key: str,
    only: tuple[str, ...] = (),
    expected: Variables | None = None,
) -> Variables:
    """Variables of one network as NumPy arrays, bit for bit as they were written.

    Args:
      folder: a checkpoint.
      key: "G_ema", "G", "D" or "E".
      only: collections to read ("params", "noise", "stats"); all by default.
      expected: the whole network's tree with `shape` for every leaf. Arrays that declare
        another one are refused before memory is asked for.

    Raises:
      CheckpointError: if the network is absent (those present are named), damaged, of
        other shapes than those expected, or does not have the checksums that were recorded.
    """
    folder = absolute(folder)
    check_name(folder)
    manifest = read_manifest(folder)
    if key not in manifest.configs:
        present = ", ".join(manifest.configs)
        raise CheckpointError(f"{folder} has no network {key!r}; it has {present}")
    if not is_file(folder / key / "_METADATA"):
        raise CheckpointError(f"{folder / key} is damaged or incomplete: its arrays are missing")
    try:
        tree = _restore(folder / key, only, expected)
    except FormatError as error:
        raise CheckpointError(str(error)) from None
    except Exception as error:
        reason = str(error).strip().split("\n")[0][:200]
        raise CheckpointError(f"{folder / key} is damaged or incomplete: {reason}") from error
    recorded = manifest.checksums.get(key, {})
    changed = [n for n in tree if n in recorded and checksum(tree[n]) != recorded[n]]
    if changed:
        raise CheckpointError(
            f"{folder / key} is damaged: {', '.join(changed)} are not the arrays that were "
            "written (their checksum differs from the recorded one)"
        )
    return tree


def check_name(folder: str | os.PathLike) -> None:
    """Raises CheckpointError for a name that TensorStore cannot open."""
    if not is_utf8(folder):
        raise CheckpointError(f"{os.fspath(folder)}: the name is not UTF-8; give another one")


def write_tree(folder: Path, variables: Variables) -> dict[str, str]:
    """Writes a network's arrays; the checksum of each collection."""
    arrays = jax.tree.map(np.asarray, variables)
    with _checkpointer() as checkpointer:
        checkpointer.save(folder, arrays)
    return {name: checksum(collection) for name, collection in arrays.items()}


def misfits(expected: PyTree, given: PyTree) -> list[str]:
    """A line for each leaf of either tree that the other lacks or has in another shape."""

    def shapes(tree: PyTree) -> dict[str, tuple[int, ...]]:
        leaves = jax.tree_util.tree_leaves_with_path(tree)
        return {jax.tree_util.keystr(path): tuple(leaf.shape) for path, leaf in leaves}

    wanted, present = shapes(expected), shapes(given)
    return [
        f"{name} is {present.get(name, 'missing')}, expected {wanted.get(name, 'nothing')}"
        for name in sorted({*wanted, *present})
        if wanted.get(name) != present.get(name)
    ]


def _restore(item: Path, only: tuple[str, ...], expected: Variables | None) -> Variables:
    import orbax.checkpoint as ocp

    with on_disk(item) as here, _checkpointer() as checkpointer:
        _check_files(here)
        metadata = checkpointer.metadata(here).item_metadata
        if metadata is None:
            raise FormatError(f"{item} is damaged: its list of arrays cannot be read")
        declared = metadata.tree
        wanted = {name: declared[name] for name in (only or declared)}
        if expected is not None:
            sizes = {name: expected[name] for name in only} if only else expected
            _check_shapes(item, sizes, wanted)
        as_numpy = jax.tree.map(lambda _: ocp.RestoreArgs(restore_type=np.ndarray), wanted)
        args = ocp.args.PyTreeRestore(item=wanted, restore_args=as_numpy, partial_restore=True)
        return jax.tree.map(np.asarray, checkpointer.restore(here, args=args))


def _check_files(here: Path) -> None:
    """Refuses what TensorStore would wait for or read without end: pipes and devices."""
    entries = [path for path in here.rglob("*") if not path.is_dir()]
    if foreign := [path for path in entries if not path.is_file()]:
        raise FormatError(f"{here} holds what is no regular file: {listed(map(str, foreign))}")
    # Lists of what lies where are read whole, of the arrays themselves in folders "d" a part.
    lists = [path for path in entries if path.parent.name != "d"]
    if large := [str(path) for path in lists if path.stat().st_size > _LONGEST_LIST]:
        raise FormatError(f"{listed(large)} is far longer than any list of a checkpoint's arrays")


def _check_shapes(item: Path, expected: PyTree, declared: PyTree) -> None:
    wrong = misfits(expected, declared)
    # A chunk is decompressed as a whole, so that a small array with a huge one is a bomb too.
    wrong += [
        f"{leaf.name} is stored in chunks of {leaf.storage.chunk_shape}, larger than itself"
        for leaf in jax.tree.leaves(declared)
        if leaf.storage is not None
        and any(c > max(n, 1) for c, n in zip(leaf.storage.chunk_shape, leaf.shape, strict=False))
    ]
    if wrong:
        raise FormatError(
            f"{item}: the arrays do not fit the recorded sizes: {listed(wrong, separator='; ')}"
        )


def _checkpointer() -> Any:
    """Orbax for this process alone; by itself it waits for the other hosts of a run to join in."""
    import orbax.checkpoint as ocp

    me = jax.process_index()
    alone = ocp.options.MultiprocessingOptions(primary_host=me, active_processes={me})
    handler = ocp.PyTreeCheckpointHandler(multiprocessing_options=alone)
    return ocp.Checkpointer(handler, multiprocessing_options=alone)
