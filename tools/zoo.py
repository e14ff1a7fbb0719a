"""Lists what comes with the package: networks, encoders, readers, directions, a CLIP.

--out NAME.html is a page with pictures and with what each of them does not do well.
"""

import argparse

from aligned_jax.cli import arguments, console
from aligned_jax.cli.console import command

EXAMPLE = "  aligned zoo --out zoo.html"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments of the verb."""
    parser.add_argument("--out", type=arguments.name, metavar="NAME.html", help="a page")
    arguments.add_overwrite(parser)


def run(args: argparse.Namespace) -> None:
    """Reads the cards, lists and writes."""
    from aligned_jax import jobs, viz
    from aligned_jax.errors import UserError

    if args.out:
        if not args.out.endswith(".html"):
            raise UserError(f"{args.out}: the page is written to NAME.html")
        viz.check_file(args.out, args.overwrite)
    listed = jobs.zoo_list()
    console.say(listed.text())
    if args.out:
        listed.write(args.out, command(args), args.overwrite)
        console.say(f"wrote {args.out}")
