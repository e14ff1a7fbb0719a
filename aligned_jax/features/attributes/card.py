"""What is known of a reader, in words."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aligned_jax.config import to_dict
from aligned_jax.features.attributes.file import load
from aligned_jax.features.attributes.reader import Reader
from aligned_jax.utils.text import counted, listed, one_line

# Columns of the table, and the scores that they show.
COLUMNS = {
    "accuracy": "accuracy",
    "balanced": "balanced_accuracy",
    "chance": "chance",
    "AUC": "auc",
    "MAE": "mae",
    "R2": "r2",
    "signs": "signs",
}


@dataclass(frozen=True, eq=False)
class ReaderCard:
    """What is known of a reader.

    Attributes:
      name: how it was given.
      reader: itself.
    """

    name: str
    reader: Reader

    def document(self) -> dict[str, Any]:
        """Everything but its parameters, JSON-able."""
        scores = list(self.reader.config.scores)
        return {**self.reader.card, "config": to_dict(self.reader.config), "judges": scores}

    def rows(self) -> list[list[str]]:
        """Attribute, kind and scores on pictures that were held out, as texts; "" for none."""
        card = self.reader.card
        return [
            [head.name, _kind(head.kind, len(head.values))]
            + [_number(_part(card, "scores", head.name).get(key)) for key in COLUMNS.values()]
            for head in self.reader.heads
        ]

    def text(self) -> str:
        """For people, several lines."""
        card, config = self.reader.card, self.reader.config
        counts = _part(card, "pictures")
        heads = counted(len(config.heads), "attribute")
        lines = [f"{self.name}: {heads}, looks at {config.resolution} px"]
        if counts:
            pictures = (f"{counts[key]!s:.20} pictures to {key!s:.80}" for key in counts)
            lines.append(listed(map(one_line, pictures)))
        if isinstance(card.get("command"), str) and card["command"]:
            lines.append(f"made by: {one_line(card['command'])}")
        rows = [["attribute", "kind", *COLUMNS], *self.rows()]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines += [""] + [
            "  ".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in rows
        ]
        for head in config.heads:
            if head.values:
                lines.append(f"{head.name}: {listed(head.values, 60)}")
        if config.parts:
            parts = _part(card, "parts", "scores")
            shown = (f"{part} {_number(parts.get(part))}".rstrip() for part in config.parts)
            lines.append(f"parts (intersection over union): {listed(shown, 60)}")
            command = _part(card, "parts").get("command")
            if isinstance(command, str) and command:
                lines.append(f"parts made by: {one_line(command)}")
        return "\n".join(lines)


def reader_card(reader: str | os.PathLike[str] | Reader) -> ReaderCard:
    """The card of READER.safetensors, zoo:NAME, or of a loaded reader.

    Raises:
      UserError: if it cannot be read.
    """
    if isinstance(reader, Reader):
        return ReaderCard("a reader in memory", reader)
    return ReaderCard(os.fspath(reader), load(reader))


def _kind(kind: str, values: int) -> str:
    return f"{kind} of {values}" if values else kind


def _part(card: Mapping[str, Any], *path: str) -> Mapping[str, Any]:
    """A table inside a card, which anybody may have written; empty if there is none."""
    part: Any = card
    for name in path:
        part = part.get(name) if isinstance(part, Mapping) else None
    return part if isinstance(part, Mapping) else {}


def _number(value: Any) -> str:
    # Whole numbers of a stranger's card may be too large for a float; no score is.
    told = isinstance(value, float | int) and not abs(value) >= 1e9
    return f"{value:.3f}" if told else ""
