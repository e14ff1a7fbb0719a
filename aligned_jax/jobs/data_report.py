"""What `aligned data inspect` prints and draws."""

import argparse
from collections import Counter
from typing import Any

import numpy as np

from aligned_jax import provenance, viz
from aligned_jax.cli import console
from aligned_jax.data.dataset import Dataset, open_dataset, read_info
from aligned_jax.data.integrity import check_files
from aligned_jax.data.options import DataOptions

_MOST_CLASSES = 12
_GAP = 8


def report(args: argparse.Namespace) -> None:
    """Prints counts and histograms by split; draws a sheet of images with --out."""
    if args.out:
        viz.check_file(args.out, args.overwrite)
    info = read_info(args.dataset)
    if args.check:
        with console.progress(sum(s.num_shards for s in info.splits.values()), "files") as advance:
            count = check_files(args.dataset, advance)
        console.say(f"{args.dataset}: the SHA-256 of {count} files are those that were recorded")
    splits = {name: open_dataset(DataOptions(args.dataset, name)) for name in info.splits}
    first = next(iter(splits.values()))
    counts = ", ".join(f"{len(data)} {name}" for name, data in splits.items())
    console.say(
        f"{args.dataset}: {counts} images of {first.resolution} px, {first.channels} channels"
    )
    if info.description:
        console.say(info.description.strip())
    if (info.metadata or {}).get("command"):
        console.say(f"made by: {info.metadata['command']}")
    for name, data in splits.items():
        console.say(f"\n{name}")
        for line in histograms(data):
            console.say(f"  {line}")
    if args.out:
        image = sheet(list(splits.values()), args.images)
        with viz.writing(args.out, args.overwrite) as file:
            viz.save_png(file, image, provenance.png_text(args.command_line))
        console.say(f"\nwrote {args.out}: up to {args.images} images of {', '.join(splits)}")


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
    shown = ", ".join(f"{k} {n} ({n / len(values):.1%})" for k, n in ranked[:_MOST_CLASSES])
    more = f" and {len(ranked) - _MOST_CLASSES} more" if len(ranked) > _MOST_CLASSES else ""
    return f"{name}: {shown}{more}"


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
