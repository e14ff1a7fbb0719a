"""Takes coarse layers from one network and fine layers from another.

Blocks up to --resolution come from LOW, those above from HIGH; with --smooth W
the switch is a logistic blend W layers wide. --strip draws the same latents at
several resolutions as a picture, both networks at its ends, instead of writing
a network.
"""

import argparse
import functools

from aligned_jax.cli import arguments, results

EXAMPLE = """\
  aligned swap ffhq.pkl dog.pkl --resolution 16 --out toon
  aligned swap ffhq.pkl dog.pkl --strip 4,8,16,32,64 --out strip.png"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments of the verb."""
    parser.add_argument("low", metavar="LOW")
    parser.add_argument("high", metavar="HIGH")
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument(
        "--resolution", type=arguments.whole(4), metavar="R", help="the last resolution of LOW"
    )
    where.add_argument(
        "--strip",
        type=arguments.list_of(arguments.whole(4)),
        metavar="LIST",
        help="resolutions to draw",
    )
    parser.add_argument(
        "--smooth", type=arguments.finite, metavar="W", help="width of the switch in layers"
    )
    parser.add_argument(
        "--mapping",
        choices=("low", "high"),
        default="low",
        help="whose mapping network and mean of w (default low)",
    )
    arguments.add_strip_sampling(parser)
    arguments.add_network_key(parser)
    what = "the new checkpoint folder; with --strip, NAME.png or NAME.html"
    arguments.add_out(parser, "DST", what)


def run(args: argparse.Namespace) -> None:
    """Swaps and writes a network, or draws a strip."""
    arguments.fill_strip_defaults(args)
    from aligned_jax import jobs

    chosen = {
        "smooth": args.smooth,
        "mapping": args.mapping,
        "network_key": args.network_key,
    }
    results.write_blend(
        args,
        functools.partial(jobs.swap, args.low, args.high, args.resolution, **chosen),
        functools.partial(jobs.swap_strip, args.low, args.high, args.strip, **chosen),
    )
