"""What a dataset holds: counts, histograms, a sheet of its images."""

import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from aligned_jax import viz
from aligned_jax.data.dataset import Dataset, open_dataset, read_info
from aligned_jax.data.integrity import check_files
from aligned_jax.data.options import DataOptions
from aligned_jax.provenance import Command
from aligned_jax.utils.reporting import QUIET, Reporter
from aligned_jax.utils.text import listed
from aligned_jax.viz.sheet import write_picture

_MOST_CLASSES = 12
_GAP = 8
_SCRIPT = Command()


@dataclass(frozen=True, eq=False)
class DataReport:
    """What a dataset holds, split by split.

    Attributes:
      name: as the user calls it.
      splits: the opened dataset of every split.
      description: what is recorded of its content; may be empty.
      command: the command line that made it; empty if that is not known.
    """

    name: str
    splits: Mapping[str, Dataset]
    description: str
    command: str

    def text(self) -> str:
        """Counts, and histograms of every split, several lines."""
        first = next(iter(self.splits.values()))
        counts = ", ".join(f"{len(data)} {name}" for name, data in self.splits.items())
        size = f"{first.resolution} px, {first.channels} channels"
        opacity = " (RGB and opacity)" if first.channels == 4 else ""
        lines = [f"{self.name}: {counts} images of {size}{opacity}"]
        if self.description:
            lines.append(self.description)
        if self.command:
            lines.append(f"made by: {self.command}")
        for name, data in self.splits.items():
            lines += [f"\n{name}", *(f"  {line}" for line in histograms(data))]
        return "\n".join(lines)

    def sheet(self, most: int = 64) -> np.ndarray:
        """Up to `most` images of each split, uint8 [H, W, C]; splits are below each other."""
        return sheet(list(self.splits.values()), most)

    def write_sheet(
        self,
        out: str | os.PathLike[str],
        most: int = 64,
        command: Command = _SCRIPT,
        overwrite: bool = False,
    ) -> None:
        """Writes the `sheet` as a PNG that says which command made it.

        Raises:
          UserError: if the file exists and may not be replaced, or the disk refuses.
        """
        known = {name: data.fingerprint for name, data in self.splits.items()}
        facts = {"dataset": self.name, "fingerprints": known, "images of a split": most}
        write_picture(out, self.sheet(most), command, overwrite, facts)


def check_data(dataset: str | os.PathLike[str], report: Reporter = QUIET) -> int:
    """Compares all files of a dataset with their recorded SHA-256; returns how many there are.

    Args:
      dataset: its folder.
      report: hears of every file.

    Raises:
      UserError: if it is no dataset, or naming all files that are missing or changed.
    """
    dataset = os.fspath(dataset)
    total = sum(split.num_shards for split in read_info(dataset).splits.values())
    with report.progress(total, "files") as advance:
        return check_files(dataset, advance)


def inspect_data(dataset: str | os.PathLike[str]) -> DataReport:
    """Opens every split of a dataset to be counted and shown.

    Args:
      dataset: its folder.

    Raises:
      UserError: if it is no dataset, or cannot be read.
    """
    dataset = os.fspath(dataset)
    info = read_info(dataset)
    splits = {name: open_dataset(DataOptions(dataset, name)) for name in info.splits}
    command = (info.metadata or {}).get("command") or ""
    return DataReport(dataset, splits, (info.description or "").strip(), command)


def histograms(data: Dataset) -> list[str]:
    """A line for each feature: how often each class occurs, or the range of numbers."""
    rows = [data.attributes(k) for k in range(len(data))]
    lines = []
    for name, value in rows[0].items():
        values = [row[name] for row in rows]
        if not isinstance(value, str):
            lines.append(_numbers(name, np.asarray(values)))
        elif data.is_class(name):
            lines.append(_classes(name, values))
    return sorted(lines)


def _classes(name: str, values: list[str]) -> str:
    ranked = Counter(values).most_common()
    shares = (f"{k} {n} ({n / len(values):.1%})" for k, n in ranked)
    return f"{name}: {listed(shares, _MOST_CLASSES)}"


def _numbers(name: str, values: np.ndarray) -> str:
    absent = 0
    if name.endswith("_color"):
        known = (values >= 0).all(axis=-1)
        absent, values = int((~known).sum()), values[known]
    if not values.size:
        return f"{name}: none"
    low, mean, high = (_shown(f(values, axis=0)) for f in (np.min, np.mean, np.max))
    more = f", none in {absent}" if absent else ""
    return f"{name}: {low} to {high}, mean {mean}{more}"


def _shown(value: Any) -> str:
    numbers = [f"{v:.3g}" for v in np.atleast_1d(value)]
    more = ", ..." if len(numbers) > 4 else ""
    return f"({', '.join(numbers[:4])}{more})" if len(numbers) > 1 else numbers[0]


def sheet(splits: list[Dataset], most: int) -> np.ndarray:
    """Images taken evenly from each split, uint8 [H, W, C]; splits are below each other."""
    columns = min(16, most, max(len(data) for data in splits))
    parts: list[np.ndarray] = []
    for data in splits:
        count = min(most, len(data))
        places = [k * len(data) // count for k in range(count)]
        parts.append(viz.tile(np.stack([data[place][0] for place in places]), columns))
        parts.append(np.full((_GAP, *parts[0].shape[1:]), 255, np.uint8))
    return np.concatenate(parts[:-1])
