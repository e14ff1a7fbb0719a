"""Whether two networks come from one: by what their files tell, or by their noise maps."""

import os
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from aligned_jax.networks.network import Network
from aligned_jax.translation import share_noise
from aligned_jax.utils.reporting import Reporter


def warn_unrelated(
    sources: Sequence[str | os.PathLike[str] | Network],
    networks: Sequence[Network],
    report: Reporter,
) -> None:
    """Warns unless two networks are known to share an ancestor.

    Args:
      sources: how they were given, by name or in memory.
      networks: a parent and its child.
      report: hears the warning.
    """
    names = ["" if isinstance(source, Network) else os.fspath(source) for source in sources]
    first, second = (
        marks_of(name, network.provenance or {})
        for name, network in zip(names, networks, strict=True)
    )
    if not first & second and not share_noise(*networks):
        called = " and ".join(name or "a network in memory" for name in names)
        report.warn(
            f"{called} have no common ancestor, neither on record nor by "
            "their noise maps; what their pictures have in common may be chance"
        )


def marks_of(name: str, provenance: Mapping[str, Any]) -> set[str]:
    """What identifies a network and all that it was made from, as far as is known.

    Hashes of files, names of the zoo, and places of files and folders.

    Args:
      name: as the network was named, "" for none.
      provenance: of the network.
    """
    marks = {_place(name)} if name else set()
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
