"""Starts networks at another resolution from trained weights (StyleAlign, figure 30).

Blocks that both resolutions have are copied; new ones, and the tRGB or fromRGB
that a new top block lacks, are drawn afresh, so that the result wants
fine-tuning. Every network of the source is resized: G_ema, and G and D if it
has them.
"""

import argparse

from aligned_jax.cli import arguments, console
from aligned_jax.cli.console import command

EXAMPLE = "  aligned resize ffhq1024.pkl --resolution 256 --out start256"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments of the verb."""
    parser.add_argument("network", metavar="NETWORK")
    parser.add_argument("--resolution", type=arguments.whole(1), required=True, metavar="R")
    parser.add_argument(
        "--seed", type=arguments.seed, default=0, metavar="S", help="of new weights (default 0)"
    )
    arguments.add_out(parser, "DST", "the new checkpoint folder")


def run(args: argparse.Namespace) -> None:
    """Resizes and writes."""
    from aligned_jax import checkpoint, jobs
    from aligned_jax.jobs.describe import headline

    checkpoint.check_target(args.out, args.overwrite)
    resized = jobs.resize(args.network, args.resolution, seed=args.seed)
    resized.write(args.out, command(args), args.overwrite)
    main = resized.main
    console.say(
        f"wrote {args.out}: {headline(main.config)}; {', '.join(resized.networks)}; "
        f"{len(main.new)} arrays are new, {len(main.dropped)} were dropped"
    )
