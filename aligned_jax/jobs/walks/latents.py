"""The latents of every frame of a walk, as one network makes them."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np

from aligned_jax.latents import Curve, great_circle, mix_styles, truncate
from aligned_jax.networks.network import Network
from aligned_jax.rendering.editing import edited
from aligned_jax.rendering.latent_batch import LatentBatch
from aligned_jax.semantics.edits import Edit
from aligned_jax.utils.blocks import blocks


@dataclass(frozen=True, eq=False)
class Way:
    """The way of one cell in Z or W.

    Attributes:
      keys: latents in z [K, D] or W+ [K, L, D], one for each key frame.
      labels: [1, c_dim].
      in_z: whether the way is one through Z, whose points are mapped.
      kind: of the curve through the key frames, see `latents.CURVES`, or "circle" for the great
        circle through the first two. One key frame alone stands still.
      loop: whether it is closed.
    """

    keys: np.ndarray
    labels: np.ndarray
    in_z: bool
    kind: str
    loop: bool

    def points(self, places: np.ndarray) -> np.ndarray:
        """z [n, D] or W+ [n, L, D] at places [n]."""
        if self.kind == "circle":
            return great_circle(self.keys[0], self.keys[1], places)
        if len(self.keys) == 1:
            return self.keys.repeat(len(places), axis=0)
        return self._curve.at(places)

    @functools.cached_property
    def _curve(self) -> Curve:
        return Curve(self.keys, self.kind, self.loop)


@dataclass(frozen=True, eq=False)
class WalkLatents:
    """All cells' latents in the W+ of one network.

    Attributes:
      network: that maps.
      ways: one for each cell.
      centre: towards which w is truncated, [D] or [L, D].
      cutoff: rows that are truncated; None is all.
      held: W+ [cells, L, D] of which some rows take the place of the walk's own, or None.
      rows: those.
    """

    network: Network
    ways: Sequence[Way]
    centre: np.ndarray
    cutoff: int | None = None
    held: np.ndarray | None = None
    rows: Sequence[int] = ()

    def at(
        self, cell: int, places: np.ndarray, psi: np.ndarray, edits: Sequence[Sequence[Edit]]
    ) -> np.ndarray:
        """W+ [n, L, D] of some frames, truncated.

        The same arithmetic serves Z and W: what a psi and a cutoff mean does not depend on where
        the way goes.

        Args:
          cell: number of the cell.
          places: of the frames, [n].
          psi: of each frame, [n].
          edits: in Z, of each frame.
        """
        way = self.ways[cell]
        points = way.points(places)
        if way.in_z:
            points = self._mapped(way, points, edits)
        if self.held is not None:
            held = self.held[cell][None].repeat(len(points), axis=0)
            points = np.asarray(mix_styles(points, held, self.rows))
        if (psi == 1).all():
            return points
        strengths = psi.astype(np.float32)[:, None, None]
        found = truncate(jnp.asarray(points), jnp.asarray(self.centre), strengths, self.cutoff)
        return np.asarray(found)

    def _mapped(self, way: Way, z: np.ndarray, edits: Sequence[Sequence[Edit]]) -> np.ndarray:
        arrays = {"z": z, "c": way.labels.repeat(len(z), axis=0)}
        names, numbers = ("",) * len(z), np.zeros(len(z), np.uint32)
        latents = moved(self.network, LatentBatch(arrays, names, numbers), edits)
        return latents.in_space(self.network, "w+").arrays["ws"]


def moved(network: Network, latents: LatentBatch, edits: Sequence[Sequence[Edit]]) -> LatentBatch:
    """Latents after edits of their space, each row after edits of its own."""
    if not any(edits):
        return latents
    rows = [edited(network, latents.take([row]), own) for row, own in enumerate(edits)]
    arrays = {key: np.concatenate([row.arrays[key] for row in rows]) for key in latents.arrays}
    return LatentBatch(arrays, latents.names, latents.numbers, latents.psi)


def in_w(network: Network, latents: LatentBatch, batch: int) -> np.ndarray:
    """W+ [N, L, D] of latents in z, mapped in the blocks in which `generate` maps them."""
    parts = [
        latents.take(rows).in_space(network, "w+").arrays["ws"][:kept]
        for rows, kept in blocks(len(latents), batch)
    ]
    return np.concatenate(parts)
