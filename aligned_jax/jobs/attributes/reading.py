"""What a reader tells of pictures, or of what a network draws: tables, files, a picture."""

import csv
import io
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from aligned_jax import provenance, viz
from aligned_jax.config.attributes import AttributeHead
from aligned_jax.data import targets
from aligned_jax.errors import UserError
from aligned_jax.features.attributes import Reader, load
from aligned_jax.jobs.drawings import Drawing, generate
from aligned_jax.loading import NetworkSource
from aligned_jax.networks.network import Network
from aligned_jax.provenance import Command
from aligned_jax.utils.paths import Name, names_of
from aligned_jax.utils.reporting import QUIET, Reporter
from aligned_jax.viz.sheet import write_picture

ENDINGS = (".json", ".csv", ".npz", ".png")
_TABLES = (".csv", ".npz")  # which say nothing of themselves
_SCRIPT = Command()
_COLUMNS = 6
_SHOWN_LETTERS = 14


@dataclass(frozen=True, eq=False)
class AttributeReadings:
    """What was read of N pictures.

    Attributes:
      names: of the pictures, such as "seed 3".
      seeds: int64 [N] of what a network drew; None of other pictures.
      heads: the attributes.
      readings: as a `Reader` returns them: probabilities, colours, numbers.
      scores: as its judge tells them, float32 [N] each.
      images: uint8 [N, R, R, 3].
      facts: JSON-able, what was read and by what.
    """

    names: tuple[str, ...]
    seeds: np.ndarray | None
    heads: tuple[AttributeHead, ...]
    readings: Mapping[str, np.ndarray]
    scores: Mapping[str, np.ndarray]
    images: np.ndarray
    facts: Mapping[str, Any]

    def rows(self) -> list[dict[str, Any]]:
        """A dictionary for each picture, JSON-able: {"picture": name, attribute: what was read}.

        What is there or not is {"yes": probability}, a category {value: probability} of all its
        values by falling probability, a colour "#rrggbb", a number itself.
        """
        return [
            {"picture": name} | {head.name: self._told(head, k) for head in self.heads}
            for k, name in enumerate(self.names)
        ]

    def table(self) -> str:
        """For people: a line for each picture, a column for each attribute."""
        heads = ["picture", *(head.name for head in self.heads)]
        lines = [heads]
        for k, name in enumerate(self.names):
            lines.append([name, *(self._word(head, k) for head in self.heads)])
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        padded = (
            "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))
            for line in lines
        )
        return "\n".join(line.rstrip() for line in padded)

    def document(self, command: Command = _SCRIPT) -> dict[str, Any]:
        """Everything, JSON-able."""
        return {
            **self.facts,
            "pictures": self.rows(),
            **provenance.record(command),
        }

    def picture(self) -> np.ndarray:
        """The pictures with what was read above each, uint8 [height, width, 3]."""
        labels = [self._label(k) for k in range(len(self.names))]
        strips = []
        for start in range(0, len(labels), _COLUMNS):
            images, texts = self.images[start : start + _COLUMNS], labels[start : start + _COLUMNS]
            missing = _COLUMNS - len(texts) if start else 0
            blank = np.full((missing, *images.shape[1:]), 255, np.uint8)
            filled = np.concatenate([images, blank])[None]
            strips.append(viz.figure(filled, [*texts, *[""] * missing]))
        return np.concatenate(strips)

    def write(
        self, out: str | os.PathLike[str], command: Command = _SCRIPT, overwrite: bool = False
    ) -> None:
        """Writes what was read.

        Args:
          out: NAME.json for everything; NAME.csv or NAME.npz for scores as a judge tells them, by
            seed where there are seeds (which is a judge for other verbs), with NAME.csv.json or
            NAME.npz.json, which says how they were made; NAME.png for pictures with what was read.
          command: that made it.
          overwrite: replace what is there.

        Raises:
          UserError: for another ending, or if the file exists or the disk refuses.
        """
        ending = check_target(out, overwrite)
        if ending == ".png":
            facts = {**self.facts, "names": list(self.names)}
            write_picture(out, self.picture(), command, overwrite, facts)
            return
        if ending in _TABLES:
            viz.write_record(out, command, dict(self.facts), overwrite)
        with viz.writing(out, overwrite) as file:
            if ending == ".npz":
                key = self._key()
                np.savez(file, **{key[0]: key[1]}, **self.scores)  # type: ignore[arg-type]
            elif ending == ".csv":
                file.write(self._csv().encode())
            else:
                file.write(f"{json.dumps(self.document(command), indent=2)}\n".encode())

    def _key(self) -> tuple[str, np.ndarray]:
        """What tells the rows of scores apart."""
        if self.seeds is not None:
            return "seed", self.seeds
        return "picture", np.asarray(self.names)

    def _csv(self) -> str:
        text = io.StringIO()
        key, values = self._key()
        lines = csv.writer(text, lineterminator="\n")
        lines.writerow([key, *self.scores])
        for k, value in enumerate(values):
            lines.writerow([value, *(f"{column[k]:.6g}" for column in self.scores.values())])
        return text.getvalue()

    def _told(self, head: AttributeHead, k: int) -> Any:
        value = self.readings[head.name][k]
        if head.kind == "binary":
            return {"yes": round(float(value), 4)}
        if head.kind == "category":
            order = np.argsort(-value, kind="stable")
            return {head.values[i]: round(float(value[i]), 4) for i in order}
        return _hex(value) if head.kind == "colour" else round(float(value), 4)

    def _word(self, head: AttributeHead, k: int) -> str:
        value = self.readings[head.name][k]
        if head.kind == "binary":
            return f"{'yes' if value > 0.5 else 'no'} {value:.2f}"
        if head.kind == "category":
            best = int(value.argmax())
            return f"{head.values[best]} {value[best]:.2f}"
        return _hex(value) if head.kind == "colour" else f"{value:.2f}"

    def _label(self, k: int) -> str:
        """What fits above a picture: those that are there, likeliest categories, numbers."""
        words = [self.names[k].replace(" ", "\N{NO-BREAK SPACE}")]
        for head in self.heads:
            value = self.readings[head.name][k]
            if head.kind == "binary" and value > 0.5:
                words.append(f"{head.name}\N{NO-BREAK SPACE}{value:.2f}")
            elif head.kind == "category":
                words.append(f"{head.values[int(value.argmax())]}"[:_SHOWN_LETTERS])
            elif head.kind == "number":
                words.append(f"{head.name}\N{NO-BREAK SPACE}{value:.2f}")
        return " ".join(words)


