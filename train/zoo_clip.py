"""Makes the small CLIP that comes with the package: draws data, trains, scores and packs it.

    python -m aligned_jax.train.zoo_clip --work zoo-work

It learns from drawn faces and captions made of their attributes, and is scored on faces that it
never saw. What is there already is kept, and a training that was stopped goes on.
"""

import argparse
import shlex
import sys
from pathlib import Path

from aligned_jax.cli.console import CONSOLE
from aligned_jax.errors import UserError
from aligned_jax.zoo import clip_making
from aligned_jax.zoo.clip_training import ClipTraining
from aligned_jax.zoo.making import PACKAGE_ZOO


def main(argv: list[str] | None = None) -> int:
    """Makes the CLIP; returns the exit code."""
    args = parse(argv)
    options = ClipTraining(steps=args.steps, seed=args.seed)
    if args.show:
        lines = [*clip_making.drawings().values(), clip_making.training(options)]
        print(*map(shlex.join, lines), sep="\n")
        return 0
    try:
        clip_making.make(Path(args.work), Path(args.into), options, say, CONSOLE)
    except UserError as error:
        print(f"zoo_clip: {error}", file=sys.stderr)
        return 2
    return 0


def parse(argv: list[str] | None) -> argparse.Namespace:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--work", default="zoo-work", metavar="DIR", help="folder for data and training")
    add("--into", default=str(PACKAGE_ZOO), metavar="DIR", help="where it goes (the package)")
    add("--steps", type=int, default=ClipTraining.steps, help=f"(default {ClipTraining.steps})")
    add("--seed", type=int, default=0, help="(default 0)")
    add("--show", action="store_true", help="print the commands and stop")
    return parser.parse_args(argv)


def say(text: str) -> None:
    """One line on stdout, before the commands' own."""
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
