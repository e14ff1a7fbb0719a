"""Gives a child network some of its parent's components back.

Components: mapping, affine_conv, affine_torgb (both: affine), conv, torgb,
const, noise, or all. What is left of the child shows what the reset part did
(StyleAlign, figures 1 and 8).
"""

import argparse

from aligned_jax.cli import arguments, results

EXAMPLE = "  aligned reset ffhq.pkl dog.pkl --components mapping,affine --out dog-reset"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments of the verb."""
    parser.add_argument("parent", metavar="PARENT")
    parser.add_argument("child", metavar="CHILD")
    parser.add_argument("--components", required=True, metavar="LIST", help="what to reset")
    parser.add_argument(
        "--resolutions", metavar="LIST", help="only in these blocks, like 16,32 (default all)"
    )
    arguments.add_network_key(parser)
    arguments.add_out(parser, "DST", "the new checkpoint folder")


def run(args: argparse.Namespace) -> None:
    """Resets and writes."""
    from aligned_jax import checkpoint, jobs

    checkpoint.check_target(args.out, args.overwrite)
    network = jobs.reset(
        args.parent,
        args.child,
        args.components,
        args.resolutions,
        network_key=args.network_key,
    )
    results.write_checkpoint(args, network)