def check_target(out: str | os.PathLike[str], overwrite: bool = False) -> str:
    """The ending of a file of readings; UserError if it cannot be written."""
    ending = os.path.splitext(out)[1]
    if ending not in ENDINGS:
        raise UserError(f"{os.fspath(out)}: readings are written to a name in {', '.join(ENDINGS)}")
    viz.check_file(out, overwrite)
    if ending in _TABLES:
        viz.check_file(viz.record_file(out), overwrite)
    return ending


def read_attributes(
    reader: str | os.PathLike[str] | Reader,
    source: NetworkSource | Name | Sequence[Name] | np.ndarray,
    *,
    seeds: str | Sequence[int] | None = None,
    psi: float | None = None,
    label: int | None = None,
    network_key: str = "G_ema",
    align: str = "center",
    batch: int = 64,
    report: Reporter = QUIET,
) -> AttributeReadings:
    """Reads attributes of pictures, or of what a network draws.

    Args:
      reader: READER.safetensors, zoo:NAME, or a loaded one.
      source: pictures: names of files, folders and zips, or an array uint8 [N, H, W, C]; with
        `seeds` a network: a name, or a loaded one.
      seeds: what the network draws: a list, or text such as "0-15".
      psi, label, network_key: of what the network draws, as of `generate`.
      align: "center" cuts out the middle square of pictures, "none" refuses others.
      batch: pictures at a time.
      report: hears of every picture that is drawn, and of pictures that are left out.

    Raises:
      UserError: if reader, network or pictures cannot be read.
    """
    named = os.fspath(reader) if not isinstance(reader, Reader) else "a reader in memory"
    known = reader if isinstance(reader, Reader) else load(reader)
    facts: dict[str, Any] = {"reader": named}
    numbers = None
    if seeds is not None:
        if not isinstance(source, Name | Network):
            raise UserError("seeds are drawn by one network; leave them out for pictures")
        drawing = generate(
            source, seeds, psi=psi, label=label, network_key=network_key, batch=min(batch, 16)
        )
        images, names = drawing.images(report), drawing.latents.names
        facts |= {"network": drawing.network_name, "psi": drawing.latents.psi}
        numbers = _seeds_of(drawing)
    else:
        found = _pictures(source, known.config.resolution, align)
        for file, why in found.skipped.items():
            report.warn(f"{file} was left out: {why}")
        names = tuple(target.name for target in found.targets)
        images = found.images().astype(np.float32) / np.float32(127.5) - 1
    scores = known.judge(batch)(images)
    readings = known(images, batch)
    return AttributeReadings(
        names, numbers, known.heads, readings, scores, viz.to_uint8(images), facts
    )


def _seeds_of(drawing: Drawing) -> np.ndarray:
    return drawing.latents.numbers.astype(np.int64)


def _pictures(source: Any, resolution: int, align: str) -> targets.Targets:
    if isinstance(source, np.ndarray):
        return targets.from_array(source, resolution, 3, align)
    if not isinstance(source, Name) and not isinstance(source, list | tuple):
        raise UserError("a network draws pictures of seeds; give seeds such as 0-15")
    return targets.read(names_of(source), resolution, 3, align)


def _hex(colour: np.ndarray) -> str:
    return "#" + "".join(f"{round(float(value) * 255):02x}" for value in colour)
