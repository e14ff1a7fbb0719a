"""What jobs about style channels share: a family of networks, its latents, the unit of shifts."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np

from aligned_jax import translation
from aligned_jax.jobs.relatives import check_styles_fit, load_relatives
from aligned_jax.jobs.statistics import known_statistics
from aligned_jax.latents import parse_channel
from aligned_jax.loading import NetworkSource
from aligned_jax.networks.network import Network
from aligned_jax.rendering.latent_batch import LatentBatch
from aligned_jax.semantics.editing import Channel, shifted
from aligned_jax.semantics.effect_maps import EffectMaps, effect_maps
from aligned_jax.semantics.statistics import COUNT, LatentStatistics
from aligned_jax.types import AnyStyles
from aligned_jax.utils.blocks import blocks
from aligned_jax.utils.reporting import Reporter
from aligned_jax.viz import to_uint8


@dataclass(frozen=True, eq=False)
class ChannelFamily:
    """A parent and other networks with the same style channels.

    Attributes:
      networks: by name, the parent first.
      latents: that all of them draw.
      statistics: of the parent, at psi 1: the unit of every shift.
    """

    networks: dict[str, Network]
    latents: LatentBatch
    statistics: LatentStatistics

    @property
    def parent(self) -> Network:
        """The first network."""
        return next(iter(self.networks.values()))

    def styles(self, network: Network) -> dict[str, np.ndarray]:
        """Style vectors {layer: [N, C]} of the latents in one of the networks."""
        arrays = translation.styles_of(network, self.latents.arrays, self.latents.psi)
        return {name: np.asarray(value) for name, value in arrays.items()}

    @property
    def alone(self) -> "ChannelFamily":
        """The first network without the others."""
        networks = dict.fromkeys(list(self.networks)[:1], self.parent)
        return ChannelFamily(networks, self.latents, self.statistics)

    def maps(
        self,
        strength: float,
        batch: int,
        report: Reporter,
        channels: Sequence[Channel] | None = None,
    ) -> dict[str, EffectMaps]:
        """Effect maps of some channels, by default of all, in all networks, by name."""
        networks = self.networks.items()
        every = sum(value.size for value in self.statistics.std.values())
        count = every if channels is None else len(channels)
        found: dict[str, EffectMaps] = {}
        with report.progress(count * len(self.networks), "channels") as advance:
            for name, network in networks:
                noted = functools.partial(advance, note=name)
                found[name] = effect_maps(
                    network,
                    self.styles(network),
                    self.statistics.std,
                    channels=channels,
                    strength=strength,
                    batch=batch,
                    advance=noted,
                )
        return found

    def channel(self, name: str) -> Channel:
        """Layer and number of "15_45"; raises UserError if there is no such channel."""
        layer, number = parse_channel(self.parent.config, name)
        return layer.name, number

    def edited(
        self,
        network: Network,
        channels: Sequence[Channel],
        amounts: Sequence[float],
        strength: float,
        rows: Sequence[int],
        batch: int,
    ) -> np.ndarray:
        """Pictures of some latents with one channel after the other shifted.

        Args:
          network: one of the networks.
          channels: K of them.
          amounts: multiples of the strength, such as (-1, 0, 1).
          strength: in the parent's sigma.
          rows: of the latents, n of them.
          batch: pictures at a time.

        Returns:
          uint8 [K, n, len(amounts), R, R, C].
        """
        chosen = {name: value[list(rows)] for name, value in self.styles(network).items()}
        steps = np.asarray(amounts, np.float32) * strength
        parts = []
        for layer, channel in channels:
            repeated = {name: np.repeat(v, len(steps), axis=0) for name, v in chosen.items()}
            shift = np.tile(steps * self.statistics.std[layer][channel], len(rows))
            moved = shifted(repeated, layer, channel, shift.astype(np.float32))
            parts.append(_drawn(network, moved, batch))
        images = np.stack(parts)
        return images.reshape(len(channels), len(rows), len(steps), *images.shape[2:])


def load_channel_family(
    sources: Sequence[NetworkSource],
    names: Sequence[str] | None,
    network_key: str,
) -> dict[str, Network]:
    """The networks by name; raises UserError unless all have the style channels of the first."""
    networks = load_relatives(sources, names, network_key)
    check_styles_fit(networks)
    return networks


def parent_statistics(
    parent: Network, count: int | None, label: int | None, report: Reporter
) -> LatentStatistics:
    """The unit of shifts, from the user's cache if it was measured before."""
    return known_statistics(parent, count=count or COUNT, label=label, report=report)


def _drawn(network: Network, styles: AnyStyles, batch: int) -> np.ndarray:
    """uint8 [N, R, R, C]."""
    count = max(len(value) for value in styles.values())
    parts = []
    for rows, kept in blocks(count, batch):
        some = {name: jnp.asarray(value)[rows] for name, value in styles.items()}
        parts.append(to_uint8(np.asarray(network.render(some)))[:kept])
    return np.concatenate(parts)
