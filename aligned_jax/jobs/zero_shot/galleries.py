"""Pictures in the order of what was read of them: ranks of labels, bins of values.

StyleAlign, figures 7 and 29.
"""

import itertools
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from aligned_jax.jobs.zero_shot.pictures import Pictures
from aligned_jax.viz import report
from aligned_jax.viz.sheet import Sheet

_SHOWN, _BINS, _IN_BIN = 8, 7, 4
_WHITE = 255


def ranks(values: np.ndarray, middle: float = 0.0) -> dict[str, np.ndarray]:
    """The most positive, the least decided and the most negative pictures, by name of the row.

    Args:
      values: [N].
      middle: where neither label is more likely than the other.

    Returns:
      numbers of pictures by falling value, at most 8 a row.
    """
    order = np.argsort(-values, kind="stable")
    near = np.argsort(np.abs(values - middle), kind="stable")[:_SHOWN]
    return {
        "positive": order[:_SHOWN],
        "neutral": near[np.argsort(-values[near], kind="stable")],
        "negative": order[-_SHOWN:],
    }


def bins(values: np.ndarray) -> list[tuple[str, np.ndarray]]:
    """Pictures drawn at random from bins of equal width.

    Args:
      values: [N]; the lowest and the highest fiftieth count to the outer bins.

    Returns:
      seven bins from low to high: where it begins and ends, in words, and the numbers of at most
      4 pictures.
    """
    low, high = np.quantile(values, (0.02, 0.98))
    edges = np.linspace(low, high, _BINS + 1)
    places = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, _BINS - 1)
    random = np.random.default_rng(0)
    chosen = [random.permutation(np.flatnonzero(places == k))[:_IN_BIN] for k in range(_BINS)]
    ends = itertools.pairwise(edges)
    return [(f"{a:.2g} to {b:.2g}", rows) for (a, b), rows in zip(ends, chosen, strict=True)]


def ranks_html(pictures: Pictures, values: np.ndarray, middle: float) -> str:
    """A row each of positive, neutral and negative pictures."""
    chosen = ranks(values, middle)
    cells = [[_captioned(pictures, row, values[row]) for row in rows] for rows in chosen.values()]
    return report.sheet([""] * min(_SHOWN, len(values)), list(chosen), cells)


def bins_html(pictures: Pictures, values: np.ndarray) -> str:
    """A column for each bin."""
    chosen = bins(values)
    cells = [
        [
            _captioned(pictures, int(rows[line]), values[rows[line]]) if line < len(rows) else ""
            for _, rows in chosen
        ]
        for line in range(_IN_BIN)
    ]
    return report.sheet([head for head, _ in chosen], [""] * _IN_BIN, cells)


def ranked_sheet(
    pictures: Pictures, values: Mapping[str, np.ndarray], middles: Mapping[str, float]
) -> Sheet:
    """Three rows for each attribute: positive, neutral, negative."""
    rows = [
        (f"{name}: {kind}", numbers)
        for name, scores in values.items()
        for kind, numbers in ranks(scores, middles[name]).items()
    ]
    return _sheet(pictures, rows, [""] * min(_SHOWN, len(pictures)))


def binned_sheet(pictures: Pictures, values: Mapping[str, np.ndarray]) -> Sheet:
    """Four rows for each attribute, whose values rise from left to right."""
    rows = []
    for name, scores in values.items():
        chosen = bins(scores)
        for line in range(_IN_BIN):
            numbers = [int(part[line]) if line < len(part) else -1 for _, part in chosen]
            rows.append(("" if line else name, numbers))
    return _sheet(pictures, rows, ["lowest", *[""] * (_BINS - 2), "highest"])


def _sheet(
    pictures: Pictures, rows: Sequence[tuple[str, Iterable[int]]], columns: Sequence[str]
) -> Sheet:
    """Pictures by number in labelled rows; -1 is white, as is what is missing at the end."""
    blank = np.full_like(pictures.images[0], _WHITE)
    lines = []
    for _, numbers in rows:
        line = [pictures.images[k] if k >= 0 else blank for k in numbers]
        lines.append(np.stack(line + [blank] * (len(columns) - len(line))))
    return Sheet(np.stack(lines), tuple(label for label, _ in rows), tuple(columns))


def _captioned(pictures: Pictures, row: int, value: float) -> str:
    return report.thumbnail(pictures.images[row], f"{pictures.names[row]}: {value:.2f}")
