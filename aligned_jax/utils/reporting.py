"""What long work tells while it runs, whoever listens: a script, a notebook, a terminal."""

import contextlib
import warnings
from collections.abc import Iterator
from typing import Protocol


class Advance(Protocol):
    """Hears that `count` more units are done; a note is shown in place of the rate."""

    def __call__(self, count: int, note: str = "") -> None: ...


def no_advance(count: int, note: str = "") -> None:
    """An `Advance` that nobody listens to."""


class Reporter:
    """The listener of scripts and notebooks: warnings are Python's, progress is not shown.

    The command line has another, `aligned_jax.cli.console.Console`.
    """

    def warn(self, text: str) -> None:
        """What the user should know, though the work goes on."""
        warnings.warn(text, stacklevel=3)

    @contextlib.contextmanager
    def progress(self, total: int, what: str) -> Iterator[Advance]:
        """A block of work of `total` units called `what`; yields who is told of those done."""
        yield no_advance


QUIET = Reporter()
