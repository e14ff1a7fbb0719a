"""Draws how a child leaves its parent: the same latents over a run's snapshots.

Columns are the snapshots of RUN, dense at the beginning, where the change is
fast (StyleAlign, figures 4 and 13); --kimg chooses them.
"""

import argparse

from aligned_jax.cli import groups, values
from aligned_jax.errors import UserError

EXAMPLE = "  aligned transition runs/critters --seeds 0-3 --out transition.png"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments of the verb."""
    parser.add_argument("run", metavar="RUN")
    parser.add_argument(
        "--kimg",
        type=values.listed(values.whole(0)),
        metavar="LIST",
        help="snapshots to draw",
    )
    parser.add_argument(
        "--columns",
        type=values.whole(2),
        default=10,
        help="at most so many, if --kimg does not say which (default 10)",
    )
    groups.add_sampling(parser, seeds="0-3", psi=0.7)
    groups.add_out(parser, "NAME.png", "the picture")


def run(args: argparse.Namespace) -> None:
    """Draws and writes."""
    from aligned_jax import checkpoint, loading, viz
    from aligned_jax.jobs import strip

    strip.check_target(args)
    found = checkpoint.run_checkpoints(args.run)
    if not found:
        raise UserError(f"{args.run} is not a run folder with checkpoints")
    marks = args.kimg or viz.spread(sorted(found), args.columns)
    missing = [str(kimg) for kimg in marks if kimg not in found]
    if missing:
        have = ", ".join(map(str, sorted(found)))
        raise UserError(f"{args.run} has no snapshot at {', '.join(missing)} kimg; it has {have}")
    config = checkpoint.read_manifest(found[marks[0]]).configs["G_ema"]
    columns = [(f"{kimg} kimg", lambda kimg=kimg: loading.load(found[kimg])) for kimg in marks]
    strip.draw(args, config, columns)
