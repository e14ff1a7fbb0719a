"""What the programs that make the zoo share: their options, and how they end."""

import argparse
import shlex
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from aligned_jax.cli.spelling import as_typed
from aligned_jax.errors import UserError
from aligned_jax.zoo.making import PACKAGE_ZOO, Say

# Command lines, each as a list of words.
Commands = Iterable[Sequence[str]]


def parser(doc: str | None) -> argparse.ArgumentParser:
    """A parser whose help begins with a program's own text, as it is set."""
    return argparse.ArgumentParser(
        description=doc, formatter_class=argparse.RawDescriptionHelpFormatter
    )


def ended(program: str, work: Callable[[], object]) -> int:
    """Does the work; returns the exit code, 2 with a line on stderr for what the user can mend."""
    try:
        work()
    except UserError as error:
        print(f"{program}: {as_typed(str(error))}", file=sys.stderr)
        return 2
    return 0


def parse_members(
    doc: str | None, argv: Sequence[str] | None, names: Sequence[str]
) -> argparse.Namespace:
    """The command line of a program that makes members of the zoo.

    Args:
      doc: what its help says.
      argv: the words; None for those of this process.
      names: of all members that it makes.
    """
    options = parser(doc)
    add = options.add_argument
    add("--work", default="zoo-work", metavar="DIR", help="for data and runs (default: zoo-work)")
    add(
        "--into",
        default=str(PACKAGE_ZOO),
        metavar="DIR",
        help="where what is made goes (default: the package, from which children start)",
    )
    add("--only", nargs="*", default=[], metavar="NAME", help=f"some of {', '.join(names)}")
    add("--show", action="store_true", help="print the commands and stop")
    return options.parse_args(argv)


def make_members(
    program: str,
    args: argparse.Namespace,
    names: Sequence[str],
    commands: Callable[[str], Commands],
    make: Callable[[str, Path, Path, Say], None],
) -> int:
    """Makes members of the zoo, or shows the commands that would.

    Args:
      program: its name.
      args: of `parse_members`.
      names: of all members that it makes.
      commands: of one of them.
      make: makes one of them: its name, the folder for work, the zoo's folder, and who hears of
        every step.

    Returns:
      the exit code.
    """

    def work() -> None:
        if unknown := [name for name in args.only if name not in names]:
            raise UserError(f"there is no {', '.join(unknown)}; there are {', '.join(names)}")
        for name in args.only or names:
            if args.show:
                print(*map(shlex.join, commands(name)), sep="\n")
            else:
                make(name, Path(args.work), Path(args.into), say)

    return ended(program, work)


def say(text: str) -> None:
    """One line on stdout, before the commands' own."""
    print(text, flush=True)
