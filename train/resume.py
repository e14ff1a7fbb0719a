"""Goes on with a run that was stopped, or lengthens one that has ended.

A run that is stopped, even by kill -9, and resumed comes to the same networks as
one that was not: to the bit on the same CPUs or TPUs, and as many of them. A GPU
may add numbers in another order each time; there the two agree up to rounding,
which training magnifies.
"""

import argparse
import dataclasses

from aligned_jax.errors import UserError
from aligned_jax.runs import hosts, launch, session
from aligned_jax.utils import paths

EXAMPLE = "  aligned resume runs/critters --kimg 200"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments of the verb."""
    parser.add_argument("run", metavar="RUN")
    parser.add_argument("--kimg", type=int, help="a new length of the whole run")
    parser.add_argument("--data", metavar="D", help="where the same data lie now")
    session.add_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Trains; returns the exit code."""
    from aligned_jax.runs.folder import RunFolder, locked

    folder = RunFolder(args.run)
    config = folder.read_config()
    session.prepare(args)
    from aligned_jax.data import open_dataset

    if args.data is not None:
        config = dataclasses.replace(config, data=dataclasses.replace(config.data, path=args.data))
    elif not paths.exists(config.data.path):
        raise UserError(
            f"{config.data.path}, the data of {folder.path}, is not to be found from this working "
            "folder; give the place with --data"
        )
    config = dataclasses.replace(config, kimg=launch.length(folder, config.kimg, args.kimg))
    with hosts.together():
        dataset = open_dataset(config.data)
    with hosts.entered(locked(folder, session.is_first())):
        return launch.go_on(args, folder, config, dataset)
