"""What an alignment came to: numbers, heat maps, pictures, and the page that holds them."""

import json
import math
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from aligned_jax import provenance
from aligned_jax.jobs.channel_family import ChannelFamily
from aligned_jax.provenance import Command
from aligned_jax.semantics.alignment import (
    SCORES,
    ChannelScores,
    Interval,
    by_layer,
    by_resolution,
)
from aligned_jax.semantics.editing import Channel
from aligned_jax.semantics.effect_maps import EffectMaps
from aligned_jax.semantics.locality import LocalityScores
from aligned_jax.semantics.responses import SlopeAgreement
from aligned_jax.utils.text import counted
from aligned_jax.viz import curves, heatmap, report, writing_folder
from aligned_jax.viz.sheet import Sheet

_HEADINGS = {
    "nearest": "nearest of all",
    "nearest_in_layer": "nearest in layer",
    "cosine": "cosine",
    "overlap": "overlap",
    "leakage": "leakage",
    "own_leakage": "leakage in the parent",
}
# Scores that are drawn by layer and by resolution.
_MAPPED = ("nearest_in_layer", "cosine", "overlap")


@dataclass(frozen=True, eq=False)
class AlignedNetwork:
    """How one network compares with the parent.

    Attributes:
      name: label of the network.
      control: whether it did not come from the parent.
      channels: every score of every channel.
      scores: their means, with errors over the latents.
      chance: the same means with the network's channels shuffled.
      run, kimg: the run of which it is a snapshot, and when; None for others.
      slopes: of judged attributes, by name.
      attributes: rank correlation of attributes of the same latents' pictures, by name.
      locality: where its channels act, if its data were moved.
    """

    name: str
    control: bool
    channels: ChannelScores
    scores: Mapping[str, Interval]
    chance: Mapping[str, float]
    run: str | None = None
    kimg: int | None = None
    slopes: Mapping[str, SlopeAgreement] = field(default_factory=dict)
    attributes: Mapping[str, float] = field(default_factory=dict)
    locality: LocalityScores | None = None


@dataclass(frozen=True, eq=False)
class Alignment:
    """A parent, its children, and perhaps a control.

    Attributes:
      family: networks, latents and unit.
      sources: how the networks were given, by label.
      maps: of the parent.
      rows: one for each network after the parent.
      shown: channels that the page shows.
      batch: pictures at a time.
    """

    family: ChannelFamily
    sources: Mapping[str, str]
    maps: EffectMaps
    rows: tuple[AlignedNetwork, ...]
    shown: tuple[Channel, ...]
    batch: int

    def table(self) -> str:
        """The main scores as text, a line for each network."""
        width = max(len(row.name) for row in self.rows)
        lines = []
        for row in self.rows:
            parts = [f"{_HEADINGS[k]} {_with_error(row.scores[k])}" for k in SCORES[:4]]
            lines.append(f"{row.name:<{width}}  {', '.join(parts)}{_kind(row)}")
        return "\n".join(lines)

    def document(self, command: Command = Command()) -> dict[str, Any]:  # noqa: B008  # it cannot change
        """What alignment.json holds: JSON-able; null where a number is not known."""
        parents = {name: (self.sources[name], net) for name, net in self.family.networks.items()}
        unit = self.family.statistics
        return {
            "meta": provenance.origin(command, parents),
            "parent": next(iter(parents)),
            "unit": {"psi": 1, "latents": unit.count, "label": unit.label, "network": unit.network},
            "strength": self.maps.strength,
            "psi": self.family.latents.psi,
            "latents": list(self.family.latents.names),
            "around": "each latent's own value",
            "torgb": any(layer.kind == "torgb" for layer in self.maps.layers),
            "layers": {layer.name: layer.channels for layer in self.maps.layers},
            "networks": [_row_document(row, self.maps) for row in self.rows],
            "channels": self.maps.names,
        }

    def write(
        self,
        out: str | os.PathLike[str],
        command: Command = Command(),  # noqa: B008  # it cannot change
        overwrite: bool = False,
    ) -> None:
        """Writes index.html and alignment.json into a folder.

        Raises:
          UserError: if the folder is not empty and nothing may be replaced, or the disk refuses.
        """
        document = json.dumps(self.document(command), indent=1, allow_nan=False)
        page = report.page(
            "Alignment",
            [report.origin(command.line, command.arguments), *_sections(self)],
            provenance.made_by(),
        )
        with writing_folder(out, overwrite) as folder:
            (folder / "alignment.json").write_text(document + "\n", encoding="utf-8")
            (folder / "index.html").write_text(page, encoding="utf-8")


