"""Directions that come with the package, by name: zoo:roll."""

import os
from collections.abc import Sequence
from pathlib import Path

from aligned_jax.errors import UserError
from aligned_jax.utils.paths import zoo_folder
from aligned_jax.utils.text import listed

ZOO = "zoo:"
FOLDERS = "*-directions"  # in the zoo, named after the network that they are of


def zoo_directions() -> dict[str, Path]:
    """The files of the directions that come with the package, by their names without "zoo:"."""
    return {file.stem: file for file in sorted(zoo_folder().glob(f"{FOLDERS}/*.npz"))}


def direction_file(source: str | os.PathLike[str]) -> str:
    """The file that a direction is read from.

    Args:
      source: a file, which is returned as it is, or zoo:NAME.

    Raises:
      UserError: if the zoo has none of this name, with a list of those that it has.
    """
    text = os.fspath(source)
    if not text.startswith(ZOO):
        return text
    known = zoo_directions()
    if text.removeprefix(ZOO) not in known:
        names = listed([f"{ZOO}{name}" for name in known], most=60) or "none in the zoo"
        if text in _folders():
            raise UserError(f"{text} holds several directions; name one of {names}")
        raise UserError(f"there is no direction {text}; there are {names}")
    return str(known[text.removeprefix(ZOO)])


def every_direction(sources: Sequence[str | os.PathLike[str]]) -> list[str]:
    """The same sources, with zoo: alone, or a folder of the zoo, replaced by all names in it."""
    found: list[str] = []
    for given in sources:
        source = os.fspath(given)
        inside = [
            f"{ZOO}{name}"
            for name, file in zoo_directions().items()
            if source in (ZOO, f"{ZOO}{file.parent.name}")
        ]
        found += inside or [source]
    return found


def _folders() -> set[str]:
    return {f"{ZOO}{file.parent.name}" for file in zoo_directions().values()}
