"""What notebooks show: pieces of HTML that need no style sheet, in light and dark.

Text has the colour of the page around it, and pictures shrink on narrow screens.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from aligned_jax.utils.text import markup
from aligned_jax.viz.report import data_uri, few_pixels, for_pages

# Pixels that a picture takes on the page: a small one at most twice its size, but legible.
_NARROWEST, _WIDEST = 112, 256


def facts_html(title: str, facts: Mapping[str, str]) -> str:
    """A title and a table of two columns."""
    rows = "".join(
        f'<tr><th style="text-align:left">{markup(name)}</th>'
        f'<td style="text-align:left">{markup(value)}</td></tr>'
        for name, value in facts.items()
    )
    return f"<div><strong>{markup(title)}</strong><table><tbody>{rows}</tbody></table></div>"


def pictures_html(images: np.ndarray, titles: Sequence[str], columns: int) -> str:
    """Pictures in reading order, each below its title.

    Args:
      images: uint8 [N, H, W, C].
      titles: N, or none.
      columns: pictures in a row.
    """
    names = titles or [""] * len(images)
    cells = [_cell(image, name, name) for image, name in zip(images, names, strict=True)]
    return _grid([f"repeat({columns}, minmax(0, {_width(images)}px))"], cells)


def sheet_html(images: np.ndarray, rows: Sequence[str], columns: Sequence[str]) -> str:
    """Pictures uint8 [R, K, H, W, C] with labels beside rows and above columns."""
    shown = any(rows)
    cells = ["<span></span>"] * shown + [_label(name, "center") for name in columns]
    for row, line in zip(rows or [""] * len(images), images, strict=True):
        cells += [_label(row, "right")] * shown
        cells += [
            _cell(image, ", ".join(filter(None, (row, column))))
            for column, image in zip(columns, line, strict=True)
        ]
    tracks = ["minmax(min-content, max-content)"] * shown
    return _grid([*tracks, f"repeat({len(columns)}, minmax(2.5rem, {_width(images)}px))"], cells)


def _grid(tracks: Sequence[str], cells: Sequence[str]) -> str:
    style = (
        f"display:grid;grid-template-columns:{' '.join(tracks)};gap:4px;"
        "align-items:end;overflow-x:auto;font-size:.85em;line-height:1.2"
    )
    return f'<div style="{style}">{"".join(cells)}</div>'


def _cell(image: np.ndarray, name: str, title: str = "") -> str:
    sharp = "image-rendering:pixelated;" if few_pixels(image) else ""
    style = f"display:block;width:100%;height:auto;margin:0;{sharp}"
    shown = f'<img alt="{markup(name)}" style="{style}" src="{data_uri(for_pages(image))}">'
    return f'<div style="min-width:0">{_label(title, "center") if title else ""}{shown}</div>'


def _label(text: str, side: str) -> str:
    place = "end" if side == "center" else "center"
    style = f"text-align:{side};align-self:{place};overflow-wrap:break-word;opacity:.75"
    return f'<div style="{style}">{markup(text)}</div>'


def _width(images: np.ndarray) -> int:
    return min(max(_NARROWEST, images.shape[-2]), _WIDEST)