def _sections(result: Alignment) -> list[str]:
    parts = [_introduction(result), _score_section(result), _curve_section(result)]
    parts += [_map_section(result), _locality_section(result), _judge_section(result)]
    parts += [_picture_section(result)]
    return [part for part in parts if part]


def _introduction(result: Alignment) -> str:
    maps, latents = result.maps, result.family.latents
    names = list(result.family.networks)
    kinds = "with" if any(layer.kind == "torgb" for layer in maps.layers) else "without"
    return report.paragraph(
        f"Each of {counted(len(maps), 'style channel')} of {names[0]} ({kinds} toRGB layers) is "
        f"shifted alone by {maps.strength:g} standard deviations to either side, around each "
        f"latent's own value, in {', '.join(names[1:])} as well. The unit is the parent's, over "
        f"{result.family.statistics.count:,} latents that are not truncated; the "
        f"{counted(len(latents), 'latent')} drawn here have psi {latents.psi:g}. What a channel "
        "does is the mean change of the picture, clipped and pooled to "
        f"{maps.signed.shape[2]} x {maps.signed.shape[3]}."
    )


def _score_section(result: Alignment) -> str:
    headings = ["network", *(_HEADINGS[name] for name in SCORES)]
    rows = []
    for row in result.rows:
        scores = (_with_error(row.scores[name]) for name in SCORES)
        rows.append([row.name + _kind(row), *scores])
        chance = (f"{row.chance[name]:.3f}".replace("-0.000", "0.000") for name in SCORES)
        rows.append([f"{row.name}, channels shuffled", *chance])
    dead = int((~result.rows[0].channels.alive).sum())
    left_out = f" {counted(dead, 'channel')} of the parent change nothing and do not count."
    return report.section(
        "Scores",
        report.paragraph(
            "Nearest: for which share of the parent's channels the child's channel of the same "
            "number has, by cosine, the most similar effect, among all channels or among those of "
            "the layer. Overlap: intersection over union of the tenth of the picture that changes "
            "most. Leakage: the share of a child's change that lies outside the parent's tenth; "
            "beside it the parent's own. Errors are standard errors over the latents."
            + (left_out if dead else "")
        ),
        report.table(headings, rows),
    )


def _curve_section(result: Alignment) -> str:
    runs: dict[str, list[AlignedNetwork]] = {}
    for row in result.rows:
        if row.run is not None:
            runs.setdefault(row.run, []).append(row)
    drawings = []
    for run, rows in runs.items():
        kimgs = [float(row.kimg or 0) for row in rows]
        series = {
            _HEADINGS[name]: (kimgs, [row.scores[name].value for row in rows])
            for name in SCORES[:4]
        }
        drawings.append(report.drawing(curves(series, run, "kimg"), f"Snapshots of {run}."))
    return report.section("Over the run", *drawings) if drawings else ""


def _map_section(result: Alignment) -> str:
    names = [row.name for row in result.rows]
    layered = [by_layer(row.channels, result.maps) for row in result.rows]
    resolved = [by_resolution(row.channels, result.maps) for row in result.rows]
    drawings = []
    for score in _MAPPED:
        title = _HEADINGS[score]
        for tables, where, label in (
            (layered, "layer", str),
            (resolved, "resolution", "{} px".format),
        ):
            drawings.append(_heat(names, tables, score, f"{title}, by {where}", label))
    return report.section(
        "Where it is kept",
        report.paragraph("Cells are empty where no channel of the parent changes anything."),
        *drawings,
    )


def _heat(
    names: list[str], tables: list[Any], score: str, title: str, label: Callable[[Any], str]
) -> str:
    keys = list(tables[0])
    values = np.asarray([[table[key][score] for key in keys] for table in tables])
    chart = heatmap(names, list(map(label, keys)), np.maximum(values, 0), title, "{:.2f}".format)
    return report.drawing(chart, f"{title[0].upper()}{title[1:]}.")


