"""Pictures of a run: real images, the same latents at every snapshot, and the strip of them."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from aligned_jax import viz
from aligned_jax.data.dataset import Dataset
from aligned_jax.data.opening import opened, read_file
from aligned_jax.provenance import Command, png_text
from aligned_jax.runs.folder import RunFolder
from aligned_jax.runs.tasks.base import Task
from aligned_jax.runs.tasks.gan import GanTask
from aligned_jax.types import PyTree

KIMG = "thousands of images"
_STRIP_ROWS, _STRIP_COLUMNS = 4, 12
_DRAWABLE = (1, 3, 4)
_FAKES = re.compile(r"fakes-kimg-(\d{6,})\.png")


class SnapshotPictures:
    """Draws for one run; does nothing where images have a number of channels no PNG has.

    Args:
      run: the folder.
      task: of the run.
      dataset: its real images; those that are shown are always the same.
      command: that began the run, which the pictures name.
    """

    def __init__(
        self, run: RunFolder, task: Task[Any], dataset: Dataset, command: str = ""
    ) -> None:
        self._text = png_text(Command(command))
        generator, wanted = task.config.generator, task.config.snapshots.images
        self.run, self.task = run, task
        count = min(wanted, len(dataset))
        places = np.random.RandomState(0).choice(len(dataset), count, replace=False)
        shown = [dataset[int(place)] for place in places]
        self._reals, labels = (np.stack(values) for values in zip(*shown, strict=True))
        # A small dataset lends its labels more than once.
        self._labels = labels[np.arange(wanted) % count]
        self._size, self._columns = generator.img_resolution, 8
        if self._size >= 512:
            self._columns = 4
        self._active = generator.img_channels in _DRAWABLE

    def reals(self) -> None:
        """Writes `reals.png`, unless it is there already."""
        path = self.run.path / "reals.png"
        if self._active and not path.exists():
            self._write(path, viz.tile(self._reals, self._columns))

    def fakes(self, state: PyTree, kimg: int) -> None:
        """Writes the grid of a state at `kimg`, and the strip up to there."""
        if not self._active:
            return
        images = viz.to_uint8(self.task.pictures(state, self._reals, self._labels))
        self._write(self.run.fakes(kimg), viz.tile(images, self._columns))
        self.strip()

    def strip(self) -> None:
        """Writes `strip.png`, the first latents over all snapshots, from the grids on disk."""
        grids = {0: self.run.fakes(0)} if self.run.fakes(0).exists() else {}
        for path in self.run.path.glob("fakes-kimg-*.png"):
            if match := _FAKES.fullmatch(path.name):
                grids[int(match[1])] = path
        marks = viz.spread(sorted(grids), _STRIP_COLUMNS)
        if len(marks) > 1:
            columns = [self._cells(grids[kimg]) for kimg in marks]
            self._write(self.run.path / "strip.png", strip(np.stack(columns, axis=1), marks))

    def scores(self) -> None:
        """Writes `scores-NAME.svg` for every score in the statistics."""
        for name, svg in score_curves(self.run.read_stats(), self.task.whose).items():
            with viz.writing(self.run.path / f"scores-{name}.svg", overwrite=True) as file:
                file.write(svg.encode())

    def _cells(self, path: Path) -> np.ndarray:
        """The first images of a grid, [rows, H, W, C]."""
        size, count = self._size, self.task.picture_count(len(self._reals))
        with opened(read_file(path)) as picture:
            grid = np.asarray(picture)
        grid = grid[..., None] if grid.ndim == 2 else grid
        places = [divmod(i, self._columns) for i in range(min(_STRIP_ROWS, count))]
        return np.stack(
            [grid[r * size : (r + 1) * size, k * size : (k + 1) * size] for r, k in places]
        )

    def _write(self, path: Path, image: np.ndarray) -> None:
        with viz.writing(path, overwrite=True) as file:
            viz.save_png(file, image, self._text)


def score_curves(lines: Sequence[Mapping[str, Any]], whose: str = GanTask.whose) -> dict[str, str]:
    """SVG over the training by name of a score, of the lines of a run's statistics."""
    scored = [line for line in lines if "scores" in line]
    names = dict.fromkeys(name for line in scored for name in line["scores"])
    curves = {}
    for name in names:
        known = [line for line in scored if name in line["scores"]]
        pairs = [line["kimg"] for line in known], [line["scores"][name] for line in known]
        curves[name] = viz.curves({name: pairs}, f"{name} of the {whose}", KIMG)
    return curves


def strip(images: np.ndarray, marks: list[int]) -> np.ndarray:
    """A labelled picture of uint8 [rows, snapshots, H, W, C]."""
    return viz.figure(images, [f"{kimg} kimg" for kimg in marks], smallest=64)
