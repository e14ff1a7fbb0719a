"""Tells which networks come from one another, as a family tree.

Networks that were trained apart have weights at right angles; a child's lean with
its parent's. Equal noise maps and what files record count as well. Every network
hangs on the nearest of its relatives, from the first one given on: name ancestors
first. Equal sizes alone prove nothing.
"""

import argparse

from aligned_jax.cli import arguments, console
from aligned_jax.cli.console import command

EXAMPLE = """\
  aligned related zoo:personas64 zoo:critters64 zoo:personas-again64 zoo:critters64-scratch
  aligned related ffhq.pkl dog.pkl unknown.pkl --json"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments of the verb."""
    parser.add_argument("networks", nargs="+", metavar="NETWORK")
    arguments.add_names(parser)
    arguments.add_network_key(parser)
    parser.add_argument("--json", action="store_true", help="print every pair as JSON")
    parser.add_argument("--out", type=arguments.name, metavar="NAME.json", help="write the JSON")
    arguments.add_overwrite(parser)


def run(args: argparse.Namespace) -> None:
    """Compares, writes and says."""
    from aligned_jax import jobs, viz
    from aligned_jax.cli import results

    if args.out:
        viz.check_file(args.out, args.overwrite)
    tree = jobs.related(
        args.networks, names=args.names, network_key=args.network_key, report=console.CONSOLE
    )
    results.tell_document(args, tree.document(command(args)), tree.text())