def _locality_section(result: Alignment) -> str:
    rows = [
        (row.name, _plain(one.stays), _plain(one.follows), _plain(one.share), one.count)
        for row in result.rows
        if (one := row.locality) is not None
    ]
    if not rows:
        return ""
    return report.section(
        "Where channels act if the data were moved",
        report.paragraph(
            "Stays: mean cosine of a channel's effect with the parent's, at its place in the "
            "picture. Follows: the same with the parent's effect moved as the child's data were. "
            "Share: of the channels that are more like the moved effect, among those that the "
            "move changes."
        ),
        report.table(("network", "stays", "follows", "share that follows", "channels"), rows),
    )


def _judge_section(result: Alignment) -> str:
    if not result.rows[0].attributes:
        return ""
    headings = ("network", "attribute", "same sign", "of channels", "rank of slopes", "agreement")
    rows = [
        (row.name, name, _plain(row.slopes[name].sign), row.slopes[name].sure,
         _plain(row.slopes[name].spearman), _plain(value))
        for row in result.rows
        for name, value in row.attributes.items()
    ]  # fmt: skip
    return report.section(
        "Judged attributes",
        report.paragraph(
            "Slopes: how the score of an attribute changes with a channel. Same sign: the share of "
            "the channels that surely move it in the parent which move it to the same side here; "
            "rank: Spearman's correlation of all slopes. Agreement: Spearman's correlation of the "
            "attribute in pictures of the same latents."
        ),
        report.table(headings, rows),
    )


def _picture_section(result: Alignment) -> str:
    family, channels = result.family, result.shown
    images = np.stack([
        family.edited(network, channels, (-1, 1), result.maps.strength, [0], result.batch)[:, 0]
        for network in family.networks.values()
    ])  # fmt: skip
    # [networks, K, 2, H, W, C] -> [networks, 2 * K, H, W, C]
    images = images.reshape(len(images), -1, *images.shape[3:])
    names = dict(zip(result.maps.channels, result.maps.names, strict=True))
    columns = tuple(f"{names[channel]} {sign}" for channel in channels for sign in ("less", "more"))
    sheet = Sheet(images, tuple(family.networks), columns, group=2)
    return report.section(
        "The channels that show most",
        report.paragraph(
            f"{family.latents.names[0].capitalize()}, with less and more of the most effective "
            "channel of each of some layers of the parent."
        ),
        sheet.html(),
    )


def _row_document(row: AlignedNetwork, maps: EffectMaps) -> dict[str, Any]:
    scores = {
        name: {"value": _number(one.value), "standard_error": _number(one.error)}
        for name, one in row.scores.items()
    }
    columns = {name: [round(float(v), 5) for v in getattr(row.channels, name)] for name in SCORES}
    return {
        "name": row.name,
        "control": row.control,
        "kimg": row.kimg,
        "scores": scores,
        "chance": {name: _number(value) for name, value in row.chance.items()},
        "by_layer": _numbers(by_layer(row.channels, maps)),
        "by_resolution": _numbers(by_resolution(row.channels, maps)),
        "slopes": {
            name: {"sign": _number(s.sign), "sure": s.sure, "spearman": _number(s.spearman)}
            for name, s in row.slopes.items()
        },
        "attributes": {name: _number(value) for name, value in row.attributes.items()},
        "locality": row.locality
        and {
            "stays": _number(row.locality.stays),
            "follows": _number(row.locality.follows),
            "share": _number(row.locality.share),
            "channels": row.locality.count,
        },
        "channels": {"alive": [bool(v) for v in row.channels.alive], **columns},
    }


def _numbers(table: Mapping[Any, Mapping[str, float]]) -> dict[str, dict[str, float | None]]:
    return {
        str(key): {name: _number(value) for name, value in one.items()}
        for key, one in table.items()
    }


def _number(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def _plain(value: float) -> str:
    return f"{value:.2f}" if math.isfinite(value) else "-"


def _with_error(one: Interval) -> str:
    error = f" \N{PLUS-MINUS SIGN} {one.error:.3f}" if math.isfinite(one.error) else ""
    return f"{one.value:.3f}{error}"


def _kind(row: AlignedNetwork) -> str:
    return " (control)" if row.control else ""
