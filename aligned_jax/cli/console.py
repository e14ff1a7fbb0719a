"""The command line: a program of verbs, and what it says.

A program finds a verb, parses its arguments, runs it, and turns mishaps into one line. Results are
said on stdout, warnings and progress on stderr.

Exit codes: 0 done, 2 the user can mend it, 1 a bug (with a traceback), 130
interrupted, 141 nobody reads the output any more, 143 terminated.
"""

import argparse
import contextlib
import difflib
import importlib
import itertools
import os
import re
import shlex
import signal
import sys
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import FrameType, ModuleType
from typing import Any, NoReturn

from aligned_jax import __version__
from aligned_jax.cli.spelling import as_typed
from aligned_jax.errors import UserError
from aligned_jax.provenance import Command
from aligned_jax.utils.compile_cache import enable_cache_at_import
from aligned_jax.utils.reporting import Advance, Reporter, no_advance
from aligned_jax.utils.text import one_line, printable


class Console(Reporter):
    """The listener of the command line."""

    def say(self, text: str) -> None:
        """One line on stdout: what was done."""
        print(printable(text))

    def note(self, text: str) -> None:
        """One line on stderr: how the work goes on, where a bar cannot show it."""
        print(printable(text), file=sys.stderr, flush=True)

    def warn(self, text: str) -> None:
        """One line on stderr: what the user should know, though the work goes on."""
        self.note(f"warning: {one_line(as_typed(text))}")

    @contextlib.contextmanager
    def progress(self, total: int, what: str) -> Iterator[Advance]:
        """A bar with rate and time left on a terminal's stderr."""
        if not sys.stderr.isatty():
            yield no_advance
            return
        from rich.console import Console as Terminal
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
        from rich.progress import TimeRemainingColumn as TimeLeft

        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeLeft(),
        )
        with Progress(*columns, console=Terminal(stderr=True), transient=True) as bar:
            task = bar.add_task(what, total=total, rate="")

            def advance(count: int, note: str = "") -> None:
                bar.update(task, advance=count)
                speed = bar.tasks[0].speed
                bar.update(task, rate=note or (f"{speed:.1f}/s" if speed else ""))

            yield advance


CONSOLE = Console()
say, warn, progress = CONSOLE.say, CONSOLE.warn, CONSOLE.progress


@dataclass(frozen=True)
class Verb:
    """One word of the program.

    Attributes:
      summary: one line for the overview.
      module: a module with EXAMPLE, add_arguments(parser) and run(args), imported when it
        is called; with OVERRIDES = True it takes dotted options besides its own.
    """

    summary: str
    module: str


# What other programs of the field call options that have another name here.
_ELSEWHERE = {
    "--trunc": "--psi",
    "--truncation-psi": "--psi",
    "--outdir": "--out",
    "--class": "--label",
    "--noise-mode": "--noise",
    "--target": "IMAGES without an option",
    "--network": "NETWORK without an option",
    "--network-pkl": "NETWORK without an option",
}


# Modules of Python that training and datasets need, and Windows has not.
_OF_POSIX = ("fcntl", "resource")


class Parser(argparse.ArgumentParser):
    """Wrong arguments are a UserError like all other bad input."""

    def error(self, message: str) -> NoReturn:
        raise UserError(f"{message} (`{self.prog} --help` shows what is possible)")

    def check_options(self, words: Sequence[str]) -> None:
        """Raises UserError if there are options that this parser does not have, naming all.

        Argparse tells of them only where nothing is missing that must be there.
        """
        asked, known = self, set(self._option_string_actions)
        for action in self._actions:
            if isinstance(action, argparse._SubParsersAction):
                chosen = next((word for word in words if word in action.choices), None)
                if chosen is None:
                    return  # nobody knows yet whose options they are
                asked = action.choices[chosen]
                known |= set(asked._option_string_actions)
        options = itertools.takewhile(lambda word: word != "--", words)
        names = [word.partition("=")[0] for word in options if word.startswith("--")]
        wrong = [name for name in dict.fromkeys(names) if name not in known]
        if wrong:
            asked.error("; ".join(_no_option(name, known) for name in wrong))


def help_of(module: ModuleType) -> dict[str, Any]:
    """What a parser takes from the module of its verb or sub-verb: docstring and EXAMPLE."""
    return {
        "description": (module.__doc__ or "").strip(),
        "epilog": f"example:\n{module.EXAMPLE}",
        "formatter_class": argparse.RawDescriptionHelpFormatter,
        "allow_abbrev": False,
    }


