"""Tables and documents of the studies, and the options that they share."""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from aligned_jax import viz
from aligned_jax.provenance import versions
from benchmarks.measure import environment

Cell = str | int | float


def markdown(headings: Sequence[str], rows: Sequence[Sequence[Cell]]) -> str:
    """A table; what is not text stands to the right, with three digits."""
    right = [all(not isinstance(row[k], str) for row in rows) for k in range(len(headings))]
    lines = [headings, [("---:" if r else "---") for r in right], *rows]
    return "\n".join(f"| {' | '.join(map(shown, line))} |" for line in lines)


def shown(cell: Cell) -> str:
    """A number with three digits; whole numbers and text as they are."""
    return f"{cell:.3g}" if isinstance(cell, float) else str(cell)


def write_document(path: Path, config: dict[str, Any], **parts: Any) -> None:
    """JSON of results, with what they were computed from."""
    whole = {"config": config, **environment(), "versions": versions(), **parts}
    write_text(path, json.dumps(whole, indent=2) + "\n")


def write_text(path: Path, text: str) -> None:
    """A file that is replaced as a whole."""
    with viz.writing(path, overwrite=True) as file:
        file.write(text.encode())


def add_encoders(parser: argparse.ArgumentParser) -> None:
    """Declares --encoder."""
    parser.add_argument(
        "--encoder",
        type=named,
        action="append",
        default=[],
        metavar="NAME=PATH",
        help="an encoder of the network, a row of its own; may be given several times",
    )


def named(text: str) -> tuple[str, str]:
    """("e4e", "runs/e4e@40") of "e4e=runs/e4e@40"."""
    name, separator, path = text.partition("=")
    if not (name and separator and path):
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=PATH")
    return name, path


def add_loss(parser: argparse.ArgumentParser, network: str, pixels: float) -> None:
    """Declares what an inversion makes small."""
    add = parser.add_argument
    add("--perceptual", choices=("vgg", "alex", "none"), default=network, help="network of LPIPS")
    add("--pixels", type=float, default=pixels, help="weight of the squared difference of pixels")


def spaces(text: str) -> list[str]:
    """Type of an argument that lists spaces."""
    found = [part.strip() for part in text.split(",")]
    if wrong := [space for space in found if space not in ("z", "z+", "w", "w+", "s")]:
        raise argparse.ArgumentTypeError(f"no such space: {', '.join(wrong)}")
    return found
