"""Finds directions in the latents of a network, and shows what is known of them.

A direction is a file: what moves, in which unit, in which network it was found, and
how. `aligned edit --edit FILE:3` moves pictures along it, in the network and in all of its
children. `aligned directions find --help` explains one of these.
"""

import argparse
import importlib
from types import ModuleType

from aligned_jax.cli.console import help_of

EXAMPLE = (
    "  aligned directions find zoo:personas64 --judge zoo:people-reader --out found\n"
    "  aligned directions sefa zoo:personas64 --count 5 --out factors\n"
    "  aligned directions show found/*.npz"
)
# What there is, in a word; each in the module directions_NAME beside this one.
ACTIONS = {
    "find": "what tells pictures apart, by scores or by two sets of them",
    "pca": "principal components of W or of styles (GANSpace)",
    "sefa": "what the weights say, in closed form (SeFa)",
    "text": "what words ask for, as a CLIP reads them (StyleCLIP)",
    "show": "how directions were found, and how near to each other they are",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the sub-verbs and their arguments."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="|".join(ACTIONS))
    for name, summary in ACTIONS.items():
        module = _module(name)
        module.add_arguments(actions.add_parser(name, help=summary, **help_of(module)))


def run(args: argparse.Namespace) -> None:
    """Does what the sub-verb does."""
    _module(args.action).run(args)


def _module(name: str) -> ModuleType:
    return importlib.import_module(f"{__package__}.directions_{name}")
