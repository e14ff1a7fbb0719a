"""Figures of shared semantics: edits in parent and children, and labels for free."""

from aligned_jax.jobs.command_steps import CommandStep
from aligned_jax.jobs.editing import STRENGTH
from aligned_jax.jobs.figures.kinship import faces
from aligned_jax.jobs.figures.numbers import Gauge
from aligned_jax.jobs.figures.plan import PSI, FigurePlan, FigureSteps, named, picture
from aligned_jax.utils.reading import read_json

_LATENTS = 3
_LABELLED = "400"


def figure_2(plan: FigurePlan, gauge: Gauge) -> FigureSteps:
    word = plan.edits[0] if plan.edits else f"{plan.channel(0)}:{STRENGTH:g}"
    return _edited(plan, gauge, "02.png", word, plan.near, *plan.others[1:])


def figure_3(plan: FigurePlan, gauge: Gauge) -> FigureSteps:
    return _moved(plan, gauge, "03.png", plan.channel(0), plan.distant)


def figure_9(plan: FigurePlan, gauge: Gauge) -> FigureSteps:
    return _moved(plan, gauge, "09.png", plan.channel(1), *_children(plan))


def figure_10(plan: FigurePlan, gauge: Gauge) -> FigureSteps:
    return _edited(plan, gauge, "10.png", plan.edit(0), *_children(plan))


def figure_11(plan: FigurePlan, gauge: Gauge) -> FigureSteps:
    return _edited(plan, gauge, "11.png", plan.edit(1), *_children(plan))


def figure_12(plan: FigurePlan, gauge: Gauge) -> FigureSteps:
    return _edited(plan, gauge, "12.png", plan.edit(2), *_children(plan))


def figure_35(plan: FigurePlan, gauge: Gauge) -> FigureSteps:
    networks = (plan.distant, plan.grandchild(0))
    return _moved(plan, gauge, "35.png", plan.channel(2), *networks)


def figure_36(plan: FigurePlan, gauge: Gauge) -> FigureSteps:
    networks = (plan.distant, plan.grandchild(1))
    return _moved(plan, gauge, "36.png", plan.channel(2), *networks)


def _children(plan: FigurePlan) -> tuple[str, ...]:
    """All children and the control; raises Missing if there is no child."""
    return (plan.near, *plan.children[1:], *plan.controls)


def _edited(plan: FigurePlan, gauge: Gauge, name: str, word: str, *others: str) -> FigureSteps:
    """A direction in the parent and in others."""
    words = (*named(plan.parent, *others), "--edit", word, "--both")
    step = picture(plan, name, f"edit by {word}", "edit", *words, "--seeds", plan.seeds(_LATENTS))
    return FigureSteps((step,), (step.product,), lambda: gauge.acts_alike(word, *others))


def _moved(plan: FigurePlan, gauge: Gauge, name: str, channel: str, *others: str) -> FigureSteps:
    """A style channel in the parent and in others."""
    strength = f"{STRENGTH:g}"
    words = (*named(plan.parent, *others), "--channel", channel, "--strength", strength)
    step = picture(
        plan, name, f"move channel {channel}", "edit", *words, "--seeds", plan.seeds(_LATENTS)
    )
    word = f"{channel}:{strength}"
    return FigureSteps((step,), (step.product,), lambda: gauge.acts_alike(word, *others))


def figure_7(plan: FigurePlan, gauge: Gauge) -> FigureSteps:
    return _labelled(plan, "classify", 0, "07.png")


def figure_29(plan: FigurePlan, gauge: Gauge) -> FigureSteps:
    return _labelled(plan, "regress", 1, "29.png")


def _labelled(plan: FigurePlan, task: str, which: int, name: str) -> FigureSteps:
    judge = plan.needed("judge")
    before, pictures = _pictures_of_child(plan)
    chosen = () if plan.readings is None else ("--attributes", plan.readings[which])
    both = ("--both-sides",) if task == "regress" else ()
    control = () if plan.control is None else ("--control", plan.control)
    words = (task, plan.parent, plan.distant, *pictures, "--judge", judge, *chosen, *both, *control)
    said = "label pictures of the child" if task == "classify" else "read values of its pictures"
    step = picture(plan, name, said, "zero-shot", *words, psi=False)
    numbers = plan.path(f"{name[:2]}.json")

    def measure() -> str:
        found = read_json(numbers)
        verdicts = found.get("verdicts") or {}
        told = "; ".join(f"{one} {text}" for one, text in verdicts.items())
        return f"{told}." if told else "The truth about these pictures is not known."

    return FigureSteps((*before, step), (step.product,), measure, (f"{name[:2]}.json",))


def _pictures_of_child(plan: FigurePlan) -> tuple[tuple[CommandStep, ...], tuple[str, ...]]:
    """Pictures of the distant child's domain: what draws them, and how a verb is told of them."""
    if plan.data is not None:
        return (), ("--data", plan.data, "--most", _LABELLED)
    if plan.style is not None:
        return (faces(plan),), ("--data", plan.path("faces"), "--most", _LABELLED)
    folder = plan.path("pictures-of-child")
    drawn = CommandStep(
        "draw pictures of the child's domain",
        (
            *("generate", plan.distant, "--seeds", plan.seeds(40, first=3000), "--psi", str(PSI)),
            *("--out", folder, "--overwrite"),
        ),
        folder,
    )
    return (drawn,), (folder,)


FIGURES = {
    2: figure_2,
    3: figure_3,
    7: figure_7,
    9: figure_9,
    10: figure_10,
    11: figure_11,
    12: figure_12,
    29: figure_29,
    35: figure_35,
    36: figure_36,
}
