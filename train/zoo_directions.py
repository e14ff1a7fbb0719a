"""Makes the named directions that come with the package: finds, chooses, draws and describes.

    python -m aligned_jax.train.zoo_directions --work zoo-work

Readers and the network are those of the zoo; make them first. What is there already is kept.
"""

import argparse
import shlex
import sys
from pathlib import Path

from aligned_jax.cli.zoo_programs import ended, parser, say
from aligned_jax.zoo import directions
from aligned_jax.zoo.making import PACKAGE_ZOO


def main(argv: list[str] | None = None) -> int:
    """Makes the directions; returns the exit code."""
    args = parse(argv)
    if args.show:
        print(shlex.join(directions.finding()))
        return 0
    work, into = Path(args.work), Path(args.into)
    return ended("zoo_directions", lambda: directions.make(work, into, say))


def parse(argv: list[str] | None) -> argparse.Namespace:
    """Command line."""
    arguments = parser(__doc__)
    add = arguments.add_argument
    add("--work", default="zoo-work", metavar="DIR", help="folder for what is found")
    add("--into", default=str(PACKAGE_ZOO), metavar="DIR", help="where they go (the package)")
    add("--show", action="store_true", help="print the command and stop")
    return arguments.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
