"""Makes the readers that come with the package: draws data, trains, reads samples, describes.

    python -m aligned_jax.train.zoo_readers --work zoo-work

Every step is a command of `aligned` that anyone may type. What is there already is kept.
"""

import argparse
import sys
from collections.abc import Iterable

from aligned_jax.cli.zoo_programs import make_members, parse_members
from aligned_jax.zoo import readers

NAMES = tuple(readers.READERS)


def main(argv: list[str] | None = None) -> int:
    """Makes the readers; returns the exit code."""
    return make_members("zoo_readers", parse(argv), NAMES, _commands, readers.make)


def parse(argv: list[str] | None) -> argparse.Namespace:
    """Command line."""
    return parse_members(__doc__, argv, NAMES)


def _commands(name: str) -> Iterable[list[str]]:
    return readers.commands(name).values()


if __name__ == "__main__":
    sys.exit(main())
