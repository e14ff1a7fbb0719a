"""A table of style channels with what they do in a network and its children, and its page."""

import json
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from aligned_jax import provenance
from aligned_jax.jobs.channel_family import ChannelFamily
from aligned_jax.provenance import Command
from aligned_jax.utils.text import counted
from aligned_jax.viz import png_bytes, report, writing_folder
from aligned_jax.viz.sheet import Sheet

# Latents that are shown.
_SHOWN = 2


@dataclass(frozen=True, eq=False)
class RankedChannel:
    """One style channel, and what it does.

    Attributes:
      name: as StyleSpace has it, such as "6_23".
      layer, channel: the same, such as "b16.conv1" and 23.
      figures: what speaks for it, by name.
      effects: mean absolute change of a pixel in [-1, 1], by network.
      leakages: share of the change outside the tenth of the picture that changes most in the
        first network, by network.
      cosines: of the map of the change with that of the first network, by network.
    """

    name: str
    layer: str
    channel: int
    figures: Mapping[str, float]
    effects: Mapping[str, float]
    leakages: Mapping[str, float]
    cosines: Mapping[str, float]


@dataclass(frozen=True, eq=False)
class ChannelTable:
    """The first channels of a ranking.

    Attributes:
      family: the networks, the first of which was searched.
      rows: the channels, the best first.
      title: what they are ranked by.
      facts: how they were found, JSON-able.
      strength: of the shifts, in the first network's standard deviations.
      batch: pictures at a time.
    """

    family: ChannelFamily
    rows: tuple[RankedChannel, ...]
    title: str
    facts: Mapping[str, Any]
    strength: float
    batch: int

    @property
    def headings(self) -> list[str]:
        """Of the columns of `cells`."""
        kept = [f"cosine in {name}" for name in list(self.family.networks)[1:]]
        return ["channel", "layer", *self.rows[0].figures, "effect", "leakage", *kept]

    def cells(self) -> list[list[str]]:
        """The table as text, a row for each channel."""
        first, *others = self.family.networks
        return [
            [
                row.name,
                row.layer,
                *(_shown(name, value) for name, value in row.figures.items()),
                f"{row.effects[first]:.4f}",
                f"{row.leakages[first]:.2f}",
                *(f"{row.cosines[name]:.2f}" for name in others),
            ]
            for row in self.rows
        ]

    def table(self) -> str:
        """The table with its headings, for a terminal."""
        lines = [self.headings, *self.cells()]
        widths = [max(len(line[k]) for line in lines) for k in range(len(lines[0]))]
        texts = (
            "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))
            for line in lines
        )
        return "\n".join(text.rstrip() for text in texts)

    def sheet(self) -> Sheet:
        """A row for each channel and network; less, as it is and more of it for some latents."""
        family, count = self.family, min(_SHOWN, len(self.family.latents))
        channels = [(row.layer, row.channel) for row in self.rows]
        drawn = [
            family.edited(network, channels, (-1, 0, 1), self.strength, range(count), self.batch)
            for network in family.networks.values()
        ]
        # [networks, K, n, 3, H, W, C] -> [K * networks, n * 3, H, W, C]
        images = np.stack(drawn, axis=1)
        images = images.reshape(-1, 3 * count, *images.shape[4:])
        rows = tuple(f"{row.name} {name}" for row in self.rows for name in family.networks)
        less, more = f"{-self.strength:+g}", f"{self.strength:+g}"
        names = family.latents.names[:count]
        columns = tuple(text for name in names for text in (less, name, more))
        return Sheet(images, rows, columns, group=3)

    def document(self, command: Command = Command()) -> dict[str, Any]:  # noqa: B008  # it cannot change
        """What channels.json holds: JSON-able."""
        parents = {name: (name, network) for name, network in self.family.networks.items()}
        unit = self.family.statistics
        return {
            "meta": provenance.origin(command, parents),
            "ranked by": self.title,
            "found": dict(self.facts),
            "unit": {"psi": 1, "latents": unit.count, "label": unit.label, "network": unit.network},
            "strength": self.strength,
            "psi": self.family.latents.psi,
            "latents": list(self.family.latents.names),
            "around": "each latent's own value",
            "channels": [
                {
                    "name": row.name,
                    "layer": row.layer,
                    "channel": row.channel,
                    "sigma": float(unit.std[row.layer][row.channel]),
                    "figures": {
                        name: value if math.isfinite(value) else None
                        for name, value in row.figures.items()
                    },
                    "effect": dict(row.effects),
                    "leakage": dict(row.leakages),
                    "cosine": dict(row.cosines),
                }
                for row in self.rows
            ],
        }

    def write(
        self,
        out: str | os.PathLike[str],
        command: Command = Command(),  # noqa: B008  # it cannot change
        overwrite: bool = False,
    ) -> None:
        """Writes index.html, channels.png and channels.json into a folder.

        Raises:
          UserError: if the folder is not empty and nothing may be replaced, or the disk refuses.
        """
        document = json.dumps(self.document(command), indent=2, allow_nan=False)
        sheet = self.sheet()
        picture = png_bytes(sheet.picture(), provenance.png_text(command))
        sections = [
            report.origin(command.line, command.arguments),
            report.paragraph(_introduction(self)),
            report.section("Channels", report.table(self.headings, self.cells())),
            report.section("Pictures", sheet.html()),
        ]
        page = report.page(f"Style channels, {self.title}", sections, provenance.made_by())
        with writing_folder(out, overwrite) as folder:
            (folder / "channels.json").write_text(document + "\n", encoding="utf-8")
            (folder / "channels.png").write_bytes(picture)
            (folder / "index.html").write_text(page, encoding="utf-8")


_COSINE = (
    "Cosine: how alike the changes of a child's and of the first network's pictures are, place by "
    "place: 1 for the same, 0 for nothing in common, -1 for the opposite."
)
_MEANINGS = {
    "entanglement": "Entanglement: the largest cosine of its effect with that of another channel.",
    "frequency": "Frequency: the share of the pictures with the part in which the channel acts "
    "there most. Lead: how far that is before any other part. Inside: the share of its gradient "
    "that is in the part. Accepted by StyleSpace's rule: a frequency over 0.5 and a lead over "
    "0.25. Channels that hardly show, a tenth of the strongest of the candidates, come last.",
    "relevance": "Shift: the mean of the examples, in standard deviations from the population's; "
    "a shift of the channel to that side adds the attribute. Relevance: its absolute value over "
    "the deviation among the examples.",
    "slope": "Slope: change of the attribute for each standard deviation of the channel, in "
    "deviations of the attribute. Others: the mean slope of all other attributes beside it.",
}


def _introduction(table: ChannelTable) -> str:
    first = next(iter(table.family.networks))
    meanings = [text for name, text in _MEANINGS.items() if name in table.rows[0].figures]
    latents = table.family.latents
    return " ".join([
        f"The first {counted(len(table.rows), 'style channel')} of {first}, {table.title}. Shifts "
        f"are {table.strength:g} standard deviations of {first} at psi 1, around each latent's own "
        f"value, in all networks alike; latents are drawn at psi {latents.psi:g}. Effect: mean "
        "absolute change of a pixel from less to more. Leakage: the share of it outside the tenth "
        "of the picture that changes most.",
        *([_COSINE] if len(table.family.networks) > 1 else []),
        *meanings,
    ])  # fmt: skip


def _shown(name: str, value: float) -> str:
    if name == "accepted":
        return "yes" if value else "no"
    return f"{value:+.2f}" if name in ("shift", "slope") else f"{value:.2f}"
