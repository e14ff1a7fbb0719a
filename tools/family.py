"""Draws the same latents by several networks: a parent and its children, row by row.

Each column is one seed, each row a network. In aligned networks a column shows
one and the same person in several styles (StyleAlign, figures 2, 14 and 34);
networks that were trained apart share nothing.
"""

import argparse

from aligned_jax.cli import arguments, results

EXAMPLE = "  aligned family zoo:personas64 zoo:critters64 --seeds 0-7 --out family.png"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments of the verb."""
    parser.add_argument("networks", nargs="+", metavar="NETWORK")
    arguments.add_names(parser)
    arguments.add_sampling(parser, seeds="0-7", psi=0.7)
    arguments.add_network_key(parser)
    arguments.add_out(parser, "X", "NAME.png or NAME.html")


def run(args: argparse.Namespace) -> None:
    """Draws and writes."""
    from aligned_jax import jobs
    from aligned_jax.viz import sheet

    sheet.check_sheet(args.out, args.overwrite)
    drawn = jobs.family(
        args.networks,
        names=args.names,
        network_key=args.network_key,
        **arguments.sampling(args),
    )
    results.write_sheet(args, drawn)
