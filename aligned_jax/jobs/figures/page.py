"""The page of a gallery: every figure with its command, what to look for, and its number."""

from collections.abc import Sequence
from pathlib import Path

from aligned_jax import provenance
from aligned_jax.jobs.figures.captions import CAPTIONS
from aligned_jax.jobs.figures.plan import FigurePlan, FigureResult, FigureSteps
from aligned_jax.loading import label_of
from aligned_jax.viz import report


def page(plan: FigurePlan, results: Sequence[FigureResult]) -> str:
    """HTML in one file, with all pictures in it; longer reports are linked."""
    left_out = [one for one in results if one.drawn is None]
    sections = [
        report.paragraph(
            "The figures of StyleAlign (Wu, Nitzan, Shechtman, Lischinski, ICLR 2022), drawn from "
            "other networks than the paper's, in words of our own. Below each stand what one "
            "should see if the paper is right, what one would see if it were wrong, a number that "
            "was measured on more latents than are shown, and the commands that draw it alone."
        ),
        _members(plan),
        *(_section(one.number, one.drawn, one.measured) for one in results if one.drawn),
    ]
    if left_out:
        rows = [(one.number, CAPTIONS[one.number].title, one.missing) for one in left_out]
        table = report.table(("figure", "what", "needs"), rows)
        sections.append(report.section("Not drawn", table))
    footer = provenance.made_by()
    return report.page("Every figure of the paper", sections, footer)


def _members(plan: FigurePlan) -> str:
    said = [("parent", plan.parent)]
    said += [(f"child of {label_of(plan.parent)}", one) for one in plan.children]
    of = f", child of {label_of(plan.distant)}" if plan.children else ""
    said += [(f"grandchild{of}", one) for one in plan.grandchildren]
    said += [("control, no child", one) for one in plan.controls]
    said += [(f"child of moved data ({move})", one) for move, one in plan.moved.items()]
    said += [("the parent at another size", plan.small)] if plan.small else []
    said += [("child that draws edges", plan.edges)] if plan.edges else []
    return report.section("Who is drawn", report.table(("what it is", "NETWORK"), said))


def _section(number: int, drawn: FigureSteps, measured: str) -> str:
    caption = CAPTIONS[number]
    pictures = [report.picture(Path(name).read_bytes(), caption.shows) for name in drawn.pictures]
    rows = [
        ("if the paper is right", caption.right),
        ("if it were wrong", caption.wrong),
        ("measured", measured),
    ]
    return report.section(
        f"{number}. {caption.title}",
        *pictures,
        report.table(("", ""), rows),
        *(report.command(step.command) for step in drawn.steps),
        *(report.link(name, name) for name in drawn.links),
    )
