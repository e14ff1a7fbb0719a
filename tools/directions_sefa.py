"""Finds the directions of W in which style vectors change most, by the weights alone.

Eigenvectors of the affine layers' weights, sorted, the largest first, with a fixed sign: the
largest number is positive. The variant is recorded: the authors' code gives the
weights of every channel length 1 first (--raw does not), and toRGB counts (--no-torgb leaves it
out). SeFa (Shen and Zhou 2021).
"""

import argparse

from aligned_jax.cli import arguments, console
from aligned_jax.cli.arguments import whole
from aligned_jax.cli.console import command

EXAMPLE = """\
  aligned directions sefa zoo:personas64 --count 5 --out factors
  aligned directions sefa ffhq.pkl --layers 0-3 --raw --no-torgb --out coarse"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments of the sub-verb."""
    add = parser.add_argument
    add("network", metavar="NETWORK")
    add("--count", type=whole(1), default=10, metavar="K", help="(default 10)")
    add("--layers", metavar="ROWS", help="of W+, whose layers count, like 0-6 (default all)")
    add("--raw", action="store_true", help="channels count by the size of their weights")
    add("--no-torgb", action="store_true", help="leave out the layers that make colours")
    add("--samples", type=whole(2), default=10_000, metavar="N", help="for sigma (default 10000)")
    add("--label", type=whole(0), metavar="K", help="class of a conditional network, from 0")
    arguments.add_network_key(parser)
    arguments.add_out(parser, "DIR", "a folder")


def run(args: argparse.Namespace) -> None:
    """Finds, writes and tells."""
    from aligned_jax import jobs, latents, viz

    viz.check_folder(args.out, args.overwrite)
    found = jobs.closed_form_directions(
        args.network,
        args.count,
        rows=None if args.layers is None else latents.parse_rows(args.layers),
        normalise=not args.raw,
        torgb=not args.no_torgb,
        samples=args.samples,
        label=args.label,
        network_key=args.network_key,
    )
    jobs.write_directions(args.out, found, command(args), args.overwrite)
    for name, direction in found.items():
        console.say(f"{name}: value {direction.found['value']:.4g}, sigma {direction.sigma:.3g}")
    console.say(f"wrote {args.out}: {len(found)} directions")
