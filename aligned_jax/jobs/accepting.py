"""Seeds whose pictures fulfil conditions, as a judge sees them: "glasses>0.8,yaw=-0.5..0.5"."""

import dataclasses
import math
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from aligned_jax.errors import UserError
from aligned_jax.features.attributes.file import reader_file
from aligned_jax.jobs.drawings import Drawing
from aligned_jax.jobs.judges import (
    NamedJudge,
    SeedScores,
    check_scores,
    load_judge,
    scores_of,
)
from aligned_jax.utils import checksums
from aligned_jax.utils.reporting import QUIET, Reporter
from aligned_jax.utils.text import counted, listed

COUNT, TRIES = 16, 5000
_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_CONDITION = re.compile(
    rf"(?P<name>.+?)\s*(?:(?P<sign>>=|<=|>|<)\s*(?P<bound>{_NUMBER})"
    rf"|=\s*(?P<low>{_NUMBER})\s*\.\.\s*(?P<high>{_NUMBER}))?"
)


@dataclass(frozen=True)
class AcceptedRange:
    """What one score must be: between two bounds, themselves included.

    Attributes:
      name: of the score, such as "glasses", "hair=long" or "yaw".
      low, high: bounds; of log-odds as probabilities.
      text: as it was given.
    """

    name: str
    low: float
    high: float
    text: str


def parse_where(text: str) -> tuple[AcceptedRange, ...]:
    """The conditions of a text, joined by commas.

    Each is NAME>0.8, NAME<0.2, NAME=LOW..HIGH, or NAME alone, which is more likely than not. Of
    what is there or not, and of categories such as "hair=long", the number is a probability.

    Raises:
      UserError: naming everything that is no condition.
    """
    found, wrong = [], []
    for part in text.split(","):
        match = _CONDITION.fullmatch(part.strip())
        one = match and _range(match, part.strip())
        if one:
            found.append(one)
        else:
            wrong.append(repr(part.strip()))
    if wrong:
        raise UserError(
            f"{listed(wrong)}: a condition is NAME>0.8, NAME<0.2, NAME=-0.5..0.5 or NAME alone, "
            "joined by commas"
        )
    return tuple(found)


def _range(match: re.Match[str], text: str) -> AcceptedRange | None:
    name = match["name"].strip()
    if not name or re.search("[<>]", name) or ".." in name:
        return None
    if match["low"] is not None:
        low, high = float(match["low"]), float(match["high"])
        return AcceptedRange(name, low, high, text) if low <= high else None
    if match["sign"] is None:
        return AcceptedRange(name, 0.5, math.inf, text)
    bound = float(match["bound"])
    if match["sign"].startswith(">"):
        return AcceptedRange(name, bound, math.inf, text)
    return AcceptedRange(name, -math.inf, bound, text)


def seeds_to_try(
    judge: NamedJudge | SeedScores, seeds: str | Sequence[int] | None = None, tries: int = TRIES
) -> str | list[int]:
    """Seeds that may be tried: those given, else those that are scored, else 0, 1, 2, ...

    Args:
      judge: that will be asked.
      seeds: a list, or text such as "0-999".
      tries: seeds at most, where none are given.
    """
    if seeds is not None:
        return seeds if isinstance(seeds, str) else list(seeds)
    if isinstance(judge, SeedScores):
        return [int(seed) for seed in judge.seeds[:tries]]
    return f"0-{tries - 1}"


