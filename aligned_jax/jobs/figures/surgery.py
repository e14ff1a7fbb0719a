"""Figures of weights: resets, blends, swaps, morphs and other resolutions."""

from typing import Any

import numpy as np

from aligned_jax.jobs.command_steps import CommandStep
from aligned_jax.jobs.figures.numbers import Gauge, evenness, read_number, resemblance, small
from aligned_jax.jobs.figures.plan import PSI, FigurePlan, FigureSteps, Missing, named, picture
from aligned_jax.jobs.morphs import morph, morph_grid
from aligned_jax.jobs.surgery_strips import interpolate_strip, swap_strip
from aligned_jax.utils.reading import read_json

_GRID = 5


def figure_1(plan: FigurePlan, gauge: Gauge) -> FigureSteps:
    return _resets(plan, plan.distant, "01")


def figure_8(plan: FigurePlan, gauge: Gauge) -> FigureSteps:
    return _resets(plan, plan.near, "08")


def _resets(plan: FigurePlan, child: str, name: str) -> FigureSteps:
    folder = plan.path(name)
    numbers = f"{folder}/change.json"
    step = CommandStep(
        "give a child its parent's components back, one by one",
        (
            *("compare", plan.parent, child, "--seeds", plan.seeds(4), "--psi", str(PSI)),
            *("--out", folder, "--overwrite"),
        ),
        f"{folder}/index.html",
    )

    def measure() -> str:
        resets = read_json(numbers)["image_change"]["resets"]
        told = sorted(resets, key=lambda one: -float(resets[one]))
        whole = read_number(numbers, "image_change", "parent_to_child")
        parts = [f"{one} {read_number(numbers, 'image_change', 'resets', one):.3f}" for one in told]
        return (
            "Mean change of a pixel in [-1, 1] by the reset of "
            f"{', '.join(parts)}; from parent to child {whole:.3f}."
        )

    return FigureSteps((step,), (f"{folder}/resets.png",), measure, (f"{name}/index.html",))


def figure_24(plan: FigurePlan, gauge: Gauge) -> FigureSteps:
    return _plane(plan, plan.parent, plan.distant, "24.png")


def figure_25(plan: FigurePlan, gauge: Gauge) -> FigureSteps:
    return _plane(plan, plan.parent, plan.near, "25.png")


def figure_26(plan: FigurePlan, gauge: Gauge) -> FigureSteps:
    if plan.near == plan.distant:
        raise Missing("a second child: --child NETWORK NETWORK")
    return _plane(plan, plan.near, plan.distant, "26.png")


def _plane(plan: FigurePlan, first: str, second: str, name: str) -> FigureSteps:
    ends = (plan.seeds(1), plan.seeds(1, first=7))
    size = f"{_GRID}x{_GRID}"
    words = (first, second, *ends, "--grid", size)
    step = picture(plan, name, "draw everything between two pictures", "morph", *words)

    def measure() -> str:
        images = morph_grid(first, second, *ends, _GRID, _GRID, psi=PSI).sheet.images
        along = evenness(images[range(_GRID), range(_GRID)])
        return f"Largest of the {_GRID - 1} steps along the diagonal, over their mean: {along:.2f}."

    return FigureSteps((step,), (step.product,), measure)


def figure_27(plan: FigurePlan, gauge: Gauge) -> FigureSteps:
    ends = (plan.seeds(1, first=2), plan.seeds(1, first=5))
    frames = 40
    pair = (plan.parent, plan.distant, *ends)
    words = (*pair, "--frames", str(frames), "--ping-pong")
    step = picture(plan, "27.webp", "film one kind becoming another", "morph", *words)

    def measure() -> str:
        way: Any = {"psi": PSI, "frames": frames, "easing": "linear", "hold": 0}
        film = morph(*pair, **way)
        return (
            f"Largest step of {frames} frames at even speed, over the mean step: "
            f"{evenness(film.frames):.2f}."
        )

    return FigureSteps((step,), (step.product,), measure)


def figure_30(plan: FigurePlan, gauge: Gauge) -> FigureSteps:
    half = plan.resolution // 2
    folder = plan.path(f"start{half}")
    start = CommandStep(
        f"carry the parent to {half} pixels",
        ("resize", plan.parent, "--resolution", str(half), "--out", folder, "--overwrite"),
        f"{folder}/config.json",
    )
    seeds = ("--seeds", plan.seeds(8))
    whole = picture(plan, "30-parent.png", "draw the parent", "family", plan.parent, *seeds)
    trained = () if plan.small is None else (plan.small,)
    drawn = named(folder, *trained)
    step = picture(plan, "30.png", "draw it at half the size", "family", *drawn, *seeds)

    def measure() -> str:
        large = gauge.pictures(plan.parent)
        told = []
        for one, what in ((folder, "before training"), *((one, "after it") for one in trained)):
            images = gauge.pictures(one)
            contrast = small(images).std() / small(large).std()
            told.append(
                f"{what} {resemblance(large, images):.2f} at {contrast:.2f} of the contrast"
            )
        more = "" if trained else " No network trained on from there was given (--small)."
        return f"Who looks like whom, correlated with the parent's: {', '.join(told)}.{more}"

    return FigureSteps((whole, start, step), (whole.product, step.product), measure)


def figure_31(plan: FigurePlan, gauge: Gauge) -> FigureSteps:
    shares = [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    seeds = plan.seeds(4)
    words = (plan.parent, plan.distant, "--strip", ",".join(f"{s:g}" for s in shares))
    step = picture(plan, "31.png", "blend the weights", "interpolate", *words, "--seeds", seeds)

    def measure() -> str:
        sheet = interpolate_strip(plan.parent, plan.distant, shares, seeds=seeds, psi=PSI)
        return _along(sheet.images.swapaxes(0, 1), "blends")

    return FigureSteps((step,), (step.product,), measure)


def figure_32(plan: FigurePlan, gauge: Gauge) -> FigureSteps:
    top = plan.resolution
    sizes = [2**k for k in range(2, top.bit_length() - 1)]
    seeds = plan.seeds(4)
    words = (plan.parent, plan.distant, "--strip", ",".join(map(str, sizes)), "--seeds", seeds)
    step = picture(plan, "32.png", "swap layers at every resolution", "swap", *words)

    def measure() -> str:
        sheet = swap_strip(plan.parent, plan.distant, sizes, seeds=seeds, psi=PSI)
        return _along(sheet.images.swapaxes(0, 1), "swaps")

    return FigureSteps((step,), (step.product,), measure)


def _along(images: np.ndarray, what: str) -> str:
    """How even the way of uint8 images [steps, rows, R, R, C] is, as a sentence."""
    steps, rows, size, _, channels = images.shape
    frames = images.reshape(steps, rows * size, size, channels)
    return f"Largest step between neighbouring {what}, over the mean step: {evenness(frames):.2f}."


FIGURES = {
    1: figure_1,
    8: figure_8,
    24: figure_24,
    25: figure_25,
    26: figure_26,
    27: figure_27,
    30: figure_30,
    31: figure_31,
    32: figure_32,
}
