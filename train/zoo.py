"""Makes the models that come with the package: draws data, trains, packs and scores.

    python -m aligned_jax.train.zoo --work zoo-work

Every step is a command of `aligned` that anyone may type; they are printed
before they run and stand in the models' cards. What is there already is kept
and an unfinished run goes on, so the same line continues after an interruption.
"""

import argparse
import sys

from aligned_jax.cli.zoo_programs import make_members, parse_members
from aligned_jax.zoo import making

NAMES = tuple(making.NETWORKS)


def main(argv: list[str] | None = None) -> int:
    """Makes the models; returns the exit code."""
    return make_members("zoo", parse(argv), NAMES, making.commands, making.make)


def parse(argv: list[str] | None) -> argparse.Namespace:
    """Command line."""
    return parse_members(__doc__, argv, NAMES)


if __name__ == "__main__":
    sys.exit(main())
