"""Makes the models that come with the package: draws data, trains, packs and scores.

    python -m aligned_jax.train.zoo --work zoo-work

Every step is a command of `aligned` that anyone may type; they are printed
before they run and stand in the models' cards. What is there already is kept
and an unfinished run goes on, so the same line continues after an interruption.
"""

import argparse
import shlex
import sys
from pathlib import Path

from aligned_jax.errors import UserError
from aligned_jax.zoo import making


def main(argv: list[str] | None = None) -> int:
    """Makes the models; returns the exit code."""
    args = parse(argv)
    try:
        making.check_names(args.only)
        for name in args.only or making.NETWORKS:
            if args.show:
                print(*map(shlex.join, making.commands(name)), sep="\n")
            else:
                making.make(name, Path(args.work), Path(args.into), say)
    except UserError as error:
        print(f"zoo: {error}", file=sys.stderr)
        return 2
    return 0


def parse(argv: list[str] | None) -> argparse.Namespace:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--work", default="zoo-work", help="folder for data and runs")
    parser.add_argument(
        "--into",
        default=str(making.PACKAGE_ZOO),
        help="where the models go (default: the package, from which children start)",
    )
    parser.add_argument("--only", nargs="*", default=[], metavar="NAME", help="some of the models")
    parser.add_argument("--show", action="store_true", help="print the commands and stop")
    return parser.parse_args(argv)


def say(text: str) -> None:
    """One line on stdout, before the commands' own."""
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
