"""How directions are found, and what they shall not have in common with others."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from aligned_jax import semantics
from aligned_jax.errors import UserError
from aligned_jax.jobs.direction_files import read_direction
from aligned_jax.networks.network import Network
from aligned_jax.semantics import directions
from aligned_jax.semantics.directions import Features
from aligned_jax.utils.reporting import Reporter

FILES = (".npz", ".npy", ".pt", ".pth")


@dataclass(frozen=True)
class SearchOptions:
    """How directions are found.

    Attributes:
      space: "z", "w" or "s".
      method: "svm", "logistic" or "mean".
      tails: share of the latents at either end of the scores that count; None for all.
      threshold: above which a score is positive; "median" is that of the scores.
      layers: rows of W+ in which directions are recommended; in S, those whose layers count.
      torgb: in S, whether layers that make colours count.
      bootstrap: draws that tell how stable a direction is; 0 for none.
      seed: of whatever is drawn at random.

    Raises:
      UserError: for values that cannot be, all at once.
    """

    space: semantics.Space = "w"
    method: directions.Method = "svm"
    tails: float | None = 0.02
    threshold: float | str = 0.0
    layers: tuple[int, ...] | None = None
    torgb: bool = False
    bootstrap: int = 10
    seed: int = 0

    def __post_init__(self) -> None:
        wrong = []
        if self.space not in directions.SPACES:
            wrong.append(f"space is {self.space!r:.40}; it is {', '.join(directions.SPACES)}")
        if self.method not in directions.METHODS:
            wrong.append(f"method is {self.method!r:.40}; it is {', '.join(directions.METHODS)}")
        if self.tails is not None and not 0 < self.tails <= 0.5:
            wrong.append(f"tails are {self.tails:g}; a share of the latents from 0 to 0.5")
        if isinstance(self.threshold, str) and self.threshold != "median":
            wrong.append(f"threshold is {self.threshold!r:.40}; a number, or median")
        if self.bootstrap < 0:
            wrong.append(f"bootstrap is {self.bootstrap}; 0 or more draws")
        if self.torgb and self.space != "s":
            wrong.append("toRGB is a matter of space s")
        if wrong:
            raise UserError("; ".join(wrong))

    def cut(self, scores: np.ndarray) -> float:
        """The threshold of these scores."""
        return float(np.median(scores) if isinstance(self.threshold, str) else self.threshold)


PLAIN = SearchOptions()


def is_attribute(one: str | semantics.Direction) -> bool:
    """Whether it names an attribute rather than a file."""
    return isinstance(one, str) and not one.endswith(FILES)


def rows_of_files(
    name: str,
    network: Network,
    features: Features,
    without: Sequence[str | semantics.Direction],
    report: Reporter,
) -> dict[str, np.ndarray]:
    """Rows of the directions that are files, or at hand, by name; attributes are left out.

    Args:
      name: as the network was named.
      network: in which they are used.
      features: what a row is made of.
      without: attributes, files and directions.
      report: hears of directions of networks that are no relatives.

    Raises:
      UserError: if one cannot be read or does not fit.
    """
    rows = {}
    for number, one in enumerate(without):
        if isinstance(one, semantics.Direction):
            rows[f"direction {number}"] = features.row(network.config, one)
        elif not is_attribute(one):
            read = read_direction(one, network, space=features.space, name=name, report=report)
            rows[one] = features.row(network.config, read, one)
    return rows
