"""Adds and subtracts networks of the same sizes.

The expression may hold names, numbers, + - * / and parentheses; every name is
given as name=NETWORK. At the start, write 0 - a for -a, which would be taken
for an option. Coefficients should sum to 1: other sums seldom draw
anything.
"""

import argparse

from aligned_jax.cli import arguments, console, results
from aligned_jax.errors import UserError
from aligned_jax.utils.text import listed

EXAMPLE = """\
  aligned arithmetic "parent + 0.7*(dog - parent) + 0.3*(cat - parent)" \\
      parent=ffhq.pkl dog=dog.pkl cat=cat.pkl --out mixed"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments of the verb."""
    parser.add_argument("expression", metavar="EXPR", help="in quotes, for the shell's sake")
    parser.add_argument("networks", metavar="name=NETWORK", nargs="+")
    arguments.add_network_key(parser)
    arguments.add_out(parser, "DST", "the new checkpoint folder")


def run(args: argparse.Namespace) -> None:
    """Evaluates and writes."""
    from aligned_jax import checkpoint, jobs

    checkpoint.check_target(args.out, args.overwrite)
    args.networks = _sources(args.networks)
    network = jobs.arithmetic(
        args.expression, args.networks, network_key=args.network_key, report=console.CONSOLE
    )
    results.write_checkpoint(args, network)


def _sources(pairs: list[str]) -> dict[str, str]:
    """{name: NETWORK} of "name=NETWORK" arguments."""
    split = [(pair, *pair.partition("=")[::2]) for pair in pairs]
    bad = [pair for pair, name, source in split if not name or not source]
    if bad:
        raise UserError(f"not of the form name=NETWORK: {listed(bad)}")
    names = [name for _, name, _ in split]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise UserError(f"given more than once: {listed(twice)}")
    return {name: source for _, name, source in split}
