"""The weights that draw the frames of a walk."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import jax
import numpy as np

from aligned_jax import weights
from aligned_jax.errors import UserError
from aligned_jax.jobs.walks.names import SWAP, T2
from aligned_jax.networks.network import Network

# One program for all weights: leaf by leaf they take thirty times as long. The bits are the same.
_blend = jax.jit(weights.interpolate)


@dataclass(frozen=True, eq=False)
class WalkWeights:
    """What draws each frame: a network, its blend with a child, or a swap of layers with it.

    Attributes:
      network: that draws, and whose coarse layers a swap keeps.
      child: the other one of blends and swaps, or None.
      tracks: by name; of them t2 or swap counts, if one is there.
      smooth: width in layers of the blend in a swap; None is a hard switch.
    """

    network: Network
    child: Network | None
    tracks: Mapping[str, np.ndarray]
    smooth: float | None = None

    def at(self, frame: int) -> Network:
        """The network of a frame, as `jobs.interpolate` or `jobs.swap` makes it."""
        if self.child is None:
            return self.network
        if T2 in self.tracks:
            return _blend(self.network, self.child, np.float32(self.tracks[T2][frame]))
        if SWAP in self.tracks:
            return weights.swap(self.network, self.child, self._switch(frame), self.smooth)
        return self.network

    def runs(self, count: int) -> list[np.ndarray]:
        """Frames 0 to count - 1, cut where the weights change."""
        frames = np.arange(count)
        track = self.tracks.get(T2)
        if track is None and SWAP in self.tracks:
            track = np.asarray([self._switch(frame) for frame in range(count)])
        if track is None or self.child is None:
            return [frames]
        return np.split(frames, np.flatnonzero(np.diff(track)) + 1)

    def check(self) -> None:
        """Raises UserError for a swap beyond the network's resolutions."""
        if SWAP in self.tracks:
            sizes = self.network.config.resolutions
            least, most = self.tracks[SWAP].min(), self.tracks[SWAP].max()
            if least < sizes[0] or most > sizes[-1]:
                raise UserError(
                    f"swap goes from {least:g} to {most:g}; this network has resolutions "
                    f"{sizes[0]} to {sizes[-1]}"
                )

    def _switch(self, frame: int) -> float:
        """The last resolution of the network in a swap; of a hard one, the next lower."""
        value = float(self.tracks[SWAP][frame])
        if self.smooth is not None:
            return value
        return 2 ** math.floor(math.log2(value) + 1e-9)
