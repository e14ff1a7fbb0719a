"""Directions in files as what a parent knows: each is a linear model that came fitted."""

import os
from collections.abc import Sequence
from dataclasses import dataclass

from aligned_jax.errors import UserError
from aligned_jax.jobs.direction_files import read_direction
from aligned_jax.networks.network import Network
from aligned_jax.semantics.direction import Direction
from aligned_jax.utils.text import listed


@dataclass(frozen=True)
class DirectionFiles:
    """Files of directions, whose scores are x @ vector + intercept.

    Attributes:
      files: as `aligned directions` and `aligned label` write them, or vectors of other programs.
      space: "w" or "s": what all must be in, and what vectors of other programs are in; None takes
        what the files say.
    """

    files: Sequence[str | os.PathLike[str]]
    space: str | None = None

    @property
    def name(self) -> str:
        """The files in words."""
        return f"directions {listed([os.fspath(file) for file in self.files])}"

    def read(self, parent: Network) -> dict[str, Direction]:
        """The directions by the attribute they were found for, or else by the names of the files.

        Raises:
          UserError: for a file that cannot be read, does not fit the parent or the space, or is of
            an attribute that another is of.
        """
        found: dict[str, Direction] = {}
        for file in self.files:
            direction = read_direction(file, parent, space=self.space)
            name = _attribute(file, direction)
            if name in found:
                raise UserError(f"two directions are of {name}: {self.name}")
            found[name] = direction
        return found


def _attribute(file: str | os.PathLike[str], direction: Direction) -> str:
    told = (direction.found.get(key) for key in ("attribute", "label"))
    words = [one for one in told if isinstance(one, str) and one]
    return words[0] if words else os.path.splitext(os.path.basename(file))[0]
