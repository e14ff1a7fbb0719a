"""The page of `aligned demo`: every picture, what there is to see in it, and its command."""

import shlex
from collections.abc import Mapping
from pathlib import Path

from aligned_jax import loading, provenance
from aligned_jax.jobs.command_steps import CommandStep
from aligned_jax.jobs.demo.steps import PSI, STRENGTH, DemoPlan
from aligned_jax.viz import report


def page(plan: DemoPlan, steps: Mapping[str, CommandStep]) -> str:
    """HTML in one file, with all pictures in it.

    Args:
      plan: of the demo.
      steps: all of them, done.
    """
    sections = [
        report.paragraph(
            "A generator turns a list of random numbers, the latent, into a picture. Train it on "
            "one kind of picture (the parent), copy it, and go on training the copy on another "
            "kind (the child): the child learns the new kind, and yet the same latent keeps much "
            "of its shape and likeness. Such networks are called aligned, and much can be done "
            "with them without any further training. This page shows it on "
            "small networks for drawn faces that come with the package, and on one that was "
            "trained on this computer a moment ago. Figure numbers are those of the paper "
            "StyleAlign (Wu, Nitzan, Shechtman, Lischinski, ICLR 2022)."
        ),
        _members(plan),
        _family(plan, steps),
        _transition(plan, steps),
        _resets(plan, steps),
        _blends(plan, steps),
        _journeys(plan, steps),
        _edits(plan, steps),
        _next(plan),
    ]
    footer = provenance.made_by()
    return report.page("One parent, its children, and what they share", sections, footer)


def _members(plan: DemoPlan) -> str:
    family = plan.family
    parent, distant = family.parent.name, family.distant.name
    said = {
        family.parent.name: "the parent, trained from scratch",
        **{child.name: f"child: fine-tuned from {parent}" for child in family.children},
        family.grandchild.name: f"grandchild: fine-tuned from {distant} on the parent's faces",
        family.control.name: f"control: the data of {distant}, but not the parent's weights",
        plan.child.name: f"child: fine-tuned from {parent} by this demo, for {plan.kimg} kimg",
    }
    rows = [
        (member.name, said[member.name], member.network) for member in (*family.members, plan.child)
    ]
    headings = ("name", "what it is", "NETWORK")
    return report.section(
        "The family",
        report.table(headings, rows),
        report.paragraph(
            "One kimg is a thousand training pictures shown. Real projects train for thousands; "
            "these networks are small and quick, so expect rough edges."
        ),
    )


def _family(plan: DemoPlan, steps: Mapping[str, CommandStep]) -> str:
    distant = plan.family.distant.name
    return report.section(
        "The same latent, the whole family",
        report.paragraph(
            "Every column is one latent, every row a network. Look down a column: how large the "
            "hair is, how wide the head, and above all who looks like whom survive the change of "
            "kind. Latents that are alike in the parent stay alike in its children, though the "
            f"colours are others; less is left in the grandchild, which went through {distant}. "
            f"The control has learnt the same kind of picture as {distant}, but from scratch: its "
            "columns have nothing to do with the parent's. Alignment is inherited, not learnt from "
            "the data."
        ),
        _picture(plan, steps, "family", "Columns: latents. Rows: networks (figures 2, 14 and 34)."),
    )


def _transition(plan: DemoPlan, steps: Mapping[str, CommandStep]) -> str:
    return report.section(
        "A child leaves its parent",
        report.paragraph(
            f"This child was trained here: {plan.faces:,} new faces were drawn, and the parent was "
            f"fine-tuned on them for {plan.kimg} kimg. The first column is the parent. The look "
            "changes within the first few thousand pictures; the size of the hair and the shape of "
            "the head survive, and what was alike stays alike."
        ),
        _picture(plan, steps, "transition", "The same latents while the child learns (figure 4)."),
        report.paragraph("The data and the child were made by"),
        report.command(steps["faces"].command),
        report.command(steps["finetune"].command),
    )


