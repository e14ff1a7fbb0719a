"""How near an encoder of the zoo comes to images that it never saw, beside optimisation.

    python -m aligned_jax.train.zoo_encoders zoo:personas64-e4e --generator zoo:personas64 \\
      --data data/personas --out scores.json

Writes the scores, and samples.png beside them. Needs the extra `lpips`.
"""

import argparse
import shlex
import sys

from aligned_jax.errors import UserError
from aligned_jax.zoo.making import ENCODER_SCORES
from aligned_jax.zoo.scoring_encoders import score


def main(argv: list[str] | None = None) -> int:
    """Measures; returns the exit code."""
    words = sys.argv[1:] if argv is None else argv
    args = parse(words)
    line = shlex.join([*ENCODER_SCORES, *words])
    try:
        score(args.encoder, args.generator, args.data, args.out, args.num, line)
    except UserError as error:
        print(f"zoo_encoders: {error}", file=sys.stderr)
        return 2
    return 0


def parse(argv: list[str]) -> argparse.Namespace:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("encoder", help="file, run or zoo:NAME")
    parser.add_argument("--generator", required=True, metavar="NETWORK")
    parser.add_argument("--data", required=True, help="dataset; its test split is looked at")
    parser.add_argument("--num", type=int, default=50, help="images (default 50)")
    parser.add_argument("--out", required=True, help="where the scores go, X.json")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
