"""What a child's pictures were said to show: tables, files and a page."""

import csv
import io
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from aligned_jax import provenance, viz
from aligned_jax.errors import UserError
from aligned_jax.jobs.zero_shot import galleries
from aligned_jax.jobs.zero_shot.pictures import Pictures
from aligned_jax.provenance import Command
from aligned_jax.utils.text import printable
from aligned_jax.viz import report
from aligned_jax.viz.sheet import Sheet, write_page
from aligned_jax.zero_shot import (
    NEGATIVE,
    NEUTRAL,
    POSITIVE,
    Figures,
    Threshold,
    judged_by,
    verdict,
)

_WORDS = {POSITIVE: "yes", NEGATIVE: "no", NEUTRAL: "neutral"}
_COLUMNS = {
    "classify": ("balanced accuracy", "accuracy", "AUC", "decided"),
    "regress": ("sign", "Spearman", "R2", "MAE"),
}
_FORMS = (".html", ".png", ".json", ".csv")


@dataclass(frozen=True, eq=False)
class ZeroShotReading:
    """One attribute of all pictures, by one way.

    Attributes:
      name: of the attribute.
      way: by which it was read.
      network: "child" or "control".
      values: float32 [N], log-odds or values.
      kinds: labels int64 [N] of `zero_shot.decided`; None for values.
      threshold: of the labels; None for values.
      figures: where the truth is known, how good they are.
      mirror: of what is odd, what became of it in the mirror.
    """

    name: str
    way: str
    network: str
    values: np.ndarray
    kinds: np.ndarray | None
    threshold: Threshold | None
    figures: Figures | None
    mirror: Figures | None


@dataclass(frozen=True, eq=False)
class ZeroShotLabels:
    """Labels, or values, of N pictures.

    Attributes:
      task: "classify" or "regress".
      pictures: that were read.
      readings: of every attribute, by every way, in the child and in a control.
      baselines: by attribute, figures of models that know the child's labels, and of chance.
      worth: by attribute, figures of the parent's model for the parent's own samples.
      odd: attributes whose sign counts.
      both_sides: whether their values are half the difference to the mirrored picture's.
      facts: networks, teacher and settings, in words.
    """

    task: str
    pictures: Pictures
    readings: Sequence[ZeroShotReading]
    baselines: Mapping[str, Mapping[str, Figures]]
    worth: Mapping[str, Figures]
    odd: Sequence[str] = ()
    both_sides: bool = False
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def attributes(self) -> tuple[str, ...]:
        """What was read."""
        return tuple(dict.fromkeys(one.name for one in self.readings))

    def of(self, name: str, network: str = "child") -> list[ZeroShotReading]:
        """The readings of an attribute, a way each."""
        return [one for one in self.readings if (one.name, one.network) == (name, network)]

    def verdicts(self) -> dict[str, str]:
        """Whether each attribute can be had for free, as its best way says; by attribute."""
        found = {}
        for name in self.attributes:
            known = self.baselines.get(name, {})
            by = judged_by(self.task, name in self.odd)
            scored = [one for one in self.of(name) if one.figures is not None]
            if not scored or "chance" not in known:
                continue
            best = max(scored, key=lambda one: (one.figures or {})[by])
            control = [o.figures for o in self.of(name, "control") if o.way == best.way]
            usual = known.get("supervised") or known.get("supervised, cross-validated")
            text = verdict(
                by,
                best.figures or {},
                known["chance"],
                usual,
                control[0] if control else None,
                None if self.both_sides else best.mirror,
            )
            found[name] = f"{text}; by the way {best.way}"
        return found

    def rows(self, name: str) -> list[tuple[str, Figures]]:
        """Figures of an attribute by who reached them, as far as the truth is known."""
        rows = [
            (f"zero-shot, {one.way}" + ("" if one.network == "child" else ", control"), figures)
            for one in [*self.of(name), *self.of(name, "control")]
            if (figures := one.figures) is not None
        ]
        return rows + list(self.baselines.get(name, {}).items())

    def text(self) -> str:
        """The figures as a table for people."""
        columns, lines = _COLUMNS[self.task], []
        for name in self.attributes:
            rows = self.rows(name)
            if not rows:
                lines.append(f"{name}: the truth is not known")
                continue
            width = max(len(who) for who, _ in rows)
            lines.append(f"{name} ({int(rows[0][1]['n'])} pictures)")
            for who, found in rows:
                cells = "  ".join(f"{column} {shown(found[column])}" for column in columns)
                lines.append(f"  {who:<{width}}  {cells}")
            lines += [f"  {text}" for text in [self.verdicts().get(name)] if text]
        return "\n".join(lines)

    def document(self, command: Command = Command()) -> dict[str, Any]:  # noqa: B008
        """Everything but the pictures, JSON-able."""
        return _finite(
            {
                "task": self.task,
                "facts": dict(self.facts),
                "verdicts": self.verdicts(),
                "baselines": {key: dict(value) for key, value in self.baselines.items()},
                "parent": {key: dict(value) for key, value in self.worth.items()},
                "readings": [
                    {
                        "attribute": one.name,
                        "way": one.way,
                        "network": one.network,
                        "figures": one.figures,
                        "mirror": one.mirror,
                        "threshold": asdict(one.threshold) if one.threshold else None,
                    }
                    for one in self.readings
                ],
                "pictures": self._table(),
                **provenance.record(command),
            }
        )

    def write(
        self,
        out: str | os.PathLike[str],
        command: Command = Command(),  # noqa: B008  # it cannot change
        overwrite: bool = False,
    ) -> None:
        """Writes a page to NAME.html, all numbers to NAME.json, or labels to NAME.csv.

        A CSV has the columns file,name,value, way and label, of the child alone, and NAME.csv.json
        says how it was made. NAME.png is the
        pictures in their order by the first way, beside which the numbers are written to NAME.json.

        Raises:
          UserError: for another name, or if the file exists or the disk refuses.
        """
        form = check_results_file(out, overwrite)
        if form == ".html":
            title = f"{'Labels' if self.task == 'classify' else 'Values'} that nobody gave"
            facts = {**command.arguments, **self.facts}
            write_page(out, title, command, facts, self._sections(), overwrite)
            return
        if form == ".png":
            numbers = numbers_beside(out)
            self.sheet().write(out, command, overwrite)
            self.write(numbers, command, overwrite)
            return
        if form == ".json":
            text = json.dumps(self.document(command), indent=1) + "\n"
        else:
            lines = io.StringIO()
            table = csv.DictWriter(lines, list(self._table()[0]), lineterminator="\n")
            table.writeheader()
            table.writerows(self._table())
            text = lines.getvalue()
            viz.write_record(out, command, dict(self.facts), overwrite)
        with viz.writing(out, overwrite) as file:
            file.write(text.encode())

    def sheet(self) -> Sheet:
        """The pictures in the order of what was read, by the first way of each attribute."""
        first = {name: self.of(name)[0] for name in self.attributes}
        values = {name: one.values for name, one in first.items()}
        if self.task == "regress":
            return galleries.binned_sheet(self.pictures, values)
        middles = {name: _middle(one) for name, one in first.items()}
        return galleries.ranked_sheet(self.pictures, values, middles)

    def _table(self) -> list[dict[str, Any]]:
        return [
            {
                "file": printable(file),
                "name": one.name,
                "value": float(f"{one.values[row]:.6g}"),
                "way": one.way,
                "label": _WORDS[int(one.kinds[row])] if one.kinds is not None else "",
            }
            for one in self.readings
            if one.network == "child"
            for row, file in enumerate(self.pictures.names)
        ]

    def _sections(self) -> list[str]:
        parts = [_claim(self)]
        for name in self.attributes:
            inside = [report.paragraph(self.verdicts().get(name, "The truth is not known."))]
            rows, columns = self.rows(name), _COLUMNS[self.task]
            if rows:
                cells = [(who, *(shown(found[c]) for c in columns)) for who, found in rows]
                inside.append(report.table(("", *columns), cells))
            for one in self.of(name):
                inside.append(report.paragraph(f"By the way {one.way}.{_mirror_text(one)}"))
                inside.append(_gallery(self.pictures, one))
            if self.worth.get(name):
                inside.append(report.paragraph(_worth_text(self.worth[name])))
            parts.append(report.section(name, *inside))
        return parts


