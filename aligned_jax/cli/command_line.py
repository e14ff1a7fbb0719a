"""A command line as a whole: its parts, and what results record of it."""

import argparse
from collections.abc import Sequence

from aligned_jax.provenance import Command


def split_overrides(argv: Sequence[str]) -> tuple[list[str], list[str]]:
    """A verb's own arguments, and those with a dot in their name, each with its values."""
    own: list[str] = []
    overrides: list[str] = []
    target = own
    for word in argv:
        if word.startswith("--"):
            target = overrides if "." in word.partition("=")[0] else own
        target.append(word)
    return own, overrides


def command(args: argparse.Namespace) -> Command:
    """The command of a parsed line: arguments that were given or have a default."""
    return Command.of(args.command_line, vars(args))
