"""Whether two networks come from one: by what their files tell, or by their noise maps."""

import os
import shlex
from collections.abc import Mapping
from typing import Any

from aligned_jax import translation
from aligned_jax.cli import console
from aligned_jax.networks.network import Network


def warn_unrelated(sources: tuple[str, str], networks: tuple[Network, Network]) -> None:
    """Says so if nothing tells of a common ancestor."""
    marks = [
        marks_of(source, network.provenance or {})
        for source, network in zip(sources, networks, strict=True)
    ]
    if not marks[0] & marks[1] and not translation.share_noise(*networks):
        console.warn(
            f"{sources[0]} and {sources[1]} have no common ancestor, neither on record nor by "
            "their noise maps; what their pictures have in common may be chance"
        )


def marks_of(source: str, provenance: Mapping[str, Any]) -> set[str]:
    """What identifies a network and all that it was made from, as far as is known.

    Hashes of files, names of the zoo, and places of files and folders.
    """
    marks = {_place(source)}
    if isinstance(provenance.get("sha256"), str):
        marks.add(provenance["sha256"])
    marks |= _started_from(provenance.get("command"))
    parents = provenance.get("parents")
    for parent in parents.values() if isinstance(parents, Mapping) else ():
        if isinstance(parent, Mapping):
            marks |= marks_of(str(parent.get("network", "")), parent)
    return marks


def _started_from(command: Any) -> set[str]:
    """The NETWORK of `aligned finetune NETWORK ...`."""
    try:
        words = shlex.split(command) if isinstance(command, str) else []
    except ValueError:
        return set()
    return {_place(words[2])} if len(words) > 2 and words[:2] == ["aligned", "finetune"] else set()


def _place(source: str) -> str:
    """Another name for the same run or file is the same place."""
    if source.startswith("zoo:"):
        return source
    return os.path.realpath(source.rpartition("@")[0] or source)