@dataclass(frozen=True)
class Program:
    """A command line program.

    Attributes:
      name: what is typed.
      says: what it is for, in a sentence.
      notes: lines at the end of the overview.
      verbs: by name, in the order of the overview.
    """

    name: str
    says: str
    notes: str
    verbs: Mapping[str, Verb]

    def main(self, argv: Sequence[str] | None = None) -> int:
        """Runs one command line without the program's name, by default this process's.

        Returns:
          the exit code.
        """
        if argv is None:
            sys.unraisablehook = _unraisable
            enable_cache_at_import()
            signal.signal(signal.SIGTERM, _terminate)
        argv = list(sys.argv[1:] if argv is None else argv)
        try:
            code = self._dispatch(argv)
            sys.stdout.flush()
            return code
        except BrokenPipeError:
            # Python flushes stdout once more on its way out; that must not fail again.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 141
        except KeyboardInterrupt:
            print("interrupted", file=sys.stderr)
            return 130

    def carry_out(self, argv: Sequence[str]) -> int:
        """Parses and runs one verb with its arguments; UserError is left to the caller."""
        try:
            module, args = self.parse(argv)
        except SystemExit as stop:
            if stop.code:  # terminated meanwhile
                raise
            return 0  # argparse has shown its help
        _quiet_orbax()
        with _warnings_as_lines():
            return module.run(args) or 0

    def parse(self, argv: Sequence[str]) -> tuple[ModuleType, argparse.Namespace]:
        """The module of a verb, and its arguments.

        Raises:
          UserError: if the verb or one of its arguments is not known or not possible.
          SystemExit: after the help asked for.
        """
        verb = argv[0]
        if verb not in self.verbs:
            raise UserError(self._unknown(verb))
        module = self.module_of(verb)
        own, overrides = list(argv[1:]), list[str]()
        if getattr(module, "OVERRIDES", False):
            own, overrides = split_overrides(own)
        parser = self.parser(verb)
        if not {"-h", "--help"} & set(own):
            parser.check_options(own)
        args = parser.parse_args(own)
        args.command_line = shlex.join([self.name, *argv])
        args.program = self  # for verbs that are made of others
        if overrides:
            args.overrides = overrides
        return module, args

    def module_of(self, verb: str) -> ModuleType:
        """The module that carries out a verb."""
        return importlib.import_module(self.verbs[verb].module)

    def parser(self, verb: str) -> Parser:
        """The parser of a verb."""
        module = self.module_of(verb)
        parser = Parser(prog=f"{self.name} {verb}", **help_of(module))
        module.add_arguments(parser)
        return parser

    def _dispatch(self, argv: list[str]) -> int:
        first = argv[0] if argv else "--help"
        if first in ("-h", "--help"):
            print(self._overview())
            return 0
        if first == "--version":
            print(f"{self.name} {__version__}")
            return 0
        name = f"{self.name} {first}" if first in self.verbs else self.name
        try:
            return self.carry_out(argv)
        except UserError as error:
            print(f"{name}: {printable(as_typed(str(error)))}", file=sys.stderr)
            return 2
        except ModuleNotFoundError as error:
            if error.name not in _OF_POSIX:
                raise
            print(f"{name}: this needs Linux or macOS: there is no {error.name}", file=sys.stderr)
            return 2
        except OSError as error:
            if error.filename is None or isinstance(error, BrokenPipeError):
                raise
            # A file that was there a moment ago, a folder that may not be looked into.
            shown = printable(f"{os.fsdecode(error.filename)}: {error.strerror}")
            print(f"{name}: {shown}", file=sys.stderr)
            return 2

    def _overview(self) -> str:
        width = max(map(len, self.verbs))
        lines = [f"  {name:{width}}  {verb.summary}" for name, verb in self.verbs.items()]
        usage = f"usage: {self.name} VERB ..."
        return "\n\n".join([usage, self.says, "\n".join(lines), self.notes])

    def _unknown(self, verb: str) -> str:
        close = difflib.get_close_matches(verb, self.verbs, n=1)
        hint = f"did you mean {close[0]}?" if close else f"verbs are {', '.join(self.verbs)}"
        return f"there is no verb {verb!r}; {hint}"


def _no_option(name: str, known: Iterable[str]) -> str:
    """What to say of an option that is not there."""
    elsewhere = _ELSEWHERE.get(name.replace("_", "-"))
    if elsewhere is not None and (elsewhere in known or not elsewhere.startswith("--")):
        return f"there is no {name}; give {elsewhere}"
    close = difflib.get_close_matches(name, sorted(known), n=1)
    return f"there is no {name}" + (f"; did you mean {close[0]}?" if close else "")


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


# A program that cannot be kept for the next time, or read again, only costs time.
_UNKEPT = re.compile("Error (reading|writing) persistent compilation cache entry")


@contextlib.contextmanager
def _warnings_as_lines() -> Iterator[None]:
    """Shows what the library warns of as the command line does: one line, each once."""
    told = set[str]()
    plainly = warnings.showwarning

    def show(message: Warning | str, category: type[Warning], *place: Any, **more: Any) -> None:
        if not issubclass(category, UserWarning):
            plainly(message, category, *place, **more)
        elif str(message) not in told and not _UNKEPT.match(str(message)):
            told.add(str(message))
            warn(str(message))

    with warnings.catch_warnings():
        warnings.showwarning = show
        yield


def _quiet_orbax() -> None:
    """Orbax logs what it raises as well, with a traceback; one line is enough."""
    from absl import logging

    logging.set_verbosity(logging.FATAL)


def _terminate(number: int, frame: FrameType | None) -> NoReturn:
    """Leaves through every context manager, so that half-written files are taken away."""
    raise SystemExit(128 + number)


def _unraisable(unraisable: "sys.UnraisableHookArgs") -> None:
    """Leaves out what TensorStore's threads say of further failures after the first."""
    if str(unraisable.exc_value) != "Event loop is closed":
        sys.__unraisablehook__(unraisable)
