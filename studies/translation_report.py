"""The table of the study of translation, as markdown, JSON and a page, and its picture."""

import argparse
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from aligned_jax import viz
from aligned_jax.viz import report
from benchmarks.measure import environment
from studies.likeness import MEASURES
from studies.tables import markdown, shown, write_document, write_text

NAME = "translation_study"
_NOTHING = "-"


def write(
    args: argparse.Namespace,
    sources: np.ndarray,
    images: Mapping[str, Mapping[str, np.ndarray]],
    rows: Sequence[Mapping[str, Any]],
) -> None:
    """Prints the table and writes all files."""
    headings, cells = table(rows)
    text = markdown(headings, cells)
    work, out = Path(args.work), Path(args.out or args.work)
    drawn = picture(args, sources, images)
    said, command = caption(args, len(sources)), f"python -m studies.{environment()['command']}"
    write_document(work / f"{NAME}.json", vars(args), rows=list(rows))
    with viz.writing(out / "images" / f"{NAME}.png", overwrite=True) as file:
        file.write(drawn)
    shown_as = f"![{alternative(args)}](images/{NAME}.png)"
    body = f"# What survives translation\n\n```\n{command}\n```\n\n{text}\n\n{said}\n"
    write_text(out / f"{NAME}.md", f"{body}\n{shown_as}\n")
    page = report.page(
        "What survives translation",
        [
            report.command(command),
            report.section("Table", report.table(headings, cells), report.paragraph(said)),
            report.section("Pictures", report.picture(drawn, alternative(args))),
        ],
    )
    write_text(work / f"{NAME}.html", page)
    print(f"{text}\n\n{said}\n\nwrote {out / NAME}.md and {work / NAME}.html")


def table(rows: Sequence[Mapping[str, Any]]) -> tuple[list[str], list[list[str]]]:
    """Headings and cells; for each measure how much survives, and the correlation behind it."""
    headings = ["latents", "drawn by", "inversion LPIPS", "pixel RMSE", "fd_vgg", "kid_vgg"]
    headings += [*MEASURES, "mean", "permuted"]
    return headings, [_cells(row) for row in rows]


def _cells(row: Mapping[str, Any]) -> list[str]:
    cells = [row["latents"], row["drawn by"]]
    cells += [shown(row.get(key, _NOTHING)) for key in ("lpips", "rmse", "fd_vgg", "kid_vgg")]
    if "survives" not in row:
        return cells + [_NOTHING] * (len(MEASURES) + 2)
    found = row["survives"]
    for name in MEASURES:
        measure = found[name]
        cells.append(f"{percent(measure['survival'])} ({measure['correlation']:.2f})")
    return [*cells, percent(found["mean survival"]), percent(found["mean permuted"])]


def percent(fraction: float) -> str:
    """0.512 as "51 %"."""
    return f"{100 * fraction:.0f} %"


def caption(args: argparse.Namespace, count: int) -> str:
    """What the table says, and what it cannot."""
    # A rank among the others is uniform by chance.
    error = 100 / np.sqrt(12 * count)
    return (
        f"{count} pictures that no network has seen, inverted in the parent ({args.steps} steps of "
        f"LPIPS-{args.perceptual} and {args.pixels:g} times the squared difference of pixels; "
        "psi 0.5 in z and z+; encoders in one pass). Inversion LPIPS is that of VGG, pixel RMSE in "
        "units of [-1, 1]. The row of the parent is the inversion itself, which bounds what a "
        "translation can keep; the control is of the distant domain but aligned with nothing. "
        f"fd_vgg and kid_vgg compare with the rest of the domain's test split. {count} images are "
        "far fewer than the 512 features, so that fd_vgg is too large by an amount of its own: "
        "read kid_vgg, beside the last rows, which are random latents (psi 1) and real images "
        "of the same number. A measure survives when a translation is nearer in it to its own "
        "source than to another one, after both sets are brought to zero mean and unit deviation: "
        f"50 % is chance, with a standard error of {error:.0f} points. In parentheses the "
        "correlation of source and translation. `permuted` is the mean with the translations dealt "
        "to other sources."
    )


def alternative(args: argparse.Namespace) -> str:
    """What the picture shows."""
    return f"Sources, and for each way to their latents: inversion, {', '.join(CHILDREN_SHOWN)}"


CHILDREN_SHOWN = ("near child", "distant child", "control")


def picture(
    args: argparse.Namespace,
    sources: np.ndarray,
    images: Mapping[str, Mapping[str, np.ndarray]],
) -> bytes:
    """A row for each source; a group of columns for each way, after that of the source."""
    ways = args.show_ways or list(images)
    columns, labels = [sources[: args.show]], ["source"]
    for way in ways:
        for network, drawn in images[way].items():
            columns.append(drawn[: args.show])
            labels.append(f"{way} {'inverted' if network == 'parent' else network}")
    grid = viz.figure(np.stack(columns, axis=1), labels, smallest=64)
    file = io.BytesIO()
    viz.save_png(file, grid)
    return file.getvalue()
