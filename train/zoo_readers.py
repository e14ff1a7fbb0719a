"""Makes the readers that come with the package: draws data, trains, reads samples, describes.

    python -m aligned_jax.train.zoo_readers --work zoo-work

Every step is a command of `aligned` that anyone may type. What is there already is kept.
"""

import argparse
import shlex
import sys
from pathlib import Path

from aligned_jax.errors import UserError
from aligned_jax.zoo import readers
from aligned_jax.zoo.making import PACKAGE_ZOO


def main(argv: list[str] | None = None) -> int:
    """Makes the readers; returns the exit code."""
    args = parse(argv)
    try:
        for name in args.only or readers.READERS:
            if args.show:
                print(*map(shlex.join, readers.commands(name)), sep="\n")
            else:
                readers.make(name, Path(args.work), Path(args.into), say)
    except UserError as error:
        print(f"zoo_readers: {error}", file=sys.stderr)
        return 2
    return 0


def parse(argv: list[str] | None) -> argparse.Namespace:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--work", default="zoo-work", help="folder for data and readers")
    parser.add_argument("--into", default=str(PACKAGE_ZOO), help="where they go (the package)")
    parser.add_argument("--only", nargs="*", default=[], choices=readers.READERS, metavar="NAME")
    parser.add_argument("--show", action="store_true", help="print the commands and stop")
    return parser.parse_args(argv)


def say(text: str) -> None:
    """One line on stdout, before the commands' own."""
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
