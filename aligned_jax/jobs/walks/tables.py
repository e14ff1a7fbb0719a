"""Tables of what moves: a column for each parameter, a row for each frame or point of time."""

import csv
import io
import math
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from aligned_jax.errors import UserError
from aligned_jax.jobs.walks.names import check_names, is_number
from aligned_jax.utils import reading
from aligned_jax.utils.text import counted, listed

_TIME = "time"
_LARGEST = 2**28  # bytes
_MOST = 10_000_000  # cells


@dataclass(frozen=True, eq=False)
class CurveTable:
    """Numbers of parameters over a film.

    Attributes:
      columns: by name, float64 [rows]; a row is a frame, or a point of time.
      times: seconds of the rows, float64 [rows], rising from 0 or later; None with a row a frame.
    """

    columns: Mapping[str, np.ndarray]
    times: np.ndarray | None = None

    @property
    def rows(self) -> int:
        """How many there are."""
        return len(next(iter(self.columns.values())))

    def frames_at(self, fps: float) -> int:
        """How many frames it is for: its rows, or those up to its last time."""
        if self.times is None:
            return self.rows
        return math.floor(self.times[-1] * fps + 1e-6) + 1

    def at(self, fps: float, count: int) -> dict[str, np.ndarray]:
        """The numbers of `count` frames by name; from one time to the next they go straight."""
        if self.times is None:
            return dict(self.columns)
        seconds = np.arange(count) / fps
        return {name: np.interp(seconds, self.times, one) for name, one in self.columns.items()}


def read_table(
    source: str | os.PathLike[str] | Mapping[str, Sequence[float] | np.ndarray],
) -> CurveTable:
    """The table of a CSV file, whose first line names the columns, or of columns by name.

    Raises:
      UserError: for what cannot be read, naming every column that is unknown or comes twice, every
        line of another length, and every cell that is no finite number.
    """
    if isinstance(source, Mapping):
        called = "the table"
        columns = {name: np.asarray(one, np.float64) for name, one in source.items()}
        lengths = {name: len(one) for name, one in columns.items()}
        if len(set(lengths.values())) > 1:
            told = ", ".join(f"{name} {length}" for name, length in lengths.items())
            raise UserError(f"the columns of a table differ in length: {told}")
        bad = [name for name, one in columns.items() if not all(map(is_number, one))]
        if bad:
            raise UserError(f"columns hold what is no finite number: {listed(bad)}")
    else:
        called = os.fspath(source)
        columns = _columns(called)
    times = columns.pop(_TIME, None)
    if not columns:
        raise UserError(f"{called}: no column of anything that moves")
    check_names(columns)
    if not len(next(iter(columns.values()))):
        raise UserError(f"{called}: there are no rows below the names")
    if times is not None and (times[0] < 0 or (np.diff(times) <= 0).any()):
        raise UserError(f"{called}: the column {_TIME} is seconds, rising from row to row")
    return CurveTable(columns, times)


def _columns(called: str) -> dict[str, np.ndarray]:
    lines = _lines(called)
    names = [name.strip() for name in lines[0][1]]
    wrong = [f"{name or 'a column without a name'} comes twice" for name in _twice(names)]
    if "" in names:
        wrong.append("a column has no name")
    cells: list[list[float]] = []
    for number, line in lines[1:]:
        if len(line) != len(names):
            told = f"{counted(len(line), 'cell')} for {counted(len(names), 'column')}"
            wrong.append(f"line {number} has {told}")
            continue
        row = [_number(cell) for cell in line]
        bad = [name for name, one in zip(names, row, strict=True) if not is_number(one)]
        wrong += [f"line {number}, {name}: {line[names.index(name)]!r:.30}" for name in bad]
        cells.append(row)
    try:
        check_names(name for name in names if name not in (_TIME, ""))
    except UserError as error:
        wrong.insert(0, str(error))
    if wrong:
        raise UserError(f"{called}: {listed(wrong, separator='; ')}")
    table = np.asarray(cells, np.float64).reshape(len(cells), len(names))
    return dict(zip(names, table.T, strict=True))


def _lines(called: str) -> list[tuple[int, list[str]]]:
    """Lines that are not empty, and their numbers."""
    try:
        text = reading.read_bytes(called, _LARGEST).decode("utf-8-sig")
        reader = csv.reader(io.StringIO(text), strict=True)
        lines = [(reader.line_num, line) for line in reader if line]
    except FileNotFoundError:
        raise UserError(f"{called}: no such file") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"{called} is no CSV file ({error!s:.120})") from None
    if not lines:
        raise UserError(f"{called} is empty; its first line names the columns")
    if len(lines) * len(lines[0][1]) > _MOST:
        raise UserError(f"{called} has more than {_MOST} cells")
    return lines


def _twice(names: Sequence[str]) -> list[str]:
    return [name for name, count in Counter(names).items() if count > 1 and name]


def _number(cell: str) -> float:
    try:
        return float(cell)
    except ValueError:
        return math.nan
