"""Shows where a child differs from its parent, in weights and in images.

DIR/index.html holds everything in one page: how far each component moved at
each resolution, and the same latents drawn by the parent, the child, and the
child with each component reset (StyleAlign, figures 1 and 8). The pieces lie
beside it: resets.png, change.svg, change.json.
"""

import argparse

from aligned_jax.cli import arguments, console
from aligned_jax.cli.console import command

EXAMPLE = "  aligned compare ffhq.pkl dog.pkl --out report"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments of the verb."""
    parser.add_argument("parent", metavar="PARENT")
    parser.add_argument("child", metavar="CHILD")
    arguments.add_sampling(parser, seeds="0-5", psi=0.7)
    arguments.add_network_key(parser)
    arguments.add_out(parser, "DIR", "the folder of the report")


def run(args: argparse.Namespace) -> None:
    """Measures, draws and writes."""
    from aligned_jax import jobs, viz

    viz.check_folder(args.out, args.overwrite)
    comparison = jobs.compare(
        args.parent,
        args.child,
        network_key=args.network_key,
        **arguments.sampling(args),
    )
    comparison.write(args.out, command(args), args.overwrite)
    console.say(f"wrote {args.out}: open index.html there")
