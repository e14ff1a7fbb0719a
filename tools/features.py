"""Adds the weights of the networks that scores are computed with, and lists them.

The weights belong to others and are not part of this program: get the file
that `aligned features list` names, then add it. It is read without running
anything from it, checked as a whole, converted once and kept in the cache
folder of this user ($XDG_CACHE_HOME, by default ~/.cache). VGG-16 and both
networks of LPIPS come with the extra `lpips` and need not be added.
"""

import argparse

from aligned_jax.cli import arguments, console

EXAMPLE = "  aligned features list\n  aligned features add pt_inception-2015-12-05-6726825d.pth"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the sub-verbs and their arguments."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="add|list")
    add = actions.add_parser("add", help="check, convert and keep a file", allow_abbrev=False)
    add.add_argument("file", type=arguments.name, metavar="FILE", help=".pth, .pt or .safetensors")
    actions.add_parser("list", help="which networks there are", allow_abbrev=False)


def run(args: argparse.Namespace) -> None:
    """Adds or lists."""
    from aligned_jax import jobs

    if args.action == "add":
        origin = jobs.add_features(args.file)
        console.say(f"added {origin['network']} from {origin['file']}, {origin['bytes']:,} bytes")
        console.say(f"sha256 {origin['sha256']}")
    else:
        console.say(jobs.list_features().text())
