"""Shows how directions were found, what they are worth, and how near to each other they are.

With --network it also says whether that network is a relative of the one they were found in;
vectors of other programs (.npy, .pt) need it, and --space. zoo:NAME is a direction that comes
with the package; zoo: alone, or a folder of `aligned zoo`, is all of them.
"""

import argparse
import json

from aligned_jax.cli import arguments, console

EXAMPLE = """\
  aligned directions show found/*.npz
  aligned directions show zoo:
  aligned directions show age.npy --network ffhq.pkl --space w"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments of the sub-verb."""
    add = parser.add_argument
    add("files", nargs="+", type=arguments.name, metavar="FILE", help="files, zoo:NAME, or zoo:")
    add("--network", type=arguments.name, metavar="NETWORK", help="in which they will be used")
    add("--space", choices=("z", "w", "s"), help="of vectors of other programs")
    add("--json", action="store_true", help="all that is known, for programs")
    arguments.add_network_key(parser)


def run(args: argparse.Namespace) -> None:
    """Reads and tells."""
    from aligned_jax import jobs

    shown = jobs.show_directions(
        args.files,
        args.network,
        space=args.space,
        network_key=args.network_key,
        report=console.CONSOLE,
    )
    console.say(json.dumps(shown.document(), indent=2) if args.json else shown.table())
