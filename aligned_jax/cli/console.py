"""What the command line says: results on stdout, warnings and progress on stderr."""

import contextlib
import sys
from collections.abc import Iterator

from aligned_jax.utils.reporting import Advance, Reporter, no_advance
from aligned_jax.utils.text import printable


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
        self.note(f"warning: {text}")

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