def _resets(plan: DemoPlan, steps: Mapping[str, CommandStep]) -> str:
    parent, child = plan.family.parent.name, plan.family.distant.name
    folder = Path(steps["compare"].product).parent
    return report.section(
        "Which part of the network did it?",
        report.paragraph(
            f"The first two columns are {parent} and {child}. In each further column one component "
            f"of {child} has been given back the parent's weights, and all others are its own. "
            "Where the picture falls back, that component had carried the change. In the paper "
            "these are the convolutions above all; the mapping network, which turns latents into "
            "styles, hardly matters."
        ),
        report.picture((folder / "resets.png").read_bytes(), "Component resets (figures 1 and 8)."),
        report.drawing(
            (folder / "change.svg").read_text("utf-8"), "How far the weights themselves moved."
        ),
        report.command(steps["compare"].command),
        report.paragraph("More numbers are on the page compare/index.html, beside this one."),
    )


def _blends(plan: DemoPlan, steps: Mapping[str, CommandStep]) -> str:
    parent, child = plan.family.parent.name, plan.family.distant.name
    return report.section(
        "Between two networks",
        report.paragraph(
            f"Aligned networks can be averaged weight by weight: 0 is {parent}, 1 is {child}, and "
            "everything between is a network of its own that draws something in between."
        ),
        _picture(plan, steps, "interpolate", "Weights interpolated (figure 31)."),
        report.paragraph(
            f"Or take the coarse layers, which decide the shape, from {parent} and the fine ones, "
            f"which decide texture and colour, from {child}. From left to right more and more "
            f"layers, up to so many pixels, come from {parent}, here the low network."
        ),
        _picture(plan, steps, "swap", "Layers swapped at each resolution (figure 32)."),
    )


def _journeys(plan: DemoPlan, steps: Mapping[str, CommandStep]) -> str:
    parent, child = plan.family.parent.name, plan.family.distant.name
    return report.section(
        "From one kind to another",
        report.paragraph(
            f"A picture is translated by drawing its latent with the other network: {parent} in "
            f"the first column, {child} in the second. The style can come from a reference, the "
            "third column: after it, from left to right, more and more of the layers belong to the "
            "translation, and the finer ones to the reference."
        ),
        _picture(plan, steps, "translate", "Translation towards a reference (figures 6 and 22)."),
        report.paragraph(
            "Latents and weights can move at the same time. The film changes the weights alone, "
            "and so keeps the person; the plane has weights from top to bottom and latents from "
            "left to right."
        ),
        _picture(plan, steps, "morph", "A morph and back."),
        _picture(plan, steps, "grid", "All between two pictures (figures 24 to 27)."),
    )


def _edits(plan: DemoPlan, steps: Mapping[str, CommandStep]) -> str:
    pictures = [
        _picture(
            plan,
            steps,
            key,
            f"Style channel {key.removeprefix('edit-')}: each person with less of it, as drawn, "
            "and with more of it (figures 2, 3 and 9 to 12).",
        )
        for key in steps
        if key.startswith("edit-")
    ]
    return report.section(
        "One knob, all networks",
        report.paragraph(
            "Inside the generator every layer listens to a few dozen numbers, its style channels. "
            "Often a single one controls a single thing. These channels were drawn at random, the "
            f"ones that show most in the parent were kept, and each was moved by {STRENGTH:g} "
            "standard deviations of the parent to either side, in every network alike. What a "
            "channel means in the parent it also means, as far as it can, in the children; in the "
            "control (last row) the same number belongs to something else or to nothing."
        ),
        *pictures,
    )


def _next(plan: DemoPlan) -> str:
    parent, distant, run = plan.family.parent, plan.family.distant, plan.path("run")

    def command(*argv: object) -> str:
        return report.command(shlex.join(["aligned", *map(str, argv)]))

    size = loading.describe(parent.network).configs["G_ema"].img_resolution
    return report.section(
        "Go on from here",
        report.paragraph("Train the new child three times as long, and look at more of its faces:"),
        command("resume", run, "--kimg", 3 * plan.kimg),
        command("generate", run, "--seeds", "0-63", "--psi", PSI, "--out", "more.png"),
        report.paragraph("A new network from two old ones:"),
        command(
            *("swap", parent.network, distant.network),
            *("--resolution", max(size // 4, 4), "--out", "blend"),
        ),
        report.paragraph("A child of your own, from a folder of pictures:"),
        command("data", "images", "my_photos", "--resolution", size, "--out", "photos"),
        command("finetune", parent.network, plan.preset, "--data", "photos", "--run", "mine"),
    )


def _picture(plan: DemoPlan, steps: Mapping[str, CommandStep], key: str, caption: str) -> str:
    step = steps[key]
    picture = report.picture(Path(step.product).read_bytes(), caption)
    return f"{picture}\n{report.command(step.command)}"
