"""What a run says while it trains: a bar on a terminal, one line a tick elsewhere."""

import sys
from types import TracebackType
from typing import Any

from aligned_jax.runs.config import RunConfig


class Progress:
    """Speaks on stderr; quiet on every host but the first.

    Args:
      config: of the run.
      images: shown before this process began.
      quiet: says nothing at all.
    """

    def __init__(self, config: RunConfig, images: int, quiet: bool = False) -> None:
        self._config, self._quiet = config, quiet
        self._bar = None if quiet or not sys.stderr.isatty() else _bar()
        if self._bar is not None:
            self._task = self._bar.add_task(
                "training", total=config.kimg * 1000, completed=images, rate="", kimg=_kimg(images)
            )

    def __enter__(self) -> "Progress":
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def iteration(self, images: int) -> None:
        """So many images have been shown."""
        if self._bar is not None:
            self._bar.update(self._task, completed=images, kimg=_kimg(images))

    def tick(self, line: dict[str, Any]) -> None:
        """A tick is over; `line` goes into the statistics."""
        if self._quiet:
            return
        timing = line["timing"]
        rate = f"{timing['images_per_sec']:.1f} img/s, {timing['sec_per_kimg']:.1f} s/kimg"
        if self._bar is not None:
            self._bar.update(self._task, rate=rate)
            return
        left = (self._config.kimg - line["kimg"]) * timing["sec_per_kimg"]
        losses = line["reports"]
        shown = [f"{k} {losses[f'Loss/{k}/loss']:.3g}" for k in "GDE" if f"Loss/{k}/loss" in losses]
        if line.get("augment_p"):
            shown.append(f"p {line['augment_p']:.3f}")
        shown += [f"{name} {score:.4g}" for name, score in line.get("scores", {}).items()]
        text = f"{line['kimg']} of {self._config.kimg} kimg, {rate}, {duration(left)} left"
        self.say(", ".join([text, *shown]))

    def say(self, text: str) -> None:
        """One line."""
        if self._quiet:
            return
        if self._bar is not None:
            self._bar.console.print(text, highlight=False, markup=False)
        else:
            print(text, file=sys.stderr, flush=True)


def duration(seconds: float) -> str:
    """ "1 h 05 min", "3 min 20 s", "7 s"."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02d} min"
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"


def _kimg(images: int) -> str:
    return f"{images / 1000:.1f}"


def _bar() -> Any:
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    return Bar(
        TextColumn("{task.fields[kimg]} kimg"),
        BarColumn(),
        TextColumn("{task.percentage:.0f}%"),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        refresh_per_second=2,
    )
