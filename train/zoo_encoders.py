"""How near an encoder of the zoo comes to images that it never saw, beside optimisation.

    python -m aligned_jax.train.zoo_encoders zoo:personas64-e4e --generator zoo:personas64 \\
      --data data/personas --out scores.json

Writes the scores, and samples.png beside them. Needs the extra `lpips`.
"""

import argparse
import shlex
import sys

from aligned_jax.cli.zoo_programs import ended, parser
from aligned_jax.zoo.making import ENCODER_SCORES
from aligned_jax.zoo.scoring_encoders import score


def main(argv: list[str] | None = None) -> int:
    """Measures; returns the exit code."""
    words = sys.argv[1:] if argv is None else argv
    args = parse(words)
    line = shlex.join([*ENCODER_SCORES, *words])
    asked = (args.encoder, args.generator, args.data, args.out, args.num)
    return ended("zoo_encoders", lambda: score(*asked, line))


def parse(argv: list[str]) -> argparse.Namespace:
    """Command line."""
    options = parser(__doc__)
    add = options.add_argument
    add("encoder", help="file, run or zoo:NAME")
    add("--generator", required=True, metavar="NETWORK")
    add("--data", required=True, help="dataset; its test split is looked at")
    add("--num", type=int, default=50, help="images (default 50)")
    add("--out", required=True, help="where the scores go, X.json")
    return options.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
