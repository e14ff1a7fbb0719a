"""A static HTML page in one file: sections of text, tables and pictures."""

import base64
import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

import numpy as np

from aligned_jax.utils.text import markup
from aligned_jax.viz.grid import png_bytes, reduced

# Pixels in a row: images that have no more are enlarged into squares, and those that have
# more averaged down.
_FEW, _MOST = 256, 512
_STYLE = """
:root { color-scheme: light dark; --ink: #24292f; --soft: #57606a; --line: #d0d7de;
  --ground: #ffffff; --panel: #f6f8fa; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --soft: #9198a1; --line: #3d444d;
  --ground: #0d1117; --panel: #151b23; } }
body { font: 16px/1.55 system-ui, sans-serif; color: var(--ink); background: var(--ground);
  max-width: 72rem; margin: 2.5rem auto; padding: 0 1.5rem; }
h1 { font-size: 1.75rem; line-height: 1.25; margin: 0 0 .5rem; }
h2 { font-size: 1.2rem; margin: 2.75rem 0 .5rem; }
h1, h2, p, figcaption { overflow-wrap: anywhere; }
p { max-width: 46rem; }
p, figcaption, footer { color: var(--soft); }
figure { margin: 1rem 0; }
.scroll { overflow-x: auto; }
img, svg { max-width: 100%; height: auto; display: block; }
img { border: 1px solid var(--line); border-radius: 6px; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .9rem; }
th, td { padding: .35rem .9rem .35rem 0; text-align: left; border-bottom: 1px solid var(--line);
  vertical-align: top; }
th { font-weight: 600; color: var(--soft); white-space: nowrap; }
td.number, th.number { text-align: right; }
code, pre { font: .85rem/1.5 ui-monospace, monospace; }
pre { background: var(--panel); padding: .75rem 1rem; border-radius: 6px;
  white-space: pre-wrap; overflow-wrap: anywhere; }
figcaption { margin-top: .4rem; }
summary { cursor: pointer; color: var(--soft); }
.enlarge summary { list-style: none; cursor: zoom-in; width: fit-content; max-width: 100%; }
.enlarge summary::-webkit-details-marker { display: none; }
.enlarge[open] summary { position: fixed; inset: 0; z-index: 1; box-sizing: border-box;
  width: 100%; padding: 1rem; background: var(--ground); cursor: zoom-out; }
.enlarge[open] img { width: 100%; height: 100%; object-fit: contain; border: 0; }
.small img { width: 7rem; max-width: none; }
.pixels img { image-rendering: pixelated; }
.gallery { display: flex; flex-wrap: wrap; gap: 1rem; }
.gallery figure { margin: 0; width: 7rem; overflow-wrap: anywhere; font-size: .85rem; }
.sheet th, .sheet td { padding-right: .5rem; vertical-align: middle; border: 0; }
.sheet th { white-space: normal; min-width: 4rem; }
.sheet thead th { max-width: 7rem; vertical-align: bottom; }
.sheet .apart { padding-left: 1.5rem; }
footer { margin: 3rem 0 1rem; padding-top: 1rem; border-top: 1px solid var(--line);
  font-size: .85rem; }
"""


