"""Moves one style channel of a parent, and the same one of its children.

For every seed a picture with less of the channel, the plain picture, and one
with more of it; a row for each network. The shift is --strength standard
deviations of the channel in the PARENT, in all networks alike: what the channel
means in the parent it also means in aligned children (StyleAlign, figures 2, 3
and 9 to 12). --random chooses a channel by what it does to the parent alone.
"""

import argparse

from aligned_jax.cli import arguments, console
from aligned_jax.cli.console import command

EXAMPLE = """\
  aligned edit ffhq.pkl dog.pkl --channel 15_45 --out edit.png
  aligned edit zoo:personas64 zoo:critters64 --channel b16.conv1_23 --strength 8 --out edit.png
  aligned edit zoo:personas64 zoo:critters64 --random 0 --out edit.png"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments of the verb."""
    parser.add_argument("parent", metavar="PARENT")
    parser.add_argument("children", nargs="*", metavar="CHILD")
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument(
        "--channel", metavar="LAYER_CHANNEL", help="like 15_45 or b128.conv1_45 (StyleSpace)"
    )
    which.add_argument(
        "--random",
        type=arguments.seed,
        metavar="SEED",
        help="a channel drawn at random among those that show in the parent's images",
    )
    parser.add_argument(
        "--strength",
        type=arguments.finite,
        default=8.0,
        metavar="S",
        help="shift to either side in standard deviations of the parent (default 8)",
    )
    arguments.add_names(parser)
    arguments.add_sampling(parser, seeds="0-2", psi=0.7)
    arguments.add_network_key(parser)
    arguments.add_out(parser, "NAME.png", "the picture")


def run(args: argparse.Namespace) -> None:
    """Draws and writes."""
    from aligned_jax import jobs
    from aligned_jax.viz import sheet

    sheet.check_picture(args.out, args.overwrite)
    edited = jobs.edit(
        [args.parent, *args.children],
        channel=args.channel,
        random=args.random,
        strength=args.strength,
        names=args.names,
        network_key=args.network_key,
        **arguments.sampling(args),
    )
    edited.sheet.write(args.out, command(args), args.overwrite)
    changes = ", ".join(f"{name} {change:.3f}" for name, change in edited.changes.items())
    console.say(
        f"wrote {args.out}: channel {edited.name} ({edited.layer}_{edited.channel}); "
        f"change of a pixel: {changes}"
    )
