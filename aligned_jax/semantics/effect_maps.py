"""What every style channel does to the pictures of a network, as small maps.

Each channel is shifted alone, around each latent's own value, to either side; nothing that one
channel did is left when the next is tried. A layer's channels share what lies before the layer:
only the rest of the network is drawn for each of them.
"""

import dataclasses
import functools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np

from aligned_jax.config import GeneratorConfig
from aligned_jax.errors import UserError
from aligned_jax.latents import StyleLayer, check_styles, style_layers
from aligned_jax.networks.network import Network
from aligned_jax.semantics.editing import Channel
from aligned_jax.types import AnyStyles, Array, Styles
from aligned_jax.utils.blocks import blocks
from aligned_jax.utils.reporting import Advance, no_advance
from aligned_jax.utils.text import listed

STRENGTH = 5.0
# Side of the maps in pixels, at most; latents are kept apart in so many groups, at most.
SIZE, GROUPS = 16, 16
# Latents that share what lies before a layer, in one program.
_TOGETHER = 4


@dataclass(frozen=True, eq=False)
class EffectMaps:
    """What each of S style channels does to the pictures of one network.

    Attributes:
      layers: of StyleSpace that have channels here, in order of evaluation.
      channels: layer and number of each channel, in this order.
      signed: float32 [S, G, P, P, C], the change of the picture from less to more of the
        channel, averaged over the pixels of a place and over the latents of a group.
      absolute: float32 [S, G, P, P], the same of the absolute change, averaged over colours too.
      weights: float32 [G], the share of the latents that is in each group.
      strength: less and more are so many standard deviations of the parent below and above the
        latent's own value.
      count: latents.
    """

    layers: tuple[StyleLayer, ...]
    channels: tuple[Channel, ...]
    signed: np.ndarray
    absolute: np.ndarray
    weights: np.ndarray
    strength: float
    count: int

    def __len__(self) -> int:
        return len(self.signed)

    @property
    def layer_of(self) -> np.ndarray:
        """Index of the layer of each channel, int [S]."""
        index = {layer.name: layer.index for layer in self.layers}
        return np.asarray([index[layer] for layer, _ in self.channels], int)

    @property
    def names(self) -> list[str]:
        """The channels as StyleSpace names them: "15_45"."""
        places = zip(self.layer_of, self.channels, strict=True)
        return [f"{index}_{number}" for index, (_, number) in places]

    @property
    def effect(self) -> np.ndarray:
        """Mean absolute change of a pixel in [-1, 1], float32 [S]."""
        return self.spread().mean(axis=(1, 2))

    def mean(self, weights: np.ndarray | None = None) -> np.ndarray:
        """Signed maps over all latents, float32 [S, P * P * C]; `weights` [G] of the groups."""
        weights = self.weights if weights is None else weights
        rows = self.signed.reshape(len(self), len(self.weights), -1)
        return np.asarray(weights, np.float32) @ rows

    def spread(self, weights: np.ndarray | None = None) -> np.ndarray:
        """Absolute maps over all latents, float32 [S, P, P]; `weights` [G] of the groups."""
        weights = self.weights if weights is None else weights
        rows = self.absolute.reshape(len(self), len(self.weights), -1)
        spread = np.asarray(weights, np.float32) @ rows
        return spread.reshape(len(self), *self.absolute.shape[2:])

    def take(self, kinds: tuple[str, ...]) -> "EffectMaps":
        """The same of the layers of some kinds, "conv" and "torgb", alone."""
        kept = tuple(layer for layer in self.layers if layer.kind in kinds)
        rows = np.flatnonzero(np.isin(self.layer_of, [layer.index for layer in kept]))
        return dataclasses.replace(
            self,
            layers=kept,
            channels=tuple(self.channels[row] for row in rows),
            signed=self.signed[rows],
            absolute=self.absolute[rows],
        )


