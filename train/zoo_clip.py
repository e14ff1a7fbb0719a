"""Trains the small CLIP of the zoo on datasets of drawn faces, and packs it.

    python -m aligned_jax.train.zoo_clip --data personas=data/personas critters=data/critters \\
      --out avatars-clip

Data are made by `aligned data avatars`; their test splits are what it is scored on.
"""

import argparse
import shlex
import sys

from aligned_jax.cli import console
from aligned_jax.data.styles import STYLES
from aligned_jax.errors import UserError
from aligned_jax.zoo.clip_packing import pack_clip, scored
from aligned_jax.zoo.clip_training import ClipTraining, fact_table, train_clip

COMMAND = ("python", "-m", "aligned_jax.train.zoo_clip")


def main(argv: list[str] | None = None) -> int:
    """Trains and packs; returns the exit code."""
    words = sys.argv[1:] if argv is None else argv
    args = parse(words)
    try:
        data = _datasets(args.data)
        options = ClipTraining(steps=args.steps, seed=args.seed)
        table = fact_table(data, "train")
        with console.progress(options.steps, "steps") as advance:
            clip = train_clip(table, options, advance)
        scores = scored(clip, fact_table(data, "test"))
        commands = [[*COMMAND, *words]]
        pack_clip(args.out, clip, scores, options, list(data), commands, args.overwrite)
    except UserError as error:
        print(f"zoo_clip: {error}", file=sys.stderr)
        return 2
    print(f"wrote {args.out}: {shlex.quote(str(scores['retrieval_64']))} of captions retrieved")
    return 0


def _datasets(pairs: list[str]) -> dict[str, str]:
    """Folders by style."""
    wrong = [pair for pair in pairs if "=" not in pair or pair.partition("=")[0] not in STYLES]
    if wrong:
        raise UserError(f"data are STYLE=FOLDER, unlike {', '.join(wrong)}")
    return {style: folder for style, _, folder in (pair.partition("=") for pair in pairs)}


def parse(argv: list[str]) -> argparse.Namespace:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--data", nargs="+", required=True, metavar="STYLE=FOLDER")
    add("--steps", type=int, default=ClipTraining.steps, help=f"(default {ClipTraining.steps})")
    add("--seed", type=int, default=0, help="(default 0)")
    add("--out", required=True, metavar="DIR")
    add("--overwrite", action="store_true")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
