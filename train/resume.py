"""Goes on with a run that was stopped, or lengthens one that has ended.

A run that is stopped, even by kill -9, and resumed comes to the same networks as
one that was not: to the bit on the same CPUs or TPUs, and as many of them. A GPU
may add numbers in another order each time; there the two agree up to rounding,
which training magnifies.
"""

import argparse

from aligned_jax.cli import training

EXAMPLE = "  aligned resume runs/critters --kimg 200"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments of the verb."""
    parser.add_argument("run", metavar="RUN")
    parser.add_argument("--kimg", type=int, help="a new length of the whole run")
    parser.add_argument("--data", metavar="D", help="where the same data lie now")
    training.add_session(parser)


def run(args: argparse.Namespace) -> int:
    """Trains; returns the exit code."""
    from aligned_jax import jobs

    session = training.session_of(args)
    outcome = jobs.resume(args.run, args.kimg, args.data, session, training.CONSOLE)
    return training.conclude(outcome)
