"""Directions that were found, with what they are worth, and how they are written."""

import dataclasses
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from aligned_jax import viz
from aligned_jax.ancestry import origin_of
from aligned_jax.jobs.direction_files import write_direction
from aligned_jax.jobs.populations import mapped
from aligned_jax.networks import fingerprint
from aligned_jax.networks.network import Network
from aligned_jax.provenance import Command
from aligned_jax.rendering.latent_batch import latents_of_seeds
from aligned_jax.semantics.direction import Direction
from aligned_jax.semantics.directions import Boundary, Features, Merits, deviation

_COUNT = 5000  # latents that sigma in S is measured on
# Beyond this, the other attribute changes as much as the target.
_LEAKS = 1.0


@dataclass(frozen=True, eq=False)
class FoundDirection:
    """A direction of an attribute.

    Attributes:
      name: of the attribute.
      direction: with all that follows in its `found`.
      merits: on a random population, or of two sets by cross-validation.
      effects: what a step of one sigma changes of every score, in deviations of that score; empty
        where no judge looked at edited pictures.
    """

    name: str
    direction: Direction
    merits: Merits
    effects: Mapping[str, float] = field(default_factory=dict)

    @property
    def warnings(self) -> list[str]:
        """What is wrong with it, a sentence each."""
        said, own = self.merits.warnings(), self.effects.get(self.name)
        if own is not None and own <= 0:
            said.append(f"the edit does not raise {self.name}: {own:+.2f} deviations a sigma")
        for name, value in self.effects.items():
            if own is not None and name != self.name and abs(value) > _LEAKS * abs(own):
                said.append(
                    f"the edit changes {name} ({value:+.2f} deviations a sigma) more than "
                    f"{self.name} ({own:+.2f})"
                )
        return said

    def table(self) -> str:
        """Its merits for people, a line each."""
        merits, direction = self.merits, self.direction
        lines = [
            f"{self.name}: {direction.found['method']} in {direction.space}, "
            f"{direction.found['examples']} examples, sigma {direction.sigma:.4g}",
            f"  accuracy {merits.accuracy:.3f} (guess {merits.guess:.3f}), balanced "
            f"{merits.balanced:.3f}, AUC {merits.auc:.3f}, rank correlation "
            f"{merits.correlation:+.3f}, on {direction.found['measured_on']}",
            f"  {merits.positive:.1%} have it; its scores deviate by {merits.deviation:.3g}",
        ]
        if merits.bootstrap is not None:
            lines.append(f"  cosine with directions of other draws {merits.bootstrap:.3f}")
        if merits.conditioned is not None:
            lines.append(f"  cosine with what it was unconditioned {merits.conditioned:.3f}")
        for what, values in (
            ("cosines with", merits.cosines),
            ("its distance goes with", merits.correlations),
            ("a sigma moves", self.effects),
        ):
            largest = sorted(values, key=lambda name: -abs(values[name]))[:6]
            if largest:
                told = ", ".join(f"{name} {values[name]:+.2f}" for name in largest)
                lines.append(f"  {what}: {told}")
        return "\n".join(lines)

    def write(
        self,
        path: str | os.PathLike[str],
        command: Command = Command(),  # noqa: B008  # it cannot change
        overwrite: bool = False,
    ) -> None:
        """Writes NAME.npz; raises UserError if it exists or the disk refuses."""
        write_direction(path, self.direction, command, overwrite)


def write_directions(
    folder: str | os.PathLike[str],
    directions: Mapping[str, Direction],
    command: Command = Command(),  # noqa: B008  # it cannot change
    overwrite: bool = False,
) -> None:
    """Writes NAME.npz of each into a folder, all or none.

    Raises:
      UserError: if the folder is not empty, or the disk refuses.
    """
    with viz.writing_folder(folder, overwrite) as place:
        for name, direction in directions.items():
            write_direction(place / f"{file_name(name)}.npz", direction, command)


def file_name(attribute: str) -> str:
    """A name for files: "hair-long" of "hair=long"."""
    return "".join(c if c.isalnum() or c in "._-" else "-" for c in attribute)


def as_direction(
    name: str,
    network: Network,
    features: Features,
    boundary: Boundary,
    label: int | None,
    layers: Sequence[int] | None,
    found: Mapping[str, Any],
) -> Direction:
    """A boundary between latents as a direction of a network.

    In S, a step is one deviation of the score, so that sigma is 1.

    Args:
      name: as the network was named.
      network: the parent.
      features, boundary: what was found.
      label: class of a conditional network.
      layers: rows in which it is recommended.
      found: how it was found.
    """
    normal, intercept = boundary.normal, boundary.intercept
    if features.space == "s":
        batch = latents_of_seeds(network.config, range(_COUNT), label)
        rows = features.matrix(network, {"ws": mapped(network, batch)})
        scale = float((rows @ normal).std())
        normal, intercept = normal * scale, intercept * scale
    vectors = features.vectors(network.config, normal)
    return Direction(
        space=features.space,
        vectors=vectors,
        sigma=deviation(network, features.space, vectors, label),
        network=fingerprint(network.variables),
        intercept=float(intercept),
        layers=None if layers is None or features.space == "s" else tuple(layers),
        found={**found, "label": label, "origin": origin_of(name, network)},
    )


def document(merits: Merits, effects: Mapping[str, float]) -> dict[str, Any]:
    """Merits and effects, JSON-able."""
    told = dataclasses.asdict(merits)
    return {"merits": told, "effects": {name: float(np.float64(v)) for name, v in effects.items()}}
