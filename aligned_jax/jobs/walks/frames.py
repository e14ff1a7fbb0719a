"""The frames of a walk, drawn block by block."""

import functools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from aligned_jax import viz
from aligned_jax.jobs.walks.blends import WalkWeights
from aligned_jax.jobs.walks.latents import WalkLatents, moved
from aligned_jax.jobs.walks.names import PSI, T1
from aligned_jax.jobs.walks.noise import NoiseLoop
from aligned_jax.jobs.walks.schedule import Schedule
from aligned_jax.networks.network import Network
from aligned_jax.rendering.activations import ActivationColours, activations
from aligned_jax.rendering.draw import RenderOptions, noise_of, render
from aligned_jax.rendering.latent_batch import LatentBatch
from aligned_jax.semantics.edits import Edit
from aligned_jax.utils.blocks import blocks

_EXAMPLES = 16  # frames from which the colours of a layer are found


@dataclass(frozen=True, eq=False)
class WalkFrames:
    """All that decides the frames of a walk.

    Attributes:
      schedule: places and parameters of the frames.
      weights: what draws each frame.
      own: latents of the network.
      theirs: latents of the child, if t1 leads to them.
      edits: by the names of tracks; their amounts are the tracks'.
      options: how images are drawn.
      grid: cells across and down.
      moving_noise: random noise that goes round a loop, in place of that of `options`.
      layer: whose activations are shown in place of images, such as "b32.conv1".
    """

    schedule: Schedule
    weights: WalkWeights
    own: WalkLatents
    theirs: WalkLatents | None
    edits: Mapping[str, Edit]
    options: RenderOptions
    grid: tuple[int, int]
    moving_noise: NoiseLoop | None = None
    layer: str | None = None

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Number of frames, height, width, channels."""
        across, down = self.grid
        config = self.weights.network.config
        size = config.img_resolution
        channels = 3 if self.layer else config.img_channels
        return len(self.schedule), down * size, across * size, channels

    def draw(self) -> Iterator[np.ndarray]:
        """The frames one by one, uint8; memory holds those of one block.

        Raises:
          NotFinite: naming frames whose numbers are not finite.
        """
        across, down = self.grid
        _, height, width, channels = self.shape
        size = height // down
        for network, rows, kept in self._blocks():
            block = np.empty((kept, down, size, across, size, channels), np.uint8)
            for cell, (row, column) in enumerate(np.ndindex(down, across)):
                block[:, row, :, column] = viz.to_uint8(self._images(network, cell, rows)[:kept])
            yield from block.reshape(kept, height, width, channels)

    def latents(self, cell: int, frames: Sequence[int] | np.ndarray) -> LatentBatch:
        """What a still image of some frames of a cell would be drawn of, before edits in S."""
        rows = np.asarray(frames)
        count, tracks = len(rows), self.schedule.tracks
        places = self.schedule.places[rows]
        psi = tracks[PSI][rows]
        in_z = self._edits_of("z", rows)
        t1 = tracks[T1][rows].astype(np.float32)[:, None, None] if T1 in tracks else None
        ws = self.own.at(cell, places, psi, in_z)
        if self.theirs is not None and t1 is not None:
            ws = (1 - t1) * ws + t1 * self.theirs.at(cell, places, psi, in_z)
        arrays = {"ws": ws}
        if self.moving_noise is not None:
            fields = self.moving_noise.at(cell, self.schedule.turns[rows])
            arrays |= {f"noise/{layer}": field for layer, field in fields.items()}
        names = tuple(f"frame {frame}" for frame in rows)
        numbers = np.full(count, cell, np.uint32)
        latents = LatentBatch(arrays, names, numbers)
        return moved(self.own.network, latents, self._edits_of("w", rows))

    def _blocks(self) -> Iterator[tuple[Network, np.ndarray, int]]:
        """Networks, frames that they draw, filled up to one size, and how many of these count."""
        runs = self.weights.runs(len(self.schedule))
        size = max(1, min(self.options.batch, len(self.schedule) // len(runs)))
        for run in runs:
            network = self.weights.at(run[0])
            for places, kept in _filled(len(run), size):
                yield network, run[places], kept

    def _images(self, network: Network, cell: int, rows: np.ndarray) -> np.ndarray:
        """float32 [n, R, R, C] in [-1, 1] where they are in range."""
        latents = self._edited(network, cell, rows)
        if self.layer is None:
            return render(network, latents, self.options)
        pictures = self._colours(_activations(network, latents, self.options, self.layer))
        factor = network.config.img_resolution // pictures.shape[1]
        return pictures.repeat(factor, axis=1).repeat(factor, axis=2)

    def _edited(self, network: Network, cell: int, rows: np.ndarray) -> LatentBatch:
        latents, in_s = self.latents(cell, rows), self._edits_of("s", rows)
        if not any(in_s) and self.layer is None:
            return latents
        return moved(network, latents.styles(network), in_s)

    def _edits_of(self, space: str, rows: np.ndarray) -> list[list[Edit]]:
        """The edits in a space, with the amounts that they have in each frame."""
        chosen = {name: edit for name, edit in self.edits.items() if edit.space == space}
        return [
            [
                edit.with_amount(float(self.schedule.tracks[name][row]))
                for name, edit in chosen.items()
            ]
            for row in rows
        ]

    @functools.cached_property
    def _colours(self) -> ActivationColours:
        """The same for the whole film, found in frames at even distances."""
        layer = self.layer or ""
        count = len(self.schedule)
        frames = np.unique(np.linspace(0, count - 1, min(count, _EXAMPLES)).astype(int))

        def examples() -> Iterator[np.ndarray]:
            for frame in frames:
                network = self.weights.at(frame)
                for cell in range(self.grid[0] * self.grid[1]):
                    latents = self._edited(network, cell, np.asarray([frame]))
                    yield _activations(network, latents, self.options, layer)

        return ActivationColours.of(examples())


def _filled(count: int, size: int) -> Iterator[tuple[np.ndarray, int]]:
    """As `blocks`, but every block has this size even if there are fewer rows."""
    for rows, kept in blocks(count, size):
        missing = size - len(rows)
        yield np.concatenate([rows, np.full(missing, rows[-1])]) if missing else rows, kept


def _activations(
    network: Network, latents: LatentBatch, options: RenderOptions, layer: str
) -> np.ndarray:
    """float32 [n, R, R, C] of style vectors."""
    noise = noise_of(network.config, options, latents)
    return activations(network, latents.style_vectors(), layer, noise)