def effect_maps(
    network: Network,
    styles: AnyStyles,
    sigma: Mapping[str, np.ndarray],
    *,
    channels: Sequence[Channel] | None = None,
    strength: float = STRENGTH,
    size: int = SIZE,
    groups: int = GROUPS,
    batch: int = 32,
    advance: Advance = no_advance,
) -> EffectMaps:
    """Shifts style channels of a network to either side, one after the other.

    Args:
      network: whose pictures are measured; they are clipped to [-1, 1].
      styles: {layer: [N, C]}, around which channels are shifted.
      sigma: {layer: [C]}, standard deviations of the *parent* at psi 1: one unit for a family.
      channels: to shift, layer and number; by default all, those of toRGB layers included.
      strength: shift to either side, in sigma.
      size: side of the maps; at most that of the pictures.
      groups: latents are kept apart in at most so many groups, for bootstraps.
      batch: pictures at a time, or little more; changes a map by rounding at most.
      advance: hears of every channel.

    Raises:
      UserError: if styles or sigma do not fit the network, or nothing is to be shifted.
    """
    layers, places = _chosen(network.config, channels)
    _check(network.config, styles, sigma, strength, size)
    arrays: Styles = {name: jnp.asarray(value, jnp.float32) for name, value in styles.items()}
    count = next(iter(arrays.values())).shape[0]
    members = np.array_split(np.arange(count), min(groups, count))
    side = min(size, network.config.img_resolution)
    shape = (len(members), side, side)
    signed = np.zeros((len(places), *shape, network.config.img_channels))
    signed, absolute = signed.astype(np.float32), np.zeros(signed.shape[:-1], np.float32)
    group_of = np.repeat(np.arange(len(members)), [len(rows) for rows in members])
    sizes = np.asarray([len(rows) for rows in members], np.float32)
    together = min(count, _TOGETHER, max(1, batch // 2))
    width = max(1, batch // (2 * together))
    for layer, first, numbers in _pieces(layers, places, width):
        amounts = np.zeros((width, layer.channels), np.float32)
        known = np.asarray(sigma[layer.name], np.float32)
        amounts[np.arange(len(numbers)), numbers] = strength * known[numbers]
        for rows, kept in blocks(count, together):
            some = {name: value[np.asarray(rows)] for name, value in arrays.items()}
            parts = _maps(network, some, jnp.asarray(amounts), layer.name, side)
            for total, part in zip((signed, absolute), parts, strict=True):
                values = np.asarray(part)[: len(numbers), :kept]
                _add(total[first : first + len(numbers)], values, group_of[rows[:kept]])
        advance(len(numbers))
    signed /= sizes[:, None, None, None]
    absolute /= sizes[:, None, None]
    return EffectMaps(layers, tuple(places), signed, absolute, sizes / count, strength, count)


def _check(
    config: GeneratorConfig,
    styles: AnyStyles,
    sigma: Mapping[str, np.ndarray],
    strength: float,
    size: int,
) -> None:
    check_styles(config, styles)
    check_styles(config, {name: np.asarray(value)[None] for name, value in sigma.items()})
    if not (np.isfinite(strength) and strength > 0):
        raise UserError(f"the strength of a shift is {strength:g}; it must be more than 0")
    if not (size >= 1 and size & (size - 1) == 0):
        raise UserError(f"maps have {size} pixels a side; give a power of 2")
    if not max(len(value) for value in styles.values()):
        raise UserError("no latents were given; channels are shifted around at least one")


def _chosen(
    config: GeneratorConfig, channels: Sequence[Channel] | None
) -> tuple[tuple[StyleLayer, ...], list[Channel]]:
    """The layers that have any of the channels, and the channels, in order of evaluation."""
    every = [(layer.name, k) for layer in style_layers(config) for k in range(layer.channels)]
    if channels is None:
        return style_layers(config), every
    if unknown := sorted(set(channels) - set(every)):
        listing = listed(f"{layer}_{number}" for layer, number in unknown)
        raise UserError(f"this network has no channel {listing}")
    if not channels:
        raise UserError("no channels were given")
    wanted = set(channels)
    kept = {layer for layer, _ in wanted}
    layers = tuple(layer for layer in style_layers(config) if layer.name in kept)
    return layers, [channel for channel in every if channel in wanted]


def _pieces(
    layers: tuple[StyleLayer, ...], channels: Sequence[Channel], width: int
) -> Iterator[tuple[StyleLayer, int, np.ndarray]]:
    """A layer, at most `width` of its channels, and the place of the first of them among all."""
    first = 0
    for layer in layers:
        numbers = np.asarray([number for name, number in channels if name == layer.name])
        for start in range(0, len(numbers), width):
            some = numbers[start : start + width]
            yield layer, first, some
            first += len(some)


def _add(total: np.ndarray, values: np.ndarray, groups: np.ndarray) -> None:
    """Adds values [K, n, ...] to the groups that their latents are in, [K, G, ...]."""
    for place, group in enumerate(groups):
        total[:, group] += values[:, place]


@functools.partial(jax.jit, static_argnames=("layer", "side"))
def _maps(
    network: Network, styles: Styles, amounts: Array, layer: str, side: int
) -> tuple[Array, Array]:
    """Signed [K, n, P, P, C] and absolute [K, n, P, P] change by each of K shifts of a layer.

    Nothing before the layer depends on the shift, so that it is drawn once for all of them.
    """

    def change(amount: Array) -> tuple[Array, Array]:
        less, more = (
            jnp.clip(network.render(styles | {layer: styles[layer] + way * amount[None]}), -1, 1)
            for way in (-1, 1)
        )
        difference = more - less
        return pooled(difference, side), pooled(jnp.abs(difference), side).mean(axis=-1)

    return jax.vmap(change)(amounts)


def pooled(images: Array, side: int) -> Array:
    """[N, R, R, C] averaged to [N, side, side, C]."""
    n, size, _, channels = images.shape
    cell = size // side
    return images.reshape(n, side, cell, side, cell, channels).mean(axis=(2, 4))
