"""What the verbs that train share: arguments, progress on the terminal, and the last words."""

import argparse
import json
import shlex
import signal
import sys
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from aligned_jax.cli import arguments, console
from aligned_jax.cli.console import Console, command
from aligned_jax.cli.spelling import as_typed
from aligned_jax.runs import hosts
from aligned_jax.runs.config import RunConfig
from aligned_jax.runs.hosts import Session
from aligned_jax.runs.progress import TrainingProgress, TrainingReporter
from aligned_jax.utils.text import duration, printable

if TYPE_CHECKING:
    from aligned_jax.jobs.train import GeneratorRunOptions, RunOptions
    from aligned_jax.runs.launch import Outcome, PlannedRun


def add_run(
    parser: argparse.ArgumentParser, kimg: int | None = None, batch: int | None = None
) -> None:
    """Arguments of a run that begins, of networks of any kind; defaults only to be told."""
    add = parser.add_argument
    length, size = (f" (default {value})" if value else "" for value in (kimg, batch))
    add("--data", required=True, metavar="D", help="a dataset made by `aligned data`")
    add("--run", required=True, metavar="DIR", help="folder of the run; new, or the same run's")
    add("--kimg", type=int, help=f"length in thousands of images{length}")
    add("--batch", type=int, help=f"images in a batch, over all devices and hosts{size}")
    add("--seed", type=int, help="of the networks and of every draw (default 0)")
    arguments.add_precision(parser)
    add("--dry-run", action="store_true", help="print what would happen, measure it, and stop")
    add("--options", action="store_true", help="list all overrides with their values, and stop")
    add_session(parser)
    parser.set_defaults(overrides=[])


def add_generator_run(parser: argparse.ArgumentParser) -> None:
    """Arguments of a run that begins, of generators."""
    add_run(parser)
    add = parser.add_argument
    add(
        "--augment",
        metavar="NAME",
        help="adaptive augmentation by bgc, bgcfnc, blit, ...; or none",
    )
    add(
        "--metrics",
        metavar="LIST",
        help="scores of every snapshot, such as fd_vgg,kid_vgg; the best by the first is kept",
    )
    add("--metric-images", type=int, metavar="N", help="generated for a score (default 5000)")


def add_session(parser: argparse.ArgumentParser) -> None:
    """Arguments of how a run is computed, which do not change what it computes."""
    group = parser.add_argument_group("this process")
    group.add_argument("--threads", type=int, default=2, help="that read data ahead (default 2)")
    group.add_argument(
        "--no-cache", action="store_true", help="compile anew instead of keeping compiled programs"
    )
    group.add_argument(
        "--tensorboard", action="store_true", help="write RUN/tensorboard as well as stats.jsonl"
    )
    group.add_argument(
        "--wandb", action="store_true", help="tell Weights & Biases too (WANDB_MODE is heeded)"
    )
    group.add_argument(
        "--devices", type=int, metavar="N", help="use only the first N devices of this machine"
    )
    group.add_argument(
        "--distributed",
        nargs="?",
        const="auto",
        metavar="HOST:PORT,COUNT,INDEX",
        help="one process of several; alone, it asks the TPU pod or the cluster who it is",
    )


def session_of(args: argparse.Namespace) -> Session:
    """What `add_session` declares."""
    return Session(
        threads=args.threads,
        cache=not args.no_cache,
        tensorboard=args.tensorboard,
        wandb=args.wandb,
        devices=args.devices,
        distributed=args.distributed,
    )


def run_options(args: argparse.Namespace) -> "RunOptions":
    """What `add_run` declares, as the jobs take it."""
    return {
        "data": args.data,
        "run": args.run,
        "kimg": args.kimg,
        "batch": args.batch,
        "seed": args.seed,
        "precision": args.precision,
        "overrides": args.overrides,
        "session": session_of(args),
        "report": CONSOLE,
    }


def generator_run_options(args: argparse.Namespace) -> "GeneratorRunOptions":
    """What `add_generator_run` declares, as the jobs take it."""
    return {
        **run_options(args),
        "augment": args.augment,
        "metrics": args.metrics,
        "metric_images": args.metric_images,
    }


def carry_out(args: argparse.Namespace, planned: "PlannedRun") -> int:
    """Lists the options of a run, measures it, or trains; returns the exit code."""
    if args.options:
        if hosts.is_first():
            console.say(planned.options())
        return 0
    if args.dry_run:
        lines = planned.dry_run()
        if hosts.is_first():
            config = json.dumps(planned.config.to_json(), indent=2)
            console.say("\n".join([config, *map(as_typed, lines)]))
        return 0
    return conclude(planned.begin(command(args)))


def conclude(outcome: "Outcome") -> int:
    """Says how a run ended; returns the exit code."""
    if outcome.signal is None:
        if hosts.is_first():
            console.say(f"{outcome.run} is trained: {outcome.kimg} kimg")
        return 0
    if hosts.is_first():
        name = signal.Signals(outcome.signal).name
        again = shlex.join(["aligned", "resume", str(outcome.run)])
        console.say(f"stopped by {name} and saved; go on with: {again}")
    return 128 + outcome.signal


class TrainingConsole(Console, TrainingReporter):
    """The listener of the command line: notices on stdout, progress and warnings on stderr."""

    def notice(self, text: str) -> None:
        """Lines on stdout."""
        self.say(as_typed(text))

    def training(self, config: RunConfig, images: int) -> TrainingProgress:
        """A bar on a terminal, one line a tick elsewhere."""
        return _Shown(config, images)


CONSOLE = TrainingConsole()


class _Shown(TrainingProgress):
    """The progress of one run on stderr."""

    def __init__(self, config: RunConfig, images: int) -> None:
        self._config = config
        self._bar = _bar() if sys.stderr.isatty() else None
        if self._bar is not None:
            self._task = self._bar.add_task(
                "training", total=config.kimg * 1000, completed=images, rate="", kimg=_kimg(images)
            )

    def __enter__(self) -> Self:
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
        if self._bar is not None:
            self._bar.console.print(printable(text), highlight=False, markup=False)
        else:
            CONSOLE.note(text)

    def warn(self, text: str) -> None:
        """One line."""
        self.say(f"warning: {as_typed(text)}")


def _kimg(images: int) -> str:
    return f"{images / 1000:.1f}"


def _bar() -> Any:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    return Progress(
        TextColumn("{task.fields[kimg]} kimg"),
        BarColumn(),
        TextColumn("{task.percentage:.0f}%"),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        refresh_per_second=2,
    )
