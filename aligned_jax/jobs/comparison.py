"""The report of `aligned compare`: numbers, pictures, and the page that holds them."""

import argparse
import io
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from aligned_jax import provenance, weights
from aligned_jax.cli import console
from aligned_jax.cli.command_line import command
from aligned_jax.jobs import describe
from aligned_jax.networks.network import Network
from aligned_jax.rendering import render as rendering
from aligned_jax.viz import check_channels, figure, heatmap, report, save_png, to_uint8


@dataclass(frozen=True)
class Comparison:
    """Two networks side by side.

    `images` are float32 [N, R, R, C] by column: parent, child, and the child
    with each component reset. `shifts` is the mean absolute change of a pixel,
    in the units of images in [-1, 1], that a reset makes to the child's image;
    `distance` is the same between parent and child.
    """

    parent: Network
    child: Network
    changes: list[weights.Change]
    names: tuple[str, ...]
    images: dict[str, np.ndarray]
    shifts: dict[str, float]
    distance: float


def measure(args: argparse.Namespace, parent: Network, child: Network) -> Comparison:
    """Compares and draws; raises UserError if the networks do not fit or cannot be drawn."""
    check_channels(child.config.img_channels)
    inputs, manner = rendering.from_arguments(args, child.config)
    changes = weights.compare(parent, child)
    components = weights.components_of(child)
    with console.progress((2 + len(components)) * len(inputs), "images") as advance:

        def draw(network: Network) -> np.ndarray:
            return rendering.render(network, inputs, manner, advance)

        images = {"parent": draw(parent), "child": draw(child)}
        for name in components:
            images[f"reset {name}"] = draw(weights.reset(parent, child, name))
    shifts = {name: _distance(images[f"reset {name}"], images["child"]) for name in components}
    return Comparison(
        parent=parent,
        child=child,
        changes=changes,
        names=inputs.names,
        images=images,
        shifts=shifts,
        distance=_distance(images["parent"], images["child"]),
    )


def write(folder: Path, args: argparse.Namespace, found: Comparison) -> None:
    """index.html, resets.png, change.svg and change.json in an existing folder."""
    buffer = io.BytesIO()
    save_png(buffer, _picture(found), provenance.png_text(args.command_line))
    components, resolutions, values = weights.table(found.changes)
    columns = ["all" if r is None else f"{r} px" for r in resolutions]
    chart = heatmap(components, columns, values, "relative change of weights, by resolution")
    (folder / "resets.png").write_bytes(buffer.getvalue())
    (folder / "change.svg").write_text(chart, encoding="utf-8")
    document = json.dumps(_document(args, found), indent=2, allow_nan=False)
    (folder / "change.json").write_text(document + "\n", encoding="utf-8")
    page = _page(args, found, buffer.getvalue(), chart)
    (folder / "index.html").write_text(page, encoding="utf-8")


def _distance(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.abs(a - b).mean(dtype=np.float64))


def _picture(found: Comparison) -> np.ndarray:
    # [columns, rows, H, W, C] -> [rows, columns, H, W, C]
    images = np.stack([to_uint8(images) for images in found.images.values()], axis=1)
    return figure(images, list(found.images), found.names)


def _document(args: argparse.Namespace, found: Comparison) -> dict[str, Any]:
    parents = {"parent": (args.parent, found.parent), "child": (args.child, found.child)}
    return {
        "meta": provenance.origin(command(args), parents),
        "rows": [_row(change) for change in found.changes],
        "totals": [_row(change) for change in weights.totals(found.changes)],
        "image_change": {"parent_to_child": found.distance, "resets": found.shifts},
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


def _page(args: argparse.Namespace, found: Comparison, png: bytes, chart: str) -> str:
    moved = weights.totals(found.changes)
    config = found.child.config
    return report.page(
        "Parent and child compared",
        [
            report.origin(args.command_line, command(args).arguments),
            report.table(
                ("", "network", "made by"),
                [
                    ("parent", args.parent, _made_by(found.parent)),
                    ("child", args.child, _made_by(found.child)),
                ],
            ),
            report.paragraph(
                f"Both are {config.img_resolution} px {describe.colours(config)} generators. "
                f"Images are drawn with truncation psi {args.psi:g} and the stored noise."
            ),
            report.section(
                "What each component carries",
                report.paragraph(
                    "The same latents in rows. From the third column on, one component of the "
                    "child has its parent's weights again: what falls back to the parent's look "
                    "was carried by that component."
                ),
                report.picture(png, "Parent, child, and the child with one component reset."),
                _component_table(moved, found),
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
            report.section("Not trained", _buffer_table(moved)),
        ],
        footer=provenance.png_text(args.command_line)["Software"],
    )


def _component_table(moved: Sequence[weights.Change], found: Comparison) -> str:
    rows = []
    for change in (change for change in moved if change.trainable):
        shift = found.shifts[change.component]
        share = shift / found.distance if found.distance else 0.0
        rows.append(
            (change.component, change.count, _percent(change), f"{shift:.4f}", f"{share:.0%}")
        )
    headings = ("component", "weights", "change of weights", "change of image by reset")
    return report.table((*headings, "in units of parent to child"), rows)


def _buffer_table(moved: Sequence[weights.Change]) -> str:
    names = {"mapping": "mean of w", "noise": "noise maps"}
    rows = [
        (names.get(change.component, change.component), change.count, _percent(change))
        for change in moved
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
