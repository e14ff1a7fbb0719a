"""Whether two networks come from one: by what their files tell, or by their noise maps."""

import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from aligned_jax import hub
from aligned_jax.networks.network import Network
from aligned_jax.provenance import started_from
from aligned_jax.translation import share_noise
from aligned_jax.utils.reporting import Reporter

# Numbers of a noise map that are kept to know it again.
_KEPT = 16


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
    if started := started_from(provenance.get("command"), ("finetune",)):
        marks.add(_place(started))
    parents = provenance.get("parents")
    for parent in parents.values() if isinstance(parents, Mapping) else ():
        if isinstance(parent, Mapping):
            marks |= marks_of(str(parent.get("network", "")), parent)
    return marks


def _place(source: str) -> str:
    """Another name for the same run or file, at whatever time, is the same place."""
    if source.startswith("zoo:"):
        return source
    place = source.rpartition("@")[0] or source
    return place if hub.is_hub(source) else os.path.realpath(place)


def origin_of(name: str, network: Network) -> dict[str, Any]:
    """What tells relatives of a network later, when it is not at hand: JSON-able and short.

    Args:
      name: as the network was named, "" for none.
      network: of whose latents something is kept in a file.

    Returns:
      `name`; `marks`, as of `marks_of`; and `noise`, some numbers of the maps by layer.
    """
    maps = network.variables.get("noise", {}).get("synthesis", {})
    noise = {
        f"{block}.{layer}": np.asarray(maps[block][layer]["noise_const"]).ravel()[:_KEPT].tolist()
        for block in maps
        for layer in maps[block]
    }
    marks = sorted(marks_of(name, network.provenance or {}))
    return {"name": name, "marks": marks, "noise": noise}


def is_relative(origin: Mapping[str, Any], name: str, network: Network) -> bool:
    """Whether a network shares an ancestor with the one that `origin_of` told of.

    Args:
      origin: what was kept, possibly by somebody else; what it lacks counts for nothing.
      name: as the network was named, "" for none.
      network: that might be a relative.
    """
    known, theirs = origin.get("marks"), origin.get("noise")
    marks = {mark for mark in known if isinstance(mark, str)} if isinstance(known, list) else set()
    if marks & marks_of(name, network.provenance or {}):
        return True
    ours = origin_of(name, network)["noise"]
    if not isinstance(theirs, Mapping) or not ours or theirs.keys() != ours.keys():
        return False
    try:
        pairs = [(np.asarray(theirs[key], np.float32), np.asarray(ours[key])) for key in ours]
    except (TypeError, ValueError, OverflowError):
        return False
    return all(a.shape == b.shape and np.allclose(a, b, rtol=2e-3, atol=1e-5) for a, b in pairs)
