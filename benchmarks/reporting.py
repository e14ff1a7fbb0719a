"""What a result is reported with: the machine, the versions, the command; tables for people."""

import json
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jax

from aligned_jax import viz
from aligned_jax.errors import UserError
from aligned_jax.provenance import versions

Cell = str | int | float


def command(program: str, argv: Sequence[str] | None) -> str:
    """The line that anyone can type to run a program again.

    Args:
      program: the module, such as "benchmarks.train".
      argv: its arguments; None are those of this process.
    """
    return shlex.join(["python", "-m", program, *(sys.argv[1:] if argv is None else argv)])


def device() -> str:
    """The first device, such as "cpu: cpu"."""
    first = jax.local_devices()[0]
    return f"{first.platform}: {first.device_kind}"


def environment(line: str) -> dict[str, str]:
    """Device, versions and command, for every result."""
    return {"device": device(), **versions(), "command": line}


def report(title: str, rows: dict[str, Any]) -> None:
    """A table for people, then one line of JSON for programs."""
    print(title)
    width = max(map(len, rows))
    for name, value in rows.items():
        text = f"{value:,.4g}" if isinstance(value, float) else value
        print(f"  {name:<{width}}  {text}")
    print(json.dumps(rows))


def markdown(headings: Sequence[str], rows: Sequence[Sequence[Cell]]) -> str:
    """A table; columns without text are aligned to the right, numbers have three digits."""
    right = [all(not isinstance(row[k], str) for row in rows) for k in range(len(headings))]
    lines = [headings, [("---:" if r else "---") for r in right], *rows]
    return "\n".join(f"| {' | '.join(map(shown, line))} |" for line in lines)


def shown(cell: Cell) -> str:
    """A number with three digits; whole numbers and text as they are."""
    return f"{cell:.3g}" if isinstance(cell, float) else str(cell)


def between_marks(page: str, marks: tuple[str, str], text: str) -> str:
    """A page in which what stands between two marks is replaced.

    Raises:
      UserError: if it lacks a mark.
    """
    head, first, rest = page.partition(marks[0])
    _, last, tail = rest.partition(marks[1])
    if not (first and last):
        raise UserError(f"the page lacks {' or '.join(marks)}, between which the table goes")
    return f"{head}{first}\n\n{text}\n\n{last}{tail}"


def write_text(path: Path, text: str) -> None:
    """A file that is replaced as a whole."""
    with viz.writing(path, overwrite=True) as file:
        file.write(text.encode())
