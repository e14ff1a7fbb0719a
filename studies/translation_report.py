"""The table of the study of translation, as markdown, JSON and a page, and its picture."""

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from aligned_jax import viz
from aligned_jax.viz import report
from benchmarks.reporting import markdown, shown, write_text
from studies.likeness import MEASURES
from studies.tables import write_document

NAME = "translation_study"
ALTERNATIVE = (
    "Sources, and for each way to their latents: inversion, near child, distant child, control"
)
_NOTHING = "-"


def write(
    work: Path,
    out: Path,
    command: str,
    config: dict[str, Any],
    caption: str,
    drawn: bytes,
    rows: Sequence[Mapping[str, Any]],
) -> None:
    """Prints the table and writes all files.

    Args:
      work: folder of the numbers and of the page.
      out: folder of the table as markdown and of the picture.
      command: the line that makes the study again.
      config: its arguments.
      caption: what stands below the table.
      drawn: the picture, a PNG.
      rows: of the table.
    """
    headings, cells = table(rows)
    text = markdown(headings, cells)
    write_document(work / f"{NAME}.json", command, config, rows=list(rows))
    with viz.writing(out / "images" / f"{NAME}.png", overwrite=True) as file:
        file.write(drawn)
    shown_as = f"![{ALTERNATIVE}](images/{NAME}.png)"
    body = f"# What survives translation\n\n```\n{command}\n```\n\n{text}\n\n{caption}\n"
    write_text(out / f"{NAME}.md", f"{body}\n{shown_as}\n")
    page = report.page(
        "What survives translation",
        [
            report.command(command),
            report.section("Table", report.table(headings, cells), report.paragraph(caption)),
            report.section("Pictures", report.picture(drawn, ALTERNATIVE)),
        ],
    )
    write_text(work / f"{NAME}.html", page)
    print(f"{text}\n\n{caption}\n\nwrote {out / NAME}.md and {work / NAME}.html")


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
    survives = row["survives"]
    for name in MEASURES:
        measure = survives[name]
        cells.append(f"{percent(measure['survival'])} ({measure['correlation']:.2f})")
    return [*cells, percent(survives["mean survival"]), percent(survives["mean permuted"])]


def percent(fraction: float) -> str:
    """0.512 as "51 %"."""
    return f"{100 * fraction:.0f} %"


def caption(count: int, steps: int, perceptual: str, pixels: float) -> str:
    """What the table says, and what it cannot.

    Args:
      count: of pictures.
      steps, perceptual, pixels: of the optimiser and its loss.
    """
    # A rank among the others is uniform by chance.
    error = 100 / np.sqrt(12 * count)
    return (
        f"{count} pictures that no network has seen, inverted in the parent ({steps} steps of "
        f"LPIPS-{perceptual} and {pixels:g} times the squared difference of pixels; "
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


def picture(
    sources: np.ndarray,
    images: Mapping[str, Mapping[str, np.ndarray]],
    count: int,
    ways: Sequence[str],
) -> bytes:
    """A PNG: a row for each of the first sources; a group of columns for each way.

    Args:
      sources: uint8 [N, R, R, C].
      images: the same by way and network.
      count: of the sources that are shown.
      ways: that are shown.
    """
    columns, labels = [sources[:count]], ["source"]
    for way in ways:
        for network, drawn in images[way].items():
            columns.append(drawn[:count])
            labels.append(f"{way} {'inverted' if network == 'parent' else network}")
    grid = viz.figure(np.stack(columns, axis=1), labels, smallest=64)
    file = io.BytesIO()
    viz.save_png(file, grid)
    return file.getvalue()
