"""Recipes of a parent at equal processor time: python -m studies.recipes --work DIR --data DATA ...

Every recipe is trained for the same seconds of the processor, all cores added and
compilation left out, so that recipes can be compared on a machine that has other
work as well. Then its averaged generator is scored, and drawn without choice. A
recipe has one stage or two: the second starts from the networks of the first,
which saw smaller pictures.

The same line goes on after an interruption, with other recipes added or not.
"""

import argparse
import json
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from aligned_jax import jobs
from aligned_jax.runs.config import RunConfig
from aligned_jax.runs.progress import TrainingProgress, TrainingReporter
from benchmarks.reporting import command, markdown
from studies.tables import write_document

METRICS = "fd_vgg,kid_vgg"
HEADINGS = ("recipe", "seed", "kimg", "seconds", *METRICS.split(","))
# A run that was screened can be gone on with to this length by `aligned resume`.
KIMG = 1500
_TICKS = ("--snapshots.tick-kimg", "1", "--snapshots.dense", "0", "--snapshots.images", "64")
_WIDE = (
    *("--generator.synthesis.channel-base", "2048"),
    *("--discriminator.channel-base", "2048"),
)
_NO_PATH = ("--gan.pl-weight", "0")


@dataclass(frozen=True)
class Stage:
    """One run: its preset, overrides as they are typed, and its part of the seconds."""

    preset: str
    options: tuple[str, ...] = ()
    small: bool = False  # on the small pictures
    share: float = 1.0


RECIPES = {
    "preset": (Stage("tiny64"),),
    "plain": (
        Stage("tiny64", (*_NO_PATH, "--gan.style-mixing-prob", "0", "--gan.r1-gamma", "0.02")),
    ),
    "steady": (Stage("tiny64", (*_NO_PATH, "--gan.r1-gamma", "1")),),
    "progressive": (Stage("tiny32", small=True, share=0.5), Stage("tiny64", share=0.5)),
    "wide": (Stage("tiny64", _WIDE),),
    "wide progressive": (
        Stage("tiny32", _WIDE, small=True, share=0.5),
        Stage("tiny64", share=0.5),
    ),
}


def main(argv: list[str] | None = None) -> None:
    """Trains, scores and reports."""
    args = parse(argv)
    work, rows = Path(args.work), []
    for name in args.recipe:
        row = scored(name, args, work / f"{name.replace(' ', '-')}-{args.seed}")
        if row is None:
            print(f"{name} was stopped and saved; give the same line again")
            return
        rows.append(row)
    print(markdown(HEADINGS, [list(row.values()) for row in rows]))
    line = command("studies.recipes", argv)
    write_document(Path(args.out or work) / "recipes.json", line, vars(args), rows=rows)


def parse(argv: list[str] | None) -> argparse.Namespace:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--work", required=True, metavar="DIR", help="where runs are kept")
    add("--out", metavar="DIR", help="where the table goes (default --work)")
    add("--data", required=True, help="a dataset of 64 pixels")
    add("--small-data", metavar="DATA", help="the same at 32 pixels, for recipes of two stages")
    add("--recipe", type=_recipes, default=list(RECIPES), metavar="LIST", help="default: all")
    add("--seconds", type=float, default=1200, help="of the processor, for every recipe")
    add("--seed", type=int, default=0, help="of networks and draws")
    add("--images", type=int, default=5000, help="drawn for a score, and as many real ones")
    args = parser.parse_args(argv)
    two = [name for name in args.recipe if any(stage.small for stage in RECIPES[name])]
    if two and not args.small_data:
        parser.error(f"{', '.join(two)}: wants --small-data")
    return args


def _recipes(text: str) -> list[str]:
    names = [part.strip() for part in text.split(",")]
    if wrong := [name for name in names if name not in RECIPES]:
        known = ", ".join(RECIPES)
        raise argparse.ArgumentTypeError(f"no such recipe: {', '.join(wrong)}; there are {known}")
    return names


def scored(name: str, args: argparse.Namespace, folder: Path) -> dict[str, Any] | None:
    """The row of a recipe, trained if it is not yet; None if a signal stopped it."""
    kept = folder / "row.json"
    if kept.exists():
        return json.loads(kept.read_text("utf-8"))
    clocks: list[Clock] = []
    for number, stage in enumerate(RECIPES[name]):
        clock = Clock(folder / f"clock-{number}.json", args.seconds * stage.share)
        train(stage, folder, number, args, clock)
        if not clock.over:
            return None
        clocks.append(clock)
    run = folder / f"stage-{len(clocks) - 1}"
    sizes = {"num": args.images, "max_reals": args.images}
    values = jobs.evaluate(run, args.data, METRICS, **sizes).scores.values
    jobs.generate(run, seeds="0-31").write(folder / "seeds.png", overwrite=True)
    row = {
        "recipe": name,
        "seed": args.seed,
        "kimg": " + ".join(f"{clock.images // 1000}" for clock in clocks),
        "seconds": round(sum(clock.seconds for clock in clocks)),
    }
    row |= {metric: values[metric] for metric in METRICS.split(",")}
    kept.write_text(json.dumps(row), "utf-8")
    return row


def train(
    stage: Stage, folder: Path, number: int, args: argparse.Namespace, clock: "Clock"
) -> None:
    """Trains one stage until its clock is over, or a signal comes."""
    if clock.over:
        return
    options: Any = {
        "data": args.small_data if stage.small else args.data,
        "run": folder / f"stage-{number}",
        "kimg": KIMG,
        "seed": args.seed,
        "overrides": (*_TICKS, *stage.options),
        "report": clock,
    }
    if number:
        jobs.finetune(folder / f"stage-{number - 1}", stage.preset, **options)
    else:
        jobs.pretrain(stage.preset, **options)


class Clock(TrainingReporter):
    """Stops a run at the end of the first tick after so many seconds of the processor.

    Attributes:
      file: remembers the seconds, of all processes that have worked on the run.
      limit: seconds.
      seconds, images: used and shown so far.
    """

    def __init__(self, file: Path, limit: float) -> None:
        known = json.loads(file.read_text("utf-8")) if file.exists() else {}
        self.file, self.limit = file, limit
        self.seconds: float = known.get("seconds", 0.0)
        self.images: int = known.get("images", 0)

    @property
    def over(self) -> bool:
        """Whether the seconds are used up."""
        return self.seconds >= self.limit

    def training(self, config: RunConfig, images: int) -> TrainingProgress:
        """Begins to count with the first iteration, when all is compiled."""
        return _Counted(self)

    def keep(self) -> None:
        """Writes what is known."""
        self.file.parent.mkdir(parents=True, exist_ok=True)
        known = {"seconds": self.seconds, "images": self.images}
        self.file.write_text(json.dumps(known), "utf-8")


class _Counted(TrainingProgress):
    """Counts the seconds of one process."""

    def __init__(self, clock: Clock) -> None:
        self.clock, self.since = clock, 0.0

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._count()

    def iteration(self, images: int) -> None:
        """The first one starts the clock."""
        self.since = self.since or time.process_time()
        self.clock.images = images

    def tick(self, line: dict[str, Any]) -> None:
        """Everything is saved; if the time is over, the run is asked to stop."""
        self._count()
        print(f"{line['kimg']} kimg, {self.clock.seconds:.0f} s", flush=True)
        if self.clock.over:
            signal.raise_signal(signal.SIGTERM)

    def _count(self) -> None:
        if self.since:
            now = time.process_time()
            self.clock.seconds += now - self.since
            self.since = now
            self.clock.keep()


if __name__ == "__main__":
    main()
