"""Draws pairs of seeds: some layers of the one, the rest of the other.

The first column shows the seeds --rows, the first row the seeds --columns; where they meet
is the image of the row's latent whose --layers come from the column's. Layers are rows of W+,
from coarse to fine; `aligned info` says how many there are. This is the picture that
NVIDIA's style_mixing.py draws.
"""

import argparse

from aligned_jax.cli import arguments, console, results

EXAMPLE = """\
  aligned mix ffhq.pkl --rows 85,100,75 --columns 55,821,1789 --layers 0-6 --out mix.png
  aligned mix zoo:personas64 --rows 0-3 --columns 4-8 --layers 0-3 --psi 0.7 --out mix.html"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments of the verb."""
    add = parser.add_argument
    add("network", metavar="NETWORK")
    add("--rows", required=True, metavar="LIST", help="seeds like 0-3 or 85,100,75")
    add("--columns", required=True, metavar="LIST", help="seeds, whose layers are taken")
    layers = "from the columns (default 0-6, of small networks the first half)"
    add("--layers", metavar="LIST", help=layers)
    add("--psi", type=arguments.finite, default=1.0, help="truncation; 1 is none (default 1)")
    add("--label", type=arguments.whole(0), metavar="K", help="class of a conditional network")
    add("--noise", choices=("const", "none", "random"), default="const", help="(default const)")
    add("--noise-seed", type=arguments.seed, default=0, metavar="S", help="of random noise")
    add("--batch", type=arguments.whole(1), default=8, help="images at a time (default 8)")
    arguments.add_network_key(parser)
    arguments.add_out(parser, "X", "NAME.png or NAME.html")


def run(args: argparse.Namespace) -> None:
    """Draws and writes."""
    from aligned_jax import jobs

    sheet = jobs.mix(
        args.network,
        args.rows,
        args.columns,
        args.layers,
        psi=args.psi,
        label=args.label,
        noise=args.noise,
        noise_seed=args.noise_seed,
        batch=args.batch,
        network_key=args.network_key,
        out=args.out,
        overwrite=args.overwrite,
        report=console.CONSOLE,
    )
    results.write_sheet(args, sheet)
    arguments.warn_idle_noise(args)
