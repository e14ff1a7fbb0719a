"""Numbers over a common axis as an SVG line chart."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike

from aligned_jax.utils.text import markup

_WIDTH, _HEIGHT = 640, 240
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 132, 34, 40
_TICKS = 4
_SPARK, _SPARKS = (160, 48), 80  # size of a small line, and its points
# Told apart also by readers who see few colours; readable on white and black ground.
_COLOURS = ("#0969da", "#d1570a", "#1a7f37", "#8250df", "#bf3989", "#6e7781")
_STYLE = """
.curves { font: 13px system-ui, sans-serif; }
.curves text { fill: #6e7781; }
.curves .grid { stroke: #8884; }
.curves polyline { fill: none; stroke-width: 2; stroke-linejoin: round; }
"""


def curves(
    series: Mapping[str, tuple[Sequence[float], Sequence[float]]], title: str, axis: str
) -> str:
    """SVG of one line for each series, named at its right end.

    Args:
      series: by name, positions and values; pairs that are not finite are left out.
      title: one line above.
      axis: what the positions count.

    Returns:
      SVG source that reads well on light and dark ground.
    """
    points = {name: _finite(*pair) for name, pair in series.items()}
    points = {name: pair for name, pair in points.items() if len(pair)}
    both = np.concatenate([*points.values(), np.zeros((0, 2))])
    low, high = (both.min(axis=0), both.max(axis=0)) if len(both) else (np.zeros(2), np.ones(2))
    span = np.where(high > low, high - low, 1.0)
    frame = np.array([_WIDTH - _LEFT - _RIGHT, _HEIGHT - _TOP - _BOTTOM])

    def place(pair: np.ndarray) -> np.ndarray:
        share = (pair - low) / span
        return np.array([_LEFT, _HEIGHT - _BOTTOM]) + share * frame * np.array([1, -1])

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="curves" viewBox="0 0 {_WIDTH} {_HEIGHT}" '
        f'width="{_WIDTH}" height="{_HEIGHT}" role="img">',
        f"<title>{markup(title)}</title><style>{_STYLE}</style>",
        f'<text x="{_LEFT}" y="16">{markup(title)}</text>',
    ]
    for share in np.linspace(0, 1, _TICKS + 1):
        x, y = place(low + share * span)
        at, value = low + share * span
        parts += [
            f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>',
            f'<text x="{_LEFT - 8}" y="{y:.1f}" dy=".35em" text-anchor="end">{value:.3g}</text>',
            f'<text x="{x:.1f}" y="{_HEIGHT - 20}" text-anchor="middle">{at:.3g}</text>',
        ]
    middle = (_LEFT + _WIDTH - _RIGHT) / 2
    parts.append(f'<text x="{middle}" y="{_HEIGHT - 4}" text-anchor="middle">{markup(axis)}</text>')
    ends = _apart({name: place(pair)[-1, 1] for name, pair in points.items()})
    for k, (name, pair) in enumerate(points.items()):
        colour = _COLOURS[k % len(_COLOURS)]
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y in place(pair))
        parts += [
            f'<polyline points="{line}" stroke="{colour}"/>',
            f'<text x="{_WIDTH - _RIGHT + 8}" y="{ends[name]:.1f}" dy=".35em" '
            f'style="fill:{colour}">{markup(name)}</text>',
        ]
    return "\n".join([*parts, "</svg>\n"])


def spark(values: Sequence[float] | np.ndarray, title: str) -> str:
    """SVG of one small line without axes, from left to right; what is not finite is left out.

    Args:
      values: at equal steps; those of many are thinned out.
      title: what the line says, for readers who do not see it and on hovering.
    """
    places = np.unique(np.linspace(0, max(0, len(values) - 1), _SPARKS).astype(int))
    pairs = _finite(places, np.asarray(values, float)[places] if len(values) else np.zeros(1))
    low, high = (pairs.min(axis=0), pairs.max(axis=0)) if len(pairs) else (np.zeros(2), np.ones(2))
    share = (pairs - low) / np.where(high > low, high - low, 1.0)
    corner, size = np.array([2, _SPARK[1] - 2]), np.array(_SPARK) - 4
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in corner + share * size * np.array([1, -1]))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_SPARK[0]} {_SPARK[1]}" '
        f'width="{_SPARK[0]}" height="{_SPARK[1]}" role="img"><title>{markup(title)}</title>'
        f'<polyline points="{line}" fill="none" stroke="{_COLOURS[0]}" stroke-width="1.5"/></svg>'
    )


def _finite(positions: ArrayLike, values: ArrayLike) -> np.ndarray:
    pairs = np.stack([np.asarray(positions, float), np.asarray(values, float)], axis=1)
    return pairs[np.isfinite(pairs).all(axis=1)]


def _apart(heights: Mapping[str, float], gap: float = 16.0) -> dict[str, float]:
    """Moves names down so that none covers another."""
    placed: dict[str, float] = {}
    lowest = -np.inf
    for name, y in sorted(heights.items(), key=lambda item: item[1]):
        lowest = max(y, lowest + gap)
        placed[name] = lowest
    return placed
