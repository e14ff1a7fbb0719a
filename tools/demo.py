"""Trains a small child network, takes a whole family apart, and writes a web page.

Needs a CPU with two cores, less than five minutes, and no network: it starts
from the networks of the zoo, draws fresh faces, fine-tunes on them, and makes
every picture of DIR/index.html by one `aligned` command, which the page shows
below it. If it is stopped, the same command goes on; finished parts are kept.
"""

import argparse
import contextlib
import dataclasses
import io
import json
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from aligned_jax.cli import console, values
from aligned_jax.errors import UserError
from aligned_jax.provenance import versions

if TYPE_CHECKING:
    from aligned_jax.jobs.demo.steps import Plan, Step

EXAMPLE = "  aligned demo --out demo"
_RECORD = "demo.json"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments of the verb."""
    parser.add_argument(
        "--out",
        type=values.name,
        default="demo",
        metavar="DIR",
        help="folder of the page and of all that it shows (default demo)",
    )
    parser.add_argument(
        "--kimg",
        type=values.whole(1, 10_000),
        default=6,
        metavar="K",
        help="fine-tune for K thousand images (default 6)",
    )
    parser.add_argument(
        # The latents are seeds, too, several for each.
        "--seed",
        type=values.whole(0, 2**28),
        default=0,
        metavar="S",
        help="another one: other faces, other edits",
    )


def run(args: argparse.Namespace) -> int:
    """Everything; returns the exit code."""
    from aligned_jax.jobs.demo.steps import ZOO, Plan

    return carry_out(Plan(args.out, args.kimg, args.seed, ZOO))


def carry_out(plan: "Plan") -> int:
    """Makes or finishes the demo of this plan.

    Returns:
      0, or the exit code of a step that was stopped.

    Raises:
      UserError: before any work if an extra or a network is missing or the folder
        is another's; later whatever a step raises.
    """
    from aligned_jax import loading, viz
    from aligned_jax.data.artwork import check_style
    from aligned_jax.jobs.demo import page as demo_page
    from aligned_jax.jobs.demo import steps as demo_steps

    began = time.perf_counter()
    check_style(plan.style)
    for member in plan.family.members:
        loading.describe(member.network)
    _claim(plan)
    resolution = loading.describe(plan.family.parent.network).configs["G_ema"].img_resolution
    parts = (demo_steps.training, demo_steps.surgery, demo_steps.journeys)
    steps = {key: step for part in parts for key, step in part(plan, resolution).items()}
    total = len(steps) + demo_steps.EDITED
    do = _doer(began, total)
    for step in steps.values():
        if code := do(step):
            return _stopped(code)
    steps |= (moved := demo_steps.edits(plan, channels(plan)))
    for step in moved.values():
        if code := do(step):
            return _stopped(code)
    seconds = round(time.perf_counter() - began)
    with viz.writing(plan.path("index.html"), overwrite=True) as file:
        file.write(demo_page.page(plan, steps).encode())
    _tell(f"finished in {_clock(seconds)} min: open {plan.path('index.html')}")
    return 0


def channels(plan: "Plan") -> list[str]:
    """Style channels for the edits, like "5_23", chosen by what they do to the parent alone."""
    from aligned_jax import latents, loading, semantics
    from aligned_jax.jobs.demo import steps as demo_steps

    parent = loading.load(plan.family.parent.network)
    z = latents.z_from_seeds(parent.config, latents.parse_seeds(plan.seeds(4)))
    chosen = semantics.visible_channels(
        parent,
        parent.mapping(z, psi=demo_steps.PSI),
        demo_steps.EDITED,
        demo_steps.STRENGTH,
        semantics.style_deviations(parent, psi=demo_steps.PSI),
        plan.seed,
    )
    return [latents.channel_name(parent.config, *channel) for channel in chosen]


def _doer(began: float, total: int) -> Callable[["Step"], int]:
    """A function that carries out the next step, if that is not done, and says so."""
    numbers = iter(range(1, total + 1))

    def do(step: "Step") -> int:
        from aligned_jax.tools import main
        from aligned_jax.utils.paths import exists

        done = exists(step.product)
        clock = _clock(round(time.perf_counter() - began))
        _tell(f"{next(numbers):2}/{total}  {clock}  {step.says}{' (done before)' if done else ''}")
        if done:
            return 0
        # Only pictures and training speak on stderr: bars, rates, warnings.
        with contextlib.redirect_stdout(io.StringIO()):
            return main.carry_out(step.argv)

    return do


def _claim(plan: "Plan") -> None:
    """Makes the folder this plan's, or finds that it is.

    Raises:
      UserError: if the folder holds anything else.
    """
    from aligned_jax import viz
    from aligned_jax.utils.paths import exists

    record = plan.path(_RECORD)
    mine = {"version": versions()["aligned_jax"], **dataclasses.asdict(plan)}
    mine = json.loads(json.dumps({key: value for key, value in mine.items() if key != "out"}))
    if not exists(record):
        try:
            viz.check_folder(plan.out)
        except UserError as error:
            raise UserError(f"{str(error).partition(';')[0]}; choose another --out") from None
    elif (found := _read(record)) != mine:
        differing = sorted(key for key in mine if found.get(key) != mine[key])
        raise UserError(
            f"{plan.out} holds a demo with another {', '.join(differing)}; choose another --out"
        )
    with viz.writing(record, overwrite=True) as file:
        file.write((json.dumps(mine, indent=2) + "\n").encode())


def _read(record: str) -> dict:
    try:
        with open(record, encoding="utf-8") as file:
            found = json.load(file)
    except (OSError, ValueError):
        found = None
    return found if isinstance(found, dict) else {}


def _stopped(code: int) -> int:
    console.warn("stopped and saved; the same command goes on from here")
    return code


def _tell(text: str) -> None:
    # At once, also into a file: somebody waits.
    print(text.printable(text), flush=True)


def _clock(seconds: int) -> str:
    minutes, rest = divmod(seconds, 60)
    return f"{minutes}:{rest:02d}"
