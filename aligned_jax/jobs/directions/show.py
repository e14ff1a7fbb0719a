"""What files of directions say of themselves, and how near to each other they are."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from aligned_jax.jobs.direction_files import read_direction
from aligned_jax.jobs.named_directions import every_direction
from aligned_jax.loading import NetworkSource, named_network
from aligned_jax.semantics import Direction
from aligned_jax.utils.reporting import QUIET, Reporter


@dataclass(frozen=True, eq=False)
class ShownDirections:
    """Directions by the names of their files.

    Attributes:
      directions: in the order in which they were asked for.
    """

    directions: Mapping[str, Direction]

    def cosines(self) -> dict[str, dict[str, float]]:
        """Of every direction with all others of its space; those of other shapes are left out."""
        return {
            name: {
                other: cosine
                for other, their in self.directions.items()
                if other != name and (cosine := _cosine(own, their)) is not None
            }
            for name, own in self.directions.items()
        }

    def document(self) -> dict[str, Any]:
        """All that is known, JSON-able."""
        cosines = self.cosines()
        return {
            name: {
                "space": one.space,
                "shapes": {key: list(vector.shape) for key, vector in one.vectors.items()},
                "sigma": one.sigma,
                "intercept": one.intercept,
                "layers": None if one.layers is None else list(one.layers),
                "network": one.network,
                "found": dict(one.found),
                "cosines": cosines[name],
            }
            for name, one in self.directions.items()
        }

    def table(self) -> str:
        """The same for people, in short."""
        cosines, lines = self.cosines(), []
        for name, one in self.directions.items():
            origin = one.found.get("origin")
            place = origin.get("name") if isinstance(origin, Mapping) else ""
            rows = "all rows" if one.layers is None else f"rows {', '.join(map(str, one.layers))}"
            boundary = "no boundary" if one.intercept is None else f"intercept {one.intercept:.4g}"
            moved = f"{len(one.vectors)} style layers" if one.space == "s" else rows
            lines.append(f"{name}: in {one.space}, {moved}, sigma {one.sigma:.4g}, {boundary}")
            said = [f"{key} {one.found[key]}" for key in _SAID if one.found.get(key) is not None]
            lines.append(f"  found in {place or 'an unnamed network'}: {', '.join(said) or '?'}")
            merits = one.found.get("merits")
            if isinstance(merits, Mapping):
                numbers = (f"{key} {merits[key]:.3f}" for key in _MERITS
                           if isinstance(merits.get(key), float))  # fmt: skip
                lines.append(f"  {', '.join(numbers)}")
            near = sorted(cosines[name].items(), key=lambda item: -abs(item[1]))[:4]
            if near:
                told = ", ".join(f"{other} {value:+.3f}" for other, value in near)
                lines.append(f"  cosines: {told}")
        return "\n".join(lines)


_SAID = ("method", "attribute", "without", "judge", "count", "psi", "label", "file", "value")
_MERITS = ("accuracy", "balanced", "auc", "correlation", "bootstrap")


def show_directions(
    files: Sequence[str | os.PathLike[str]],
    network: NetworkSource | None = None,
    *,
    space: str | None = None,
    network_key: str = "G_ema",
    report: Reporter = QUIET,
) -> ShownDirections:
    """Reads files of directions.

    Args:
      files: as of `read_direction`; "zoo:" alone stands for all that come with the package.
      network: in which they will be used.
      space: of vectors of other programs.
      network_key: "G_ema" or "G".
      report: is warned of directions of networks that are no relatives.

    Raises:
      UserError: as `read_direction`.
    """
    name, loaded = ("", None) if network is None else named_network(network, network_key)
    return ShownDirections(
        {
            file: read_direction(file, loaded, space=space, name=name, report=report)
            for file in every_direction(files)
        }
    )


def _cosine(first: Direction, second: Direction) -> float | None:
    """Of two directions as single vectors; None if they are not of one space and shape."""
    if first.space != second.space:
        return None
    shapes: dict[str, tuple[int, ...]] = {}
    for one in (first, second):
        for name, vector in one.vectors.items():
            if shapes.setdefault(name, vector.shape) != vector.shape:
                return None
    rows = []
    for one in (first, second):
        parts = [one.vectors.get(name, np.zeros(shape)).ravel() for name, shape in shapes.items()]
        rows.append(np.concatenate(parts).astype(np.float64))
    lengths = [float(np.linalg.norm(row)) for row in rows]
    return float(rows[0] @ rows[1] / (lengths[0] * lengths[1])) if all(lengths) else None
