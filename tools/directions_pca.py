"""Finds principal components: the directions in which random latents vary most.

Of W, or with --style-layers of the style vectors of single layers, whose components are
directions in S. They come sorted, the largest first, and have a fixed sign: the largest
number is positive. A step is one standard deviation. GANSpace (Härkönen et al. 2020).
"""

import argparse

from aligned_jax.cli import arguments, console
from aligned_jax.cli.arguments import list_of, whole
from aligned_jax.cli.console import command

EXAMPLE = """\
  aligned directions pca zoo:personas64 --count 5 --out components
  aligned directions pca ffhq.pkl --style-layers b8.conv0,b8.conv1 --out components"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments of the sub-verb."""
    add = parser.add_argument
    add("network", metavar="NETWORK")
    add("--count", type=whole(1), default=10, metavar="K", help="(default 10)")
    add("--style-layers", type=list_of(str), metavar="LIST", help="names or numbers; (default: W)")
    add("--layers", metavar="ROWS", help="of W+, where they are meant, like 0-6")
    add("--samples", type=whole(2), default=10_000, metavar="N", help="latents (default 10000)")
    add("--label", type=whole(0), metavar="K", help="class of a conditional network, from 0")
    arguments.add_network_key(parser)
    arguments.add_out(parser, "DIR", "a folder")


def run(args: argparse.Namespace) -> None:
    """Finds, writes and tells."""
    from aligned_jax import jobs, latents, viz

    viz.check_folder(args.out, args.overwrite)
    found = jobs.component_directions(
        args.network,
        args.count,
        style_layers=args.style_layers or (),
        rows=None if args.layers is None else latents.parse_rows(args.layers),
        samples=args.samples,
        label=args.label,
        network_key=args.network_key,
    )
    jobs.write_directions(args.out, found, command(args), args.overwrite)
    for name, direction in found.items():
        console.say(f"{name}: {direction.found['share']:.1%} of the variance")
    console.say(f"wrote {args.out}: {len(found)} directions")
