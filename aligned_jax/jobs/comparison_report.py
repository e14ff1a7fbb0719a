"""What a comparison of two networks came to: numbers, pictures, and the page that holds them."""

import json
import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from aligned_jax import provenance, weights
from aligned_jax.jobs import describe
from aligned_jax.networks.network import Network
from aligned_jax.provenance import Command
from aligned_jax.rendering.latent_batch import LatentBatch
from aligned_jax.viz import figure, heatmap, png_bytes, report, to_uint8, writing_folder


@dataclass(frozen=True, eq=False)
class Comparison:
    """Two networks side by side.

    Attributes:
      parent, child: the networks.
      parent_name, child_name: how they were named.
      changes: of the weights, by component and resolution.
      latents: that were drawn.
      images: float32 [N, R, R, C] by column: parent, child, and the child with each
        component reset.
      shifts: mean absolute change of a pixel, in the units of images in [-1, 1], that the
        reset of a component makes to the child's images.
      distance: the same between parent and child.
    """

    parent: Network
    child: Network
    parent_name: str
    child_name: str
    changes: list[weights.Change]
    latents: LatentBatch
    images: dict[str, np.ndarray]
    shifts: dict[str, float]
    distance: float

    def write(
        self,
        out: str | os.PathLike[str],
        command: Command = Command(),  # noqa: B008  # it cannot change
        overwrite: bool = False,
    ) -> None:
        """Writes index.html, resets.png, change.svg and change.json into a folder.

        Raises:
          UserError: if the folder is not empty and nothing may be replaced, or the disk refuses.
        """
        with writing_folder(out, overwrite) as folder:
            _write(folder, self, command)


def _write(folder: Path, comparison: Comparison, command: Command) -> None:
    """Writes index.html, resets.png, change.svg and change.json into an existing folder."""
    png = png_bytes(_picture(comparison), provenance.png_text(command))
    components, resolutions, values = weights.table(comparison.changes)
    columns = ["all" if r is None else f"{r} px" for r in resolutions]
    chart = heatmap(components, columns, values, "relative change of weights, by resolution")
    (folder / "resets.png").write_bytes(png)
    (folder / "change.svg").write_text(chart, encoding="utf-8")
    document = json.dumps(_document(comparison, command), indent=2, allow_nan=False)
    (folder / "change.json").write_text(document + "\n", encoding="utf-8")
    page = _page(comparison, command, png, chart)
    (folder / "index.html").write_text(page, encoding="utf-8")


def _picture(comparison: Comparison) -> np.ndarray:
    """A row for each latent and a column for each network, uint8 [height, width, C]."""
    # [columns, rows, H, W, C] -> [rows, columns, H, W, C]
    images = np.stack([to_uint8(images) for images in comparison.images.values()], axis=1)
    return figure(images, list(comparison.images), comparison.latents.names)


def _document(comparison: Comparison, command: Command) -> dict[str, Any]:
    """What change.json holds."""
    parents = {
        "parent": (comparison.parent_name, comparison.parent),
        "child": (comparison.child_name, comparison.child),
    }
    return {
        "meta": provenance.origin(command, parents),
        "rows": [_row(change) for change in comparison.changes],
        "totals": [_row(change) for change in weights.totals(comparison.changes)],
        "image_change": {"parent_to_child": comparison.distance, "resets": comparison.shifts},
    }


def _row(change: weights.Change) -> dict[str, Any]:
    relative = float(change.relative)
    return {
        "component": change.component,
        "resolution": change.resolution,
        "trainable": change.trainable,
        "count": change.count,
        "norm_parent": float(change.norm_parent),
        "norm_change": float(change.norm_change),
        # JSON knows no infinity: null where the parent is zero and the child is not.
        "relative": relative if math.isfinite(relative) else None,
    }


def _page(comparison: Comparison, command: Command, png: bytes, chart: str) -> str:
    """What index.html holds.

    Args:
      comparison: of two networks.
      command: that made it.
      png: the picture, encoded.
      chart: of the weights, as SVG.
    """
    totals = weights.totals(comparison.changes)
    return report.page(
        "Parent and child compared",
        [
            report.origin(command.line, command.arguments),
            report.table(
                ("", "network", "made by"),
                [
                    ("parent", comparison.parent_name, _made_by(comparison.parent)),
                    ("child", comparison.child_name, _made_by(comparison.child)),
                ],
            ),
            _introduction(comparison),
            report.section(
                "What each component carries",
                report.paragraph(
                    "The same latents in rows. From the third column on, one component of the "
                    "child has its parent's weights again: what falls back to the parent's look "
                    "was carried by that component."
                ),
                report.picture(png, "Parent, child, and the child with one component reset."),
                _component_table(totals, comparison),
            ),
            report.section(
                "Where the weights moved",
                report.paragraph(
                    "Norm of the difference over norm of the parent's weights. An infinity sign "
                    "marks weights that are zero in the parent. The mapping network has no "
                    "resolution."
                ),
                report.drawing(chart, "Relative change of trained weights."),
            ),
            report.section("Not trained", _buffer_table(totals)),
        ],
        footer=provenance.made_by(),
    )


def _introduction(comparison: Comparison) -> str:
    config, psi = comparison.child.config, comparison.latents.psi
    return report.paragraph(
        f"Both are {config.img_resolution} px {describe.colours(config)} generators. "
        f"Images are drawn with truncation psi {psi:g} and the stored noise."
    )


def _component_table(totals: Sequence[weights.Change], comparison: Comparison) -> str:
    """Changes of trained weights, and of images when they are reset."""
    rows = []
    for change in (change for change in totals if change.trainable):
        shift = comparison.shifts[change.component]
        share = shift / comparison.distance if comparison.distance else 0.0
        rows.append(
            (change.component, change.count, _percent(change), f"{shift:.4f}", f"{share:.0%}")
        )
    headings = ("component", "weights", "change of weights", "change of image by reset")
    return report.table((*headings, "in units of parent to child"), rows)


def _buffer_table(totals: Sequence[weights.Change]) -> str:
    """Changes of numbers that are not trained."""
    names = {"mapping": "mean of w", "noise": "noise maps"}
    rows = [
        (names.get(change.component, change.component), change.count, _percent(change))
        for change in totals
        if not change.trainable
    ]
    return report.table(("buffer", "numbers", "change"), rows)


def _percent(change: weights.Change) -> str:
    relative = float(change.relative)
    return f"{relative:.1%}" if math.isfinite(relative) else "0 in the parent"


def _made_by(network: Network) -> str:
    known = provenance.summary(network.provenance or {})
    if "command" in known:
        return str(known["command"])
    return ", ".join(str(known[key]) for key in ("code_base", "format") if key in known)