def accepted(
    drawing: Drawing,
    judge: str | os.PathLike[str] | NamedJudge | SeedScores,
    where: str | Sequence[AcceptedRange],
    count: int | None = COUNT,
    report: Reporter = QUIET,
) -> Drawing:
    """The pictures of a drawing that fulfil all conditions, in order.

    Args:
      drawing: of the seeds that may be tried, in this order; `generate` makes one.
      judge: a name as of `load_judge`, or a judge. Scores by seed need no picture drawn.
      where: conditions; see `parse_where`.
      count: pictures wanted, after which no more are tried; None tries all.
      report: hears of every seed that is tried.

    Returns:
      the drawing of the accepted ones, whose facts record under "where" conditions, judge, and
      how many seeds were tried and accepted.

    Raises:
      UserError: for conditions that cannot be, or on scores that the judge does not know, with
        those it does; or if fewer pictures fulfil them than are wanted (none, without `count`).
    """
    ranges = parse_where(where) if isinstance(where, str) else tuple(where)
    known = judge if isinstance(judge, NamedJudge | SeedScores) else load_judge(judge)
    check_scores(known, [one.name for one in ranges])
    _check_bounds(known, ranges)
    if count is not None and count < 1:
        raise UserError(f"{count} pictures were wanted; at least 1 can be")
    if isinstance(known, SeedScores):
        rows, tried = _by_seed(drawing, known, ranges, count)
    else:
        rows, tried = _by_picture(drawing, known, ranges, count, report)
    conditions = ",".join(one.text for one in ranges)
    if len(rows) < (count or 1):
        raise UserError(
            f"of {counted(tried, 'seed')} {len(rows)} fulfil {conditions}, and "
            f"{count or 1} are wanted; try more seeds, or milder conditions"
        )
    facts = {
        "conditions": conditions,
        "judge": known.name,
        "judge_sha256": _sha256(known.name),
        "tried": tried,
        "accepted": len(rows),
    }
    return dataclasses.replace(drawing.take(rows), facts={**drawing.facts, "where": facts})


def _by_picture(
    drawing: Drawing,
    judge: NamedJudge,
    ranges: Sequence[AcceptedRange],
    count: int | None,
    report: Reporter,
) -> tuple[list[int], int]:
    """Rows that are accepted, and how many were tried."""
    rows: list[int] = []
    tried = 0
    names = [one.name for one in ranges]
    with report.progress(len(drawing), "seeds") as advance:
        for batch in drawing.batches():
            images = np.clip(batch.images, -1, 1).astype(np.float32)
            fine = _fulfilled(scores_of(judge, images, names), judge.odds, ranges)
            for passes in fine:
                if passes:
                    rows.append(tried)
                tried += 1
                if count is not None and len(rows) == count:
                    return rows, tried
            advance(len(images), f"{len(rows)} accepted")
    return rows, tried


def _by_seed(
    drawing: Drawing, scores: SeedScores, ranges: Sequence[AcceptedRange], count: int | None
) -> tuple[list[int], int]:
    fine = _fulfilled(scores.of(drawing.latents.numbers), frozenset(), ranges)
    rows = [int(row) for row in np.flatnonzero(fine)]
    if count is None or len(rows) < count:
        return rows, len(drawing)
    return rows[:count], rows[count - 1] + 1


def _fulfilled(
    scores: Mapping[str, np.ndarray], odds: frozenset[str], ranges: Sequence[AcceptedRange]
) -> np.ndarray:
    """Which pictures fulfil all conditions, bool [N]."""
    fine = []
    for one in ranges:
        value = scores[one.name].astype(np.float64)
        value = 1 / (1 + np.exp(-value)) if one.name in odds else value
        fine.append((value >= one.low) & (value <= one.high))
    return np.all(fine, axis=0)


def _check_bounds(judge: NamedJudge | SeedScores, ranges: Sequence[AcceptedRange]) -> None:
    """Raises UserError naming probabilities that cannot be, and names without a bound."""
    odds = judge.odds if isinstance(judge, NamedJudge) else frozenset()
    wrong = []
    for one in ranges:
        bare = one.text == one.name
        if one.name in odds and not any(0 <= bound <= 1 for bound in (one.low, one.high)):
            wrong.append(f"{one.text} (a probability is between 0 and 1)")
        elif bare and one.name not in odds:
            wrong.append(f"{one.text} (say above, below or between what)")
    if wrong:
        raise UserError(f"conditions that cannot be judged: {listed(wrong)}")


def _sha256(name: str) -> str | None:
    """That of a judge's file; None if it has none."""
    path = reader_file(name)
    return checksums.of_file(path) if os.path.isfile(path) else None
