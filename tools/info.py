"""Shows sizes, options, parameters and origin of a network, and its StyleSpace.

A checkpoint's arrays are not read; an official file is checked as a whole.
"""

import argparse

from aligned_jax.cli import console

EXAMPLE = "  aligned info ffhq.pkl --styles"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments of the verb."""
    parser.add_argument("network", metavar="NETWORK")
    parser.add_argument("--json", action="store_true", help="everything, as JSON")
    parser.add_argument("--styles", action="store_true", help="the table of style layers as well")


def run(args: argparse.Namespace) -> None:
    """Looks and prints."""
    import json

    from aligned_jax import jobs

    described = jobs.info(args.network)
    if args.json:
        console.say(json.dumps(described.document(args.styles), indent=2))
    else:
        console.say(described.text(args.styles))