def shown(figure: float) -> str:
    """A figure as tables tell it; a dash for one that says nothing."""
    return f"{figure:.3f}" if np.isfinite(figure) else "-"


def check_results_file(out: str | os.PathLike[str], overwrite: bool = False) -> str:
    """The ending of the name; raises UserError if it cannot be written."""
    form = os.path.splitext(out)[1]
    if form not in _FORMS:
        raise UserError(
            f"{os.fspath(out)}: results are written to NAME.html, NAME.png, NAME.json or NAME.csv"
        )
    viz.check_file(out, overwrite)
    if form == ".png":
        viz.check_file(numbers_beside(out), overwrite)
    elif form == ".csv":
        viz.check_file(viz.record_file(out), overwrite)
    return form


def numbers_beside(out: str | os.PathLike[str]) -> str:
    """The file of numbers that is written beside a picture."""
    return os.path.splitext(out)[0] + ".json"


def _claim(found: ZeroShotLabels) -> str:
    verdicts = found.verdicts()
    if not verdicts:
        return report.paragraph("Nothing is known of these pictures, so that nothing is checked.")
    failed = [name for name, text in verdicts.items() if text.startswith("fails")]
    partly = [name for name, text in verdicts.items() if text.startswith("holds in part")]
    held = [name for name in verdicts if name not in (*failed, *partly)]
    said = [
        f"{what}: {', '.join(names)}."
        for what, names in (
            ("What the parent knows holds in the child for", held),
            ("It holds in part for", partly),
            ("The claim fails here for", failed),
        )
        if names
    ]
    return report.paragraph(" ".join(said))


def _mirror_text(one: ZeroShotReading) -> str:
    if one.mirror is None:
        return ""
    return (
        f" In {int(one.mirror['n'])} mirrored pictures {one.mirror['sign changes']:.0%} of the "
        f"signs change (correlation {one.mirror['correlation']:.2f}, bias "
        f"{one.mirror['bias']:+.2f} deviations)."
    )


def _worth_text(worth: Figures) -> str:
    figures = ", ".join(f"{name} {value:.3f}" for name, value in worth.items() if name != "n")
    return f"The parent's model for the parent's own samples, {int(worth['n'])} unseen: {figures}."


def _gallery(pictures: Pictures, one: ZeroShotReading) -> str:
    if one.kinds is None:
        return galleries.bins_html(pictures, one.values)
    return galleries.ranks_html(pictures, one.values, _middle(one))


def _middle(one: ZeroShotReading) -> float:
    return one.threshold.middle if one.threshold else 0.0


def _finite(value: Any) -> Any:
    """The same with None in place of numbers that JSON does not know."""
    if isinstance(value, Mapping):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not np.isfinite(value) else value
