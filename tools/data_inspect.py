"""Counts and shows what a dataset holds."""

import argparse

from aligned_jax.cli import arguments, console
from aligned_jax.cli.arguments import name, whole
from aligned_jax.cli.console import command

EXAMPLE = "  aligned data inspect people --check --out people.png"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments of the sub-verb."""
    parser.add_argument("dataset", metavar="D")
    parser.add_argument("--out", type=name, metavar="X.png", help="a sheet of its images")
    parser.add_argument("--images", type=whole(1, 4096), default=64, help="on a sheet (default 64)")
    parser.add_argument(
        "--check", action="store_true", help="compare all files with their recorded SHA-256"
    )
    arguments.add_overwrite(parser)


def run(args: argparse.Namespace) -> None:
    """Counts, compares, draws."""
    from aligned_jax import jobs, viz

    if args.out:
        viz.check_file(args.out, args.overwrite)
    if args.check:
        count = jobs.check_data(args.dataset, console.CONSOLE)
        console.say(f"{args.dataset}: the SHA-256 of {count} files are those that were recorded")
    inspected = jobs.inspect_data(args.dataset)
    console.say(inspected.text())
    if args.out:
        inspected.write_sheet(args.out, args.images, command(args), args.overwrite)
        shown = ", ".join(inspected.splits)
        console.say(f"\nwrote {args.out}: up to {args.images} images of {shown}")
