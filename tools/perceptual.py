"""LPIPS of pairs of images: how far apart two pictures look.

A and B are two image files, or two folders or zips whose images are paired by
name. Prints the distance of every pair, and their mean.
"""

import argparse

from aligned_jax.cli import arguments, console, results
from aligned_jax.cli.console import command

EXAMPLE = "  aligned perceptual originals translated --out distances.json"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments of the verb."""
    add = parser.add_argument
    add("first", type=arguments.name, metavar="A")
    add("second", type=arguments.name, metavar="B")
    add("--net", choices=("vgg", "alex"), default="vgg", help="network (default vgg)")
    add("--batch", type=arguments.whole(1), default=16, help="images at a time (default 16)")
    add("--json", action="store_true", help="print JSON instead of a table")
    add("--out", type=arguments.name, metavar="X.json", help="write the JSON to a file")
    arguments.add_overwrite(parser)


def run(args: argparse.Namespace) -> None:
    """Compares, prints, writes."""
    from aligned_jax import jobs, viz

    if args.out:
        viz.check_file(args.out, args.overwrite)
    compared = jobs.perceptual(
        args.first, args.second, net=args.net, batch=args.batch, report=console.CONSOLE
    )
    results.tell_document(args, compared.document(command(args)), compared.table())
