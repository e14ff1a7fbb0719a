"""Figures of translation: spaces, references, toons, edits and several outputs."""

from aligned_jax.jobs.command_steps import CommandStep
from aligned_jax.jobs.figures.numbers import Gauge, resemblance
from aligned_jax.jobs.figures.plan import PSI, FigurePlan, FigureSteps, Missing, picture
from aligned_jax.jobs.picture_translation import translate
from aligned_jax.viz import to_uint8

_SHOWN = 4
_STEPS = "200"  # of the optimiser: enough to tell spaces apart at small sizes
_SPACES = ("z", "z+", "w", "w+")


def _pictures(plan: FigurePlan) -> tuple[tuple[CommandStep, ...], tuple[str, ...]]:
    """Pictures of the parent's domain: what draws them, and their names."""
    if plan.pictures:
        return (), plan.pictures
    folder = plan.path("pictures")
    drawn = CommandStep(
        "draw pictures of the parent's domain",
        (
            *("generate", plan.parent, "--seeds", plan.seeds(_SHOWN, first=30), "--psi", str(PSI)),
            *("--out", folder, "--overwrite"),
        ),
        folder,
    )
    return (drawn,), (folder,)


def figure_5(plan: FigurePlan, gauge: Gauge) -> FigureSteps:
    before, pictures = _pictures(plan)
    words = (plan.parent, plan.distant, *pictures, *_inversion(plan, "z"))
    step = picture(plan, "05.png", "translate pictures through Z", "translate", *words, psi=False)
    return FigureSteps((*before, step), (step.product,), lambda: gauge.resembles(plan.distant))


def figure_6(plan: FigurePlan, gauge: Gauge) -> FigureSteps:
    return _referred(plan, gauge, "06", (_SHOWN, 0), (1, 40), _coarse(plan, 2))


def figure_22(plan: FigurePlan, gauge: Gauge) -> FigureSteps:
    sizes = (f"{2**k}px" for k in range(2, plan.resolution.bit_length() + 1))
    return _referred(plan, gauge, "22", (_SHOWN, 0), (1, 7), ",".join(sizes))


def figure_23(plan: FigurePlan, gauge: Gauge) -> FigureSteps:
    return _referred(plan, gauge, "23", (3, 10), (3, 50), _coarse(plan, 2))


def _referred(
    plan: FigurePlan,
    gauge: Gauge,
    name: str,
    sources: tuple[int, int],
    references: tuple[int, int],
    layers: str,
) -> FigureSteps:
    """Translations towards references; both are seeds by their number and the first of them."""
    words = ("--seeds", plan.seeds(*sources), "--reference", plan.seeds(*references))
    says = "translate towards references"
    pair = (plan.parent, plan.distant)
    step = picture(plan, f"{name}.png", says, "translate", *pair, *words, "--layers", layers)
    first = plan.seeds(1, references[1])
    return FigureSteps((step,), (step.product,), lambda: _kept(plan, gauge, layers, first))


def figure_16(plan: FigurePlan, gauge: Gauge) -> FigureSteps:
    return _encoded(plan, gauge, plan.distant, "16")


def figure_18(plan: FigurePlan, gauge: Gauge) -> FigureSteps:
    return _encoded(plan, gauge, plan.near, "18")


def figure_17(plan: FigurePlan, gauge: Gauge) -> FigureSteps:
    return _optimised(plan, gauge, plan.distant, "17.png")


def figure_19(plan: FigurePlan, gauge: Gauge) -> FigureSteps:
    return _optimised(plan, gauge, plan.near, "19.png")


def _encoded(plan: FigurePlan, gauge: Gauge, child: str, name: str) -> FigureSteps:
    """A sheet for the encoder of each space."""
    if not plan.encoders:
        raise Missing("encoders of the parent: --encoder z=E w=E ...")
    before, pictures = _pictures(plan)
    spaces = [space for space in _SPACES if space in plan.encoders]
    steps = [
        picture(
            plan,
            f"{name}-{space.replace('+', 'plus')}.png",
            f"translate pictures by an encoder for {space}",
            "translate",
            *(plan.parent, child, *pictures, "--encoder", plan.encoders[space], "--space", space),
            psi=False,
        )
        for space in spaces
    ]
    shown = tuple(step.product for step in steps)
    return FigureSteps((*before, *steps), shown, lambda: gauge.colours(child, spaces))


def _optimised(plan: FigurePlan, gauge: Gauge, child: str, name: str) -> FigureSteps:
    before, pictures = _pictures(plan)
    words = (plan.parent, child, *pictures, "--space", ",".join(_SPACES), "--steps", _STEPS)
    step = picture(plan, name, "translate pictures by optimisation", "translate", *words, psi=False)
    return FigureSteps((*before, step), (step.product,), lambda: gauge.colours(child, _SPACES))


def figure_20(plan: FigurePlan, gauge: Gauge) -> FigureSteps:
    before, pictures = _pictures(plan)
    words = (plan.parent, plan.near, *pictures, "--preset", "toonify", *_inversion(plan, "z"))
    step = picture(plan, "20.png", "make toons", "translate", *words, psi=False)
    return FigureSteps((*before, step), (step.product,), lambda: gauge.resembles(plan.near))


def figure_21(plan: FigurePlan, gauge: Gauge) -> FigureSteps:
    word = plan.edits[-1] if plan.edits else f"{plan.channel(0)}:6"
    before, pictures = _pictures(plan)
    words = (plan.parent, plan.distant, *pictures, *_inversion(plan, "w"), "--edit", word)
    step = picture(plan, "21.png", f"translate and edit by {word}", "translate", *words, psi=False)
    return FigureSteps(
        (*before, step), (step.product,), lambda: gauge.acts_alike(word, plan.distant)
    )


def figure_37(plan: FigurePlan, gauge: Gauge) -> FigureSteps:
    edges, layers = plan.needed("edges"), _coarse(plan, 4)
    words = ("--seeds", plan.seeds(_SHOWN), "--texture", plan.seeds(5), "--layers", layers)
    step = picture(
        plan, "37.png", "draw several outputs of one input", "translate", edges, plan.parent, *words
    )
    return FigureSteps((step,), (step.product,), lambda: gauge.resembles(edges))


def _inversion(plan: FigurePlan, space: str) -> tuple[str, ...]:
    """How pictures are inverted in a space: by its encoder, or else by the optimiser."""
    if space in plan.encoders:
        return ("--encoder", plan.encoders[space], "--space", space)
    return ("--space", space, "--steps", _STEPS)


def _coarse(plan: FigurePlan, part: int) -> str:
    """The resolution below which a source keeps its layers: so much less than the network's."""
    top = plan.resolution
    return f"{max(top // (2 * part), 8)}px"


def _kept(plan: FigurePlan, gauge: Gauge, layers: str, reference: str) -> str:
    """What pictures keep of their sources, by the layers that the source keeps."""
    sources, told = gauge.pictures(plan.distant), []
    for one in layers.split(","):
        found = translate(
            plan.parent,
            plan.distant,
            gauge.seeds,
            reference=reference,
            layers=one,
            psi=PSI,
        )
        told.append(f"{one} {resemblance(sources, to_uint8(found.images())):.2f}")
    return (
        "Who looks like whom, correlated with the plain translations, where the source keeps all "
        f"layers below {', '.join(told)}."
    )


FIGURES = {
    5: figure_5,
    6: figure_6,
    16: figure_16,
    17: figure_17,
    18: figure_18,
    19: figure_19,
    20: figure_20,
    21: figure_21,
    22: figure_22,
    23: figure_23,
    37: figure_37,
}
