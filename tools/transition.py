"""Draws how a child leaves its parent: the same latents over a run's snapshots.

Columns are the snapshots of RUN, dense at the beginning, where the change is
fast (StyleAlign, figures 4 and 13); --kimg chooses them.
"""

import argparse

from aligned_jax.cli import arguments, results

EXAMPLE = "  aligned transition runs/critters --seeds 0-3 --out transition.png"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments of the verb."""
    parser.add_argument("run", metavar="RUN")
    parser.add_argument(
        "--kimg",
        type=arguments.list_of(arguments.whole(0)),
        metavar="LIST",
        help="snapshots to draw",
    )
    parser.add_argument(
        "--columns",
        type=arguments.whole(2),
        default=10,
        help="at most so many, if --kimg does not say which (default 10)",
    )
    arguments.add_sampling(parser, seeds="0-3", psi=0.7)
    arguments.add_out(parser, "X", "NAME.png or NAME.html")


def run(args: argparse.Namespace) -> None:
    """Draws and writes."""
    from aligned_jax import jobs
    from aligned_jax.viz import sheet

    sheet.check_sheet(args.out, args.overwrite)
    drawn = jobs.transition(
        args.run,
        kimg=args.kimg,
        columns=args.columns,
        **arguments.sampling(args),
    )
    results.write_sheet(args, drawn)
