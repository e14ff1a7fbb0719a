"""Trains a small child network, takes a whole family apart, and writes a web page.

Needs a CPU with two cores, less than five minutes, and no network: it starts
from the networks of the zoo, draws fresh faces, fine-tunes on them, and makes
every picture of DIR/index.html by one `aligned` command, which the page shows
below it. If it is stopped, the same command goes on; finished parts are kept.
"""

import argparse
import contextlib
import io
from collections.abc import Sequence

from aligned_jax.cli import arguments, console
from aligned_jax.utils.text import printable

EXAMPLE = "  aligned demo --out demo"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments of the verb."""
    parser.add_argument(
        "--out",
        type=arguments.name,
        default="demo",
        metavar="DIR",
        help="folder of the page and of all that it shows (default demo)",
    )
    parser.add_argument(
        "--kimg",
        type=arguments.whole(1, 10_000),
        default=6,
        metavar="K",
        help="fine-tune for K thousand images (default 6)",
    )
    parser.add_argument(
        # The latents are seeds, too, several for each.
        "--seed",
        type=arguments.whole(0, 2**28),
        default=0,
        metavar="S",
        help="another one: other faces, other edits",
    )


def run(args: argparse.Namespace) -> int:
    """Everything; returns the exit code."""
    from aligned_jax import jobs

    def carry_out(argv: Sequence[str]) -> int:
        # Only pictures and training speak on stderr: bars, rates, warnings.
        with contextlib.redirect_stdout(io.StringIO()):
            return args.program.carry_out(argv)

    plan = jobs.DemoPlan(args.out, args.kimg, args.seed)
    if code := jobs.make_demo(plan, carry_out, _tell):
        console.warn("stopped and saved; the same command goes on from here")
    return code


def _tell(text: str) -> None:
    # At once, also into a file: somebody waits.
    print(printable(text), flush=True)