def page(title: str, sections: Sequence[str], footer: str = "") -> str:
    """A whole document; `sections` are HTML from the functions below."""
    foot = f"<footer>{markup(footer)}</footer>" if footer else ""
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{markup(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        f"<h1>{markup(title)}</h1>\n" + "\n".join(sections) + f"\n{foot}\n</body>\n</html>\n"
    )


def record(document: Mapping[str, Any]) -> str:
    """A JSON document that programs find in a page, in its element `aligned_jax`; not shown."""
    text = json.dumps(document).replace("<", "\\u003c")  # which no tag can begin with
    return f'<script type="application/json" id="aligned_jax">{text}</script>'


def section(heading: str, *parts: str) -> str:
    """HTML of several parts under a heading."""
    return f"<section>\n<h2>{markup(heading)}</h2>\n" + "\n".join(parts) + "\n</section>"


def paragraph(text: str) -> str:
    """HTML of a paragraph of plain text, which is escaped."""
    return f"<p>{markup(text)}</p>"


def link(text: str, place: str) -> str:
    """A line that leads to another file, whose place is relative to the page."""
    return f'<p><a href="{markup(quote(place))}">{markup(text)}</a></p>'


def command(text: str) -> str:
    """A command line, as it would be typed."""
    return f"<pre>{markup(text)}</pre>"


def table(headings: Sequence[str], rows: Sequence[Sequence[str | int | float]]) -> str:
    """A table; columns that hold numbers in every row are aligned to the right.

    Strings that should count as numbers, such as "12 %", start with a digit.
    """
    numeric = [all(_is_number(row[k]) for row in rows) for k in range(len(headings))]

    def line(tag: str, cells: Sequence[str | int | float]) -> str:
        kinds = (" class='number'" if right else "" for right in numeric)
        marked = (
            f"<{tag}{kind}>{markup(_shown(cell))}</{tag}>"
            for cell, kind in zip(cells, kinds, strict=True)
        )
        return f"<tr>{''.join(marked)}</tr>"

    body = "\n".join(line("td", row) for row in rows)
    return (
        f'<div class="scroll"><table>\n<thead>{line("th", headings)}</thead>\n'
        f"<tbody>\n{body}\n</tbody>\n</table></div>"
    )


def origin(text: str, settings: Mapping[str, Any]) -> str:
    """What made a page: the line that was typed and, folded, all settings."""
    rows = table(("setting", "value"), [(key, str(value)) for key, value in settings.items()])
    return f"{command(text)}\n<details><summary>Settings</summary>{rows}</details>"


def picture(image: bytes, caption: str) -> str:
    """A PNG or WebP, embedded; a click enlarges it."""
    return f"<figure>{_embedded(image, caption)}<figcaption>{markup(caption)}</figcaption></figure>"


def thumbnail(image: np.ndarray, name: str) -> str:
    """An image uint8 [H, W, C], embedded as PNG and shown small; a click enlarges it.

    Larger images than 512 pixels are averaged down, so that pages stay small.
    """
    return _embedded(for_pages(image), name, " small pixels" if few_pixels(image) else " small")


def for_pages(image: np.ndarray) -> bytes:
    """PNG of an image uint8 [H, W, C], of which large ones are averaged down to 512 pixels."""
    return png_bytes(reduced(image, _MOST))


def few_pixels(image: np.ndarray) -> bool:
    """Whether an image [H, W, C] is better enlarged into squares than smoothed."""
    return len(image) <= _FEW


def data_uri(image: bytes) -> str:
    """The address of a PNG or WebP that is part of its page."""
    kind = "webp" if image.startswith(b"RIFF") else "png"
    return f"data:image/{kind};base64,{base64.b64encode(image).decode('ascii')}"


def gallery(images: Sequence[tuple[str, np.ndarray]]) -> str:
    """HTML of thumbnails with their names below."""
    parts = (
        f"<figure>{thumbnail(image, name)}<figcaption>{markup(name)}</figcaption></figure>"
        for name, image in images
    )
    return f'<div class="gallery">{"".join(parts)}</div>'


def sheet(
    columns: Sequence[str], rows: Sequence[str], cells: Sequence[Sequence[str]], group: int = 0
) -> str:
    """A table of HTML, such as thumbnails, with a heading for each row and column.

    So many columns as `group` says belong together; a wider gap follows each such group.
    """
    apart = [
        ' class="apart"' if group and k and k % group == 0 else "" for k in range(len(columns))
    ]
    head = "".join(
        f'<th scope="col"{kind}>{markup(name)}</th>'
        for name, kind in zip(columns, apart, strict=True)
    )
    lines = [
        "".join(f"<td{kind}>{cell}</td>" for cell, kind in zip(line, apart, strict=True))
        for line in cells
    ]
    body = "\n".join(
        f'<tr><th scope="row">{markup(name)}</th>{line}</tr>'
        for name, line in zip(rows, lines, strict=True)
    )
    return (
        f'<div class="scroll"><table class="sheet">\n<thead><tr><td></td>{head}</tr></thead>\n'
        f"<tbody>\n{body}\n</tbody>\n</table></div>"
    )


def pictures(
    columns: Sequence[str], rows: Sequence[str], images: np.ndarray, group: int = 0
) -> str:
    """A sheet of thumbnails: images uint8 [R, K, H, W, C]; a corner without names is empty."""
    cells = [
        [
            thumbnail(image, f"{row}, {column}".strip(", ")) if row or column else ""
            for column, image in zip(columns, line, strict=True)
        ]
        for row, line in zip(rows, images, strict=True)
    ]
    return sheet(columns, rows, cells, group)


def drawing(svg: str, caption: str) -> str:
    """SVG source of our own making, embedded as it is."""
    text = f"<figcaption>{markup(caption)}</figcaption>"
    return f'<figure><div class="scroll">{svg}</div>{text}</figure>'


def _embedded(image: bytes, name: str, style: str = "") -> str:
    """An image that fills the window while its details are open: by click, Enter or space."""
    shown = f'<img alt="{markup(name)}" src="{data_uri(image)}">'
    hint = '<summary title="enlarge, or make small again">'
    return f'<details class="enlarge{style}">{hint}{shown}</summary></details>'


def _is_number(cell: str | int | float) -> bool:
    return not isinstance(cell, str) or cell[:1].isdigit()


def _shown(cell: str | int | float) -> str:
    if isinstance(cell, str):
        return cell
    return f"{cell:,}" if isinstance(cell, int) else f"{cell:.4g}"
