"""Makes the demo: carries out its steps, one after the other, and writes the page."""

import dataclasses
import os
import time
from collections.abc import Callable

from aligned_jax import loading, viz
from aligned_jax.data.artwork import check_style
from aligned_jax.jobs.command_steps import (
    CarryOut,
    CommandStep,
    claim,
    clock,
    run_aligned,
    shown_channels,
)
from aligned_jax.jobs.demo.page import page
from aligned_jax.jobs.demo.steps import (
    EDITED,
    PSI,
    DemoPlan,
    edits,
    journeys,
    surgery,
    training,
)
from aligned_jax.utils.paths import Name, exists

_RECORD = "demo.json"


def make_demo(
    plan: DemoPlan | Name = "demo",
    carry_out: CarryOut | None = None,
    tell: Callable[[str], None] = lambda line: None,
) -> int:
    """Makes or finishes a demo.

    Args:
      plan: what to do; the name of a folder stands for the usual plan there.
      carry_out: runs a step's command line, such as `Program.carry_out` of `aligned_jax.cli`;
        what it prints on stdout should go nowhere. None runs each in a process of its own.
      tell: hears a line before every step, and one at the end.

    Returns:
      0, or the exit code of a step that was stopped.

    Raises:
      UserError: before any work if an extra or a network is missing or the folder
        is another's; later whatever a step raises.
    """
    began = time.perf_counter()
    plan = plan if isinstance(plan, DemoPlan) else DemoPlan(os.fspath(plan))
    check_style(plan.style)
    for member in plan.family.members:
        loading.describe(member.network)
    claim(plan.out, _RECORD, "demo", dataclasses.asdict(plan))
    resolution = loading.describe(plan.family.parent.network).configs["G_ema"].img_resolution
    parts = (training, surgery, journeys)
    steps = {key: step for part in parts for key, step in part(plan, resolution).items()}
    do = _doer(began, len(steps) + EDITED, carry_out or run_aligned, tell)
    for step in steps.values():
        if code := do(step):
            return code
    moved = edits(plan, channels(plan))
    for step in moved.values():
        if code := do(step):
            return code
    with viz.writing(plan.path("index.html"), overwrite=True) as file:
        file.write(page(plan, steps | moved).encode())
    tell(f"finished in {clock(time.perf_counter() - began)} min: open {plan.path('index.html')}")
    return 0


def channels(plan: DemoPlan) -> list[str]:
    """Style channels for the edits, chosen by what they do to the parent alone."""
    return shown_channels(plan.family.parent.network, plan.seeds(4), EDITED, PSI, plan.seed)


def _doer(
    began: float, total: int, carry_out: CarryOut, tell: Callable[[str], None]
) -> Callable[[CommandStep], int]:
    """A function that carries out the next step, if that is not done, and says so."""
    numbers = iter(range(1, total + 1))

    def do(step: CommandStep) -> int:
        done = exists(step.product)
        passed = clock(time.perf_counter() - began)
        tell(f"{next(numbers):2}/{total}  {passed}  {step.says}{' (done before)' if done else ''}")
        return 0 if done else carry_out(step.argv)

    return do
