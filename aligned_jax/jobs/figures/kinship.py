"""Figures of descent: how children leave a parent, chains of them, and moved data."""

import numpy as np

from aligned_jax.jobs.command_steps import CommandStep, drawn_faces, short_finetune
from aligned_jax.jobs.figures.numbers import Gauge, read_number
from aligned_jax.jobs.figures.plan import PSI, FigurePlan, FigureSteps, Missing, named, picture
from aligned_jax.jobs.transitions import transition
from aligned_jax.loading import label_of

_FACES, _TEST, _KIMG = 4000, 400, 6


def faces(plan: FigurePlan) -> CommandStep:
    """Draws faces of the distant child's domain; raises Missing where none can be drawn."""
    if plan.style is None:
        raise Missing("faces that can be drawn, which are there for the zoo alone")
    where = (plan.path("faces"), plan.resolution, plan.seed)
    return drawn_faces(plan.style, _FACES, _TEST, *where)


def _run(plan: FigurePlan) -> tuple[str, tuple[CommandStep, ...]]:
    """The folder of a run, and what makes it."""
    if plan.run is not None:
        return plan.run, ()
    if plan.style is None:
        raise Missing("a run that fine-tuned the parent: --run RUN")
    run = plan.path("run")
    tuned = short_finetune(plan.parent, "tiny64", plan.path("faces"), run, _KIMG, plan.seed)
    return run, (faces(plan), tuned)


def figure_4(plan: FigurePlan, gauge: Gauge) -> FigureSteps:
    return _snapshots(plan, "04.png", 10, plan.seeds(4))


def figure_13(plan: FigurePlan, gauge: Gauge) -> FigureSteps:
    return _snapshots(plan, "13.png", 5, plan.seeds(4, first=20))


def _snapshots(plan: FigurePlan, name: str, columns: int, seeds: str) -> FigureSteps:
    run, before = _run(plan)
    words = (run, "--columns", str(columns), "--seeds", seeds)
    step = picture(plan, name, "watch a child leave its parent", "transition", *words)

    def measure() -> str:
        sheet = transition(run, columns=columns, seeds=seeds, psi=PSI)
        images = sheet.images.astype(np.float32) / 127.5
        ways = np.abs(images - images[:, :1]).mean(axis=(0, 2, 3, 4))
        told = (f"{mark} {way:.3f}" for mark, way in zip(sheet.columns, ways, strict=True))
        return f"Mean change of a pixel in [-1, 1] since the first column: {', '.join(told)}."

    return FigureSteps((*before, step), (step.product,), measure)


def figure_14(plan: FigurePlan, gauge: Gauge) -> FigureSteps:
    return _chain(plan, gauge, "14.png", plan.grandchild(0))


def figure_34(plan: FigurePlan, gauge: Gauge) -> FigureSteps:
    return _chain(plan, gauge, "34.png", plan.grandchild(1), plan.needed("control"))


def _chain(plan: FigurePlan, gauge: Gauge, name: str, *ends: str) -> FigureSteps:
    rows = (plan.distant, *ends)
    words = (*named(plan.parent, *rows), "--seeds", plan.seeds(8))
    step = picture(plan, name, "draw a chain of networks", "family", *words)
    return FigureSteps((step,), (step.product,), lambda: gauge.resembles(*rows))


def figure_15(plan: FigurePlan, gauge: Gauge) -> FigureSteps:
    if not plan.moved:
        raise Missing("children of moved data: --moved right:8=NETWORK ...")
    networks = tuple(plan.moved.values())
    channel = plan.channel(1)
    words = (*named(plan.parent, *networks), "--channel", channel, "--seeds", plan.seeds(3))
    shown = picture(plan, "15.png", "move one channel in children of moved data", "edit", *words)
    folder = plan.path("15")
    scored = CommandStep(
        "score where channels act after data were moved",
        (
            *("alignment", *named(plan.parent, *networks), "--moved", *plan.moved),
            *("--out", folder, "--overwrite"),
        ),
        f"{folder}/index.html",
    )

    def measure() -> str:
        numbers, told = f"{folder}/alignment.json", []
        for place, (move, network) in enumerate(plan.moved.items()):
            stays, follows = (
                read_number(numbers, "networks", place, "locality", key)
                for key in ("stays", "follows")
            )
            told.append(f"{label_of(network)} ({move}) {stays:.2f} and {follows:.2f}")
        return (
            "Cosine of channels' effects with the parent's at the same place, and where the data "
            f"went: {', '.join(told)}."
        )

    return FigureSteps((shown, scored), (shown.product,), measure, ("15/index.html",))


FIGURES = {4: figure_4, 13: figure_13, 14: figure_14, 15: figure_15, 34: figure_34}
