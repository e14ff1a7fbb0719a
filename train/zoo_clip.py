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
from aligned_jax.cli.zoo_programs import ended, parser, say
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
    work, into = Path(args.work), Path(args.into)
    return ended("zoo_clip", lambda: clip_making.make(work, into, options, say, CONSOLE))


def parse(argv: list[str] | None) -> argparse.Namespace:
    """Command line."""
    arguments = parser(__doc__)
    add = arguments.add_argument
    add("--work", default="zoo-work", metavar="DIR", help="folder for data and training")
    add("--into", default=str(PACKAGE_ZOO), metavar="DIR", help="where it goes (the package)")
    add("--steps", type=int, default=ClipTraining.steps, help=f"(default {ClipTraining.steps})")
    add("--seed", type=int, default=0, help="(default 0)")
    add("--show", action="store_true", help="print the commands and stop")
    return arguments.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
