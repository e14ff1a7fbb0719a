"""Draws the same latents by several networks: a parent and its children, row by row.

Each column is one seed, each row a network. In aligned networks a column shows
one and the same person in several styles (StyleAlign, figures 2, 14 and 34);
networks that were trained apart share nothing.
"""

import argparse

from aligned_jax import provenance
from aligned_jax.cli import console, groups

EXAMPLE = "  aligned family zoo:personas64 zoo:critters64 --seeds 0-7 --out family.png"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments of the verb."""
    parser.add_argument("networks", nargs="+", metavar="NETWORK")
    groups.add_names(parser)
    groups.add_sampling(parser, seeds="0-7", psi=0.7)
    groups.add_network_key(parser)
    groups.add_out(parser, "NAME.png", "the picture")


def run(args: argparse.Namespace) -> None:
    """Draws and writes."""
    import numpy as np

    from aligned_jax import viz
    from aligned_jax.jobs import relatives, strip
    from aligned_jax.rendering import render as rendering

    strip.check_target(args)
    networks = relatives.load(args, args.networks)
    inputs, manner = rendering.from_arguments(args, next(iter(networks.values())).config)
    for network in networks.values():
        rendering.check_manner(network.config, inputs, manner)
    with console.progress(len(networks) * len(inputs), "images") as advance:
        images = [
            viz.to_uint8(rendering.render(network, inputs, manner, advance))
            for network in networks.values()
        ]
    picture = viz.figure(np.stack(images), inputs.names, list(networks))
    with viz.writing(args.out, args.overwrite) as file:
        viz.save_png(file, picture, provenance.png_text(args.command_line))
    console.say(f"wrote {args.out}: {len(networks)} rows, {len(inputs)} columns")
