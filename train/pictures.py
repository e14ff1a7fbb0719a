"""Pictures of a run: real images, the same latents at every snapshot, and the strip of them."""

import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image

from aligned_jax import viz
from aligned_jax.latents import z_from_seeds
from aligned_jax.network import Network
from aligned_jax.train.config import TrainConfig
from aligned_jax.train.run_folder import RunFolder

_AT_A_TIME = 8
_STRIP_ROWS, _STRIP_COLUMNS = 4, 12
_DRAWABLE = (1, 3, 4)
_FAKES = re.compile(r"fakes-kimg-(\d{6,})\.png")


class Pictures:
    """Draws for one run; does nothing where images have a number of channels no PNG has.

    Args:
      run: the folder.
      config: of the run; latents are the seeds 0, 1, ... of the official scripts.
      labels: float32 [n, c_dim] for the latents, those of the real images shown.
    """

    def __init__(self, run: RunFolder, config: TrainConfig, labels: np.ndarray) -> None:
        self.run, self.config, self.labels = run, config, labels
        self._z = z_from_seeds(config.generator, range(config.snapshots.images))
        self._columns = 4 if config.generator.img_resolution >= 512 else 8
        self._active = config.generator.img_channels in _DRAWABLE

    def reals(self, images: np.ndarray) -> None:
        """Writes `reals.png` from uint8 [n, H, W, C]."""
        if self._active:
            self._write(self.run.path / "reals.png", viz.tile(images, self._columns))

    def fakes(self, variables: Mapping, kimg: int) -> None:
        """Writes the grid of the averaged generator at `kimg`, and the strip up to there."""
        if not self._active:
            return
        images = viz.to_uint8(draw(Network(self.config.generator, variables), self._z, self.labels))
        self._write(self.run.fakes(kimg), viz.tile(images, self._columns))
        self.strip()

    def strip(self) -> None:
        """Writes `strip.png`, the first latents over all snapshots, from the grids on disk."""
        found = {0: self.run.fakes(0)} if self.run.fakes(0).exists() else {}
        for path in self.run.path.glob("fakes-kimg-*.png"):
            if match := _FAKES.fullmatch(path.name):
                found[int(match[1])] = path
        marks = viz.spread(sorted(found), _STRIP_COLUMNS)
        if len(marks) > 1:
            columns = [self._cells(found[kimg]) for kimg in marks]
            self._write(self.run.path / "strip.png", strip(np.stack(columns, axis=1), marks))

    def _cells(self, path: Path) -> np.ndarray:
        """The first images of a grid, [rows, H, W, C]."""
        size, count = self.config.generator.img_resolution, self.config.snapshots.images
        with path.open("rb") as file:
            grid = np.asarray(Image.open(file))
        grid = grid[..., None] if grid.ndim == 2 else grid
        places = [divmod(i, self._columns) for i in range(min(_STRIP_ROWS, count))]
        return np.stack(
            [grid[r * size : (r + 1) * size, k * size : (k + 1) * size] for r, k in places]
        )

    def _write(self, path: Path, image: np.ndarray) -> None:
        with viz.writing(path, overwrite=True) as file:
            viz.save_png(file, image)


def draw(network: Network, z: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Images float32 [N, R, R, C] of latents, untruncated, with the stored noise."""
    count, parts = len(z), []
    size = min(_AT_A_TIME, count)
    for start in range(0, count, size):
        # The last part is filled up, so that nothing is compiled twice.
        rows = np.minimum(np.arange(start, start + size), count - 1)
        c = labels[rows] if network.config.c_dim else None
        parts.append(np.asarray(network(z[rows], c)))
    return np.concatenate(parts)[:count]


def strip(images: np.ndarray, marks: list[int]) -> np.ndarray:
    """A labelled picture of uint8 [rows, snapshots, H, W, C]."""
    return viz.figure(images, [f"{kimg} kimg" for kimg in marks], smallest=64)
