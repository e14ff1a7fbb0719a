"""Pictures of a run: real images, the same latents at every snapshot, and the strip of them."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from aligned_jax import viz
from aligned_jax.latents import z_from_seeds
from aligned_jax.networks.network import Network
from aligned_jax.runs.config import RunConfig
from aligned_jax.runs.encoder_run import EncoderRun
from aligned_jax.runs.folder import RunFolder
from aligned_jax.types import PyTree
from aligned_jax.utils.blocks import blocks

KIMG = "thousands of images"
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

    whose = "averaged generator"

    def __init__(self, run: RunFolder, config: RunConfig, labels: np.ndarray) -> None:
        self.run, self.config, self.labels = run, config, labels
        self._z = z_from_seeds(config.generator, range(config.snapshots.images))
        self._count = config.snapshots.images
        self._columns = 4 if config.generator.img_resolution >= 512 else 8
        self._active = config.generator.img_channels in _DRAWABLE

    def reals(self, images: np.ndarray) -> None:
        """Writes `reals.png` from uint8 [n, H, W, C]."""
        if self._active:
            self._write(self.run.path / "reals.png", viz.tile(images, self._columns))

    def images(self, state: PyTree) -> np.ndarray:
        """What there is to see of a state: float32 [N, R, R, C]."""
        return draw(Network(self.config.generator, state.G_ema), self._z, self.labels)

    def fakes(self, state: PyTree, kimg: int) -> None:
        """Writes the grid of a state at `kimg`, and the strip up to there."""
        if not self._active:
            return
        images = viz.to_uint8(self.images(state))
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

    def scores(self) -> None:
        """Writes `scores-NAME.svg` for every score in the statistics."""
        for name, svg in score_curves(self.run.read_stats(), self.whose).items():
            with viz.writing(self.run.path / f"scores-{name}.svg", overwrite=True) as file:
                file.write(svg.encode())

    def _cells(self, path: Path) -> np.ndarray:
        """The first images of a grid, [rows, H, W, C]."""
        size, count = self.config.generator.img_resolution, self._count
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


class Reconstructions(Pictures):
    """Draws what an encoder's latents of real images become, in the places of `reals.png`."""

    whose = "encoder"

    def __init__(
        self, run: RunFolder, config: EncoderRun, labels: np.ndarray, images: np.ndarray
    ) -> None:
        super().__init__(run, config, labels)
        self._reals, self._count = images, len(images)

    def images(self, state: PyTree) -> np.ndarray:
        """What there is to see of a state: float32 [N, R, R, C]."""
        from aligned_jax.runs.tasks import encoder as encoder_task

        encoder = encoder_task.network(self.config, state)
        return encoder_task.pictures(self.config, self._reals, self.labels, encoder)


def score_curves(lines: Sequence[Mapping[str, Any]], whose: str = Pictures.whose) -> dict[str, str]:
    """SVG over the training by name of a score, of the lines of a run's statistics."""
    scored = [line for line in lines if "scores" in line]
    names = dict.fromkeys(name for line in scored for name in line["scores"])
    found = {}
    for name in names:
        known = [line for line in scored if name in line["scores"]]
        pairs = [line["kimg"] for line in known], [line["scores"][name] for line in known]
        found[name] = viz.curves({name: pairs}, f"{name} of the {whose}", KIMG)
    return found


def pictures_of(
    run: RunFolder, config: RunConfig, labels: np.ndarray, images: np.ndarray
) -> Pictures:
    """The pictures of a run, for these labels or real images uint8 [n, R, R, C]."""
    if isinstance(config, EncoderRun):
        return Reconstructions(run, config, labels, images)
    return Pictures(run, config, labels)


def draw(network: Network, z: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Images float32 [N, R, R, C] of latents, untruncated, with the stored noise."""
    parts = []
    for rows, kept in blocks(len(z), _AT_A_TIME):
        c = labels[rows] if network.config.c_dim else None
        parts.append(np.asarray(network(z[rows], c))[:kept])
    return np.concatenate(parts)


def strip(images: np.ndarray, marks: list[int]) -> np.ndarray:
    """A labelled picture of uint8 [rows, snapshots, H, W, C]."""
    return viz.figure(images, [f"{kimg} kimg" for kimg in marks], smallest=64)
