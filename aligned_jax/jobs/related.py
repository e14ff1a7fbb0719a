"""Which networks come from one another: a family tree by weights, noise maps and records."""

import itertools
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aligned_jax import ancestry, provenance, translation
from aligned_jax.errors import UserError
from aligned_jax.jobs.relatives import name_of
from aligned_jax.loading import NetworkSource, label_of, named_network
from aligned_jax.networks.network import Network
from aligned_jax.provenance import Command
from aligned_jax.utils.reporting import QUIET, Reporter
from aligned_jax.weights.kinship import Kinship, kinship, nearest_tree


@dataclass(frozen=True)
class Relation:
    """Two networks, and what speaks for a common ancestor.

    Attributes:
      first, second: their labels.
      weights: how near their weights are.
      noise: whether the stored noise maps are equal; None if a network has none.
      recorded: whether files or records name a common ancestor.
    """

    first: str
    second: str
    weights: Kinship
    noise: bool | None
    recorded: bool

    @property
    def related(self) -> bool:
        """Whether weights, noise maps or records say so."""
        return self.weights.akin or bool(self.noise) or self.recorded


@dataclass(frozen=True)
class FamilyTree:
    """Networks, and which hangs on which.

    Attributes:
      sources: how they were given, by label.
      relations: every pair.
      parents: by label, the network nearest to it in the tree; None for the first of a family.
    """

    sources: Mapping[str, str]
    relations: tuple[Relation, ...]
    parents: Mapping[str, str | None]

    def relation(self, first: str, second: str) -> Relation:
        """That of two networks, in whatever order."""
        return next(r for r in self.relations if {r.first, r.second} == {first, second})

    def text(self) -> str:
        """The tree as lines of text; a network without relatives is said to be unrelated."""
        roots = [name for name in self.sources if self.parents[name] is None]
        lines: list[str] = []
        for root in roots:
            alone = root not in self.parents.values() and len(self.parents) > 1
            lines.append(f"{root}: unrelated to the others" if alone else root)
            lines += self._below(root, "")
        return "\n".join(lines)

    def _below(self, name: str, indent: str) -> list[str]:
        children = [child for child in self.sources if self.parents[child] == name]
        lines = []
        for child in children:
            last = child == children[-1]
            relation = self.relation(name, child)
            lines.append(f"{indent}{'└─' if last else '├─'} {child} ({_said(relation)})")
            lines += self._below(child, indent + ("   " if last else "│  "))
        return lines

    def document(self, command: Command = Command()) -> dict[str, Any]:  # noqa: B008  # it cannot change
        """What --json prints: JSON-able."""
        return {
            **provenance.record(command),
            "networks": dict(self.sources),
            "tree": dict(self.parents),
            "pairs": [
                {
                    "first": one.first,
                    "second": one.second,
                    "related": one.related,
                    "cosine": one.weights.cosine,
                    "distance": one.weights.distance if one.weights.count else None,
                    "compared": one.weights.count,
                    "akin": one.weights.akin,
                    "same_noise": one.noise,
                    "recorded": one.recorded,
                }
                for one in self.relations
            ],
        }


def related(
    networks: Sequence[NetworkSource],
    *,
    names: Sequence[str] | None = None,
    network_key: str = "G_ema",
    report: Reporter = QUIET,
) -> FamilyTree:
    """Tells relatives by their weights, their noise maps, and what is on record.

    Equal shapes prove nothing; weights do. In the tree every network hangs on the nearest of its
    relatives, from the first that was given on; which of two is the older one weights do not
    tell. Networks of several resolutions are compared by what they have in common.

    Args:
      networks: names, or loaded networks, ancestors first where that is known.
      names: labels; by default the networks' own names.
      network_key: "G_ema" or "G" of networks that are loaded.
      report: hears of every pair.

    Raises:
      UserError: for fewer than two networks, names that do not fit, or if one cannot be loaded.
    """
    if isinstance(networks, str | os.PathLike) or len(networks) < 2:
        raise UserError("relatives are told among two or more networks; give a list of them")
    labels = list(names or [label_of(name_of(source)) for source in networks])
    if len(labels) != len(networks):
        raise UserError(f"`names` has {len(labels)} names for {len(networks)} networks")
    if twice := sorted({label for label in labels if labels.count(label) > 1}):
        raise UserError(f"names come twice: {', '.join(twice)}; choose others with `names`")
    loaded = {
        label: named_network(source, network_key)[1]
        for label, source in zip(labels, networks, strict=True)
    }
    given = {
        label: "" if isinstance(source, Network) else os.fspath(source)
        for label, source in zip(labels, networks, strict=True)
    }
    pairs = list(itertools.combinations(labels, 2))
    relations = []
    with report.progress(len(pairs), "pairs") as advance:
        for first, second in pairs:
            marks = [
                ancestry.marks_of(given[name], loaded[name].provenance or {})
                for name in (first, second)
            ]
            relations.append(
                Relation(
                    first,
                    second,
                    kinship(loaded[first], loaded[second]),
                    translation.share_noise(loaded[first], loaded[second]),
                    bool(marks[0] & marks[1]),
                )
            )
            advance(1)
    by_pair = {frozenset((one.first, one.second)): one for one in relations}
    parents = nearest_tree(
        labels,
        lambda a, b: by_pair[frozenset((a, b))].weights.distance,
        lambda a, b: by_pair[frozenset((a, b))].related,
    )
    sources = {label: given[label] or "a network in memory" for label in labels}
    return FamilyTree(sources, tuple(relations), parents)


def _said(relation: Relation) -> str:
    weights = relation.weights
    parts = [f"cosine {weights.cosine:.3f}, distance {weights.distance:.3f}"]
    parts += ["same noise"] if relation.noise else []
    parts += ["on record"] if relation.recorded else []
    return ", ".join(parts)
