"""Who listens to a run while it trains; the command line has a listener of its own."""

import contextlib
import warnings
from types import TracebackType
from typing import Any, Self

from aligned_jax.runs.config import RunConfig
from aligned_jax.utils.reporting import Reporter


class TrainingProgress(contextlib.AbstractContextManager):
    """Hears how the training moves on, and shows nothing of it."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        pass

    def iteration(self, images: int) -> None:
        """So many images have been shown."""

    def tick(self, line: dict[str, Any]) -> None:
        """A tick is over; `line` goes into the statistics."""

    def say(self, text: str) -> None:
        """What the loop is about to do, in one line."""

    def warn(self, text: str) -> None:
        """What the user should know, though the work goes on."""


class TrainingReporter(Reporter):
    """The listener of scripts and notebooks: warnings are Python's, nothing else is shown."""

    def notice(self, text: str) -> None:
        """What happens before the training begins, and what to bear in mind; some lines."""

    def training(self, config: RunConfig, images: int) -> TrainingProgress:
        """The listener of one run, of which `images` were shown before this process began."""
        return _Warnings()


class Silence(TrainingReporter):
    """The listener on every host but the first: not even warnings are heard."""

    def warn(self, text: str) -> None:
        """Nothing."""

    def training(self, config: RunConfig, images: int) -> TrainingProgress:
        """Nothing."""
        return TrainingProgress()


class _Warnings(TrainingProgress):
    def warn(self, text: str) -> None:
        warnings.warn(text, stacklevel=3)


QUIET, SILENCE = TrainingReporter(), Silence()
