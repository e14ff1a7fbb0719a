"""A table of numbers as an SVG picture: the larger, the darker."""

from collections.abc import Callable, Sequence

import numpy as np

from aligned_jax.utils.text import markup

_CELL = (84, 36)
_LEFT, _TOP, _GAP = 128, 54, 3
# Pale to strong in one hue; the text colour flips where white reads better.
_LOW, _HIGH = (228, 238, 250), (14, 62, 128)
# Labels in a grey that reads on white as on black: viewers differ in their ground.
_STYLE = """
.heat { font: 13px system-ui, sans-serif; }
.heat text { fill: #6e7781; }
.heat .empty { fill: #8881; }
.heat .on-low { fill: #0b2345; }
.heat .on-high { fill: #ffffff; }
"""


def heatmap(
    rows: Sequence[str],
    columns: Sequence[str],
    values: np.ndarray,
    title: str,
    show: Callable[[float], str] = "{:.1%}".format,
) -> str:
    """SVG of a matrix, with every number written into its cell.

    Colours run with the square root of the value, so that small ones can be
    told apart next to large ones.

    Args:
      rows, columns: labels.
      values: float [rows, columns], not negative; nan leaves a cell empty and
        inf is drawn like the largest value.
      title: one line above the columns.
      show: text of a number.

    Returns:
      SVG source that reads well on light and dark ground.
    """
    finite = values[np.isfinite(values)]
    largest = max(finite.max(initial=0.0), 1e-30)
    width = _LEFT + len(columns) * _CELL[0]
    height = _TOP + len(rows) * _CELL[1] + 4
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="heat" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" role="img">',
        f"<title>{markup(title)}</title><style>{_STYLE}</style>",
        f'<text x="{_LEFT}" y="16">{markup(title)}</text>',
    ]
    for k, label in enumerate(columns):
        x = _LEFT + k * _CELL[0] + (_CELL[0] - _GAP) / 2
        parts.append(f'<text x="{x}" y="{_TOP - 9}" text-anchor="middle">{markup(label)}</text>')
    for r, label in enumerate(rows):
        y = _TOP + r * _CELL[1] + (_CELL[1] - _GAP) / 2
        parts.append(
            f'<text x="{_LEFT - 10}" y="{y}" dy=".35em" text-anchor="end">{markup(label)}</text>'
        )
        parts += [
            _cell(_LEFT + k * _CELL[0], _TOP + r * _CELL[1], float(value), largest, show)
            for k, value in enumerate(values[r])
        ]
    return "\n".join([*parts, "</svg>\n"])


def _cell(x: int, y: int, value: float, largest: float, show: Callable[[float], str]) -> str:
    width, height = _CELL[0] - _GAP, _CELL[1] - _GAP
    box = f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="3"'
    if np.isnan(value):
        return f'{box} class="empty"/>'
    share = float(np.sqrt(min(value / largest, 1.0)))
    colour = ",".join(str(round(a + share * (b - a))) for a, b in zip(_LOW, _HIGH, strict=True))
    ink = "on-high" if share > 0.62 else "on-low"
    text = "\N{INFINITY}" if np.isinf(value) else markup(show(value))
    return (
        f'{box} fill="rgb({colour})"/><text class="{ink}" x="{x + width / 2}" '
        f'y="{y + height / 2}" dy=".35em" text-anchor="middle">{text}</text>'
    )
