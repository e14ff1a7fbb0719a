"""Takes coarse layers from one network and fine layers from another.

Blocks up to --resolution come from LOW, those above from HIGH; with --smooth W
the switch is a logistic blend W layers wide. --strip draws the same latents at
several resolutions as a picture, both networks at its ends, instead of writing
a network.
"""

import argparse
from typing import TYPE_CHECKING

from aligned_jax.cli import console, groups, values
from aligned_jax.cli.command_line import command

if TYPE_CHECKING:
    from aligned_jax.networks.network import Network

EXAMPLE = """\
  aligned swap ffhq.pkl dog.pkl --resolution 16 --out toon
  aligned swap ffhq.pkl dog.pkl --strip 4,8,16,32,64 --out strip.png"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments of the verb."""
    parser.add_argument("low", metavar="LOW")
    parser.add_argument("high", metavar="HIGH")
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument(
        "--resolution", type=values.whole(4), metavar="R", help="the last resolution of LOW"
    )
    where.add_argument(
        "--strip",
        type=values.listed(values.whole(4)),
        metavar="LIST",
        help="resolutions to draw",
    )
    parser.add_argument(
        "--smooth", type=values.finite, metavar="W", help="width of the switch in layers"
    )
    parser.add_argument(
        "--mapping",
        choices=("low", "high"),
        default="low",
        help="whose mapping network and mean of w (default low)",
    )
    groups.add_strip_sampling(parser)
    groups.add_network_key(parser)
    groups.add_out(parser, "DST", "the new checkpoint folder; with --strip, NAME.png")


def run(args: argparse.Namespace) -> None:
    """Swaps and writes a network, or draws a strip."""
    groups.settle_strip_sampling(args)
    from aligned_jax import weights
    from aligned_jax.jobs import strip, surgery
    from aligned_jax.rendering.draw import RenderOptions
    from aligned_jax.rendering.latent_batch import latents_of_seeds

    if args.strip:
        strip.check_picture(args.out, args.overwrite)
    else:
        surgery.check_target(args)
    low, high = surgery.load(args, "low"), surgery.load(args, "high")

    def swapped(resolution: int) -> "Network":
        return weights.swap(low, high, resolution, args.smooth, args.mapping)

    if args.strip is None:
        surgery.save(args, swapped(args.resolution), {"low": low, "high": high})
        return
    weights.parse_resolutions(args.strip, weights.resolutions_of(low))
    swapped(args.strip[0])  # refuses what does not fit before anything is drawn
    columns = [
        ("high", lambda: high),
        *((f"low to {r} px", lambda r=r: swapped(r)) for r in args.strip),
        ("low", lambda: low),
    ]
    latents = latents_of_seeds(low.config, args.seeds, args.label, args.psi)
    picture = strip.draw_strip(columns, latents, RenderOptions(batch=args.batch), console.CONSOLE)
    strip.write_picture(args.out, picture, command(args), args.overwrite)
    console.say(f"wrote {args.out}: {len(latents)} rows, {len(columns)} columns")
