"""What lies behind a picture: the style channels that move a region of it, and feature maps."""

import functools
import math
from collections.abc import Mapping
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np

from aligned_jax.errors import UserError
from aligned_jax.latents import (
    channel_name,
    concatenate_styles,
    split_styles,
    style_layers,
)
from aligned_jax.networks.network import Network
from aligned_jax.rendering.activations import activations, noise_apart
from aligned_jax.rendering.draw import Noise
from aligned_jax.types import AnyStyles, Array

STRENGTH, SHOWN, TRIED = 5.0, 12, 24
_CELLS = 4  # of the region, across and down, that are differentiated apart
_MAPS = 64


@dataclass(frozen=True)
class RegionChannel:
    """What one style channel does to a region of a picture.

    Attributes:
      name: "5_23".
      change: mean absolute change of a pixel of the region in [-1, 1], from 5 sigmas less to 5
        more.
      inside: share of the whole picture's change that lies in the region, in [0, 1].
    """

    name: str
    change: float
    inside: float


def region_channels(
    network: Network,
    styles: AnyStyles,
    box: tuple[float, float, float, float],
    sigma: Mapping[str, np.ndarray],
    noise: Noise = "const",
) -> list[RegionChannel]:
    """The style channels that move a region most, the strongest first.

    The derivatives of the region by all channels choose candidates; each of these is then moved,
    alone, by 5 sigmas to either side, and what has changed is measured.

    Args:
      network: that draws the picture.
      styles: {layer: [1, C]} of the picture.
      box: left, top, right and bottom of the region, in [0, 1].
      sigma: {layer: [C]}, standard deviations of the parent at psi 1.
      noise: of the picture: "const", "none", or fields by layer.

    Returns:
      at most 12.

    Raises:
      UserError: for a region without pixels.
    """
    config = network.config
    mask = _mask(box, config.img_resolution)
    arrays = {name: jnp.asarray(value, jnp.float32) for name, value in styles.items()}
    whole = concatenate_styles(config, arrays)[0]
    unit = np.concatenate([np.asarray(sigma[one.name]) for one in style_layers(config)])
    weights = jnp.asarray(_cells(mask))
    slopes = (
        np.abs(np.asarray(_slopes(network, whole, weights, *noise_apart(noise)))).mean(axis=0)
        * unit
    )
    places = [(one.name, k) for one in style_layers(config) for k in range(one.channels)]
    best = [int(row) for row in np.argsort(-slopes, kind="stable")[:TRIED] if slopes[row] > 0]
    found = []
    for row in best:
        layer, number = places[row]
        move = np.zeros((1, arrays[layer].shape[1]), np.float32)
        move[0, number] = STRENGTH * unit[row]
        less, more = (
            np.clip(network.render({**arrays, layer: arrays[layer] + way * move}, noise), -1, 1)
            for way in (-1, 1)
        )
        change = np.abs(more - less)[0].mean(axis=-1)  # [R, R]
        share = float((change * mask).sum() / max(float(change.sum()), 1e-12))
        name = channel_name(config, layer, number)
        found.append(RegionChannel(name, float(change[mask > 0].mean()), share))
    return sorted(found, key=lambda one: -one.change)[:SHOWN]


def _mask(box: tuple[float, float, float, float], size: int) -> np.ndarray:
    """float32 [R, R], 1 in the pixels of a region."""
    left, top, right, bottom = box
    if not (0 <= left < right <= 1 and 0 <= top < bottom <= 1):
        raise UserError("the region is left, top, right, bottom, in this order and from 0 to 1")
    mask = np.zeros((size, size), np.float32)
    rows = slice(math.floor(top * size), max(math.floor(top * size) + 1, math.ceil(bottom * size)))
    columns = slice(
        math.floor(left * size), max(math.floor(left * size) + 1, math.ceil(right * size))
    )
    mask[rows, columns] = 1
    return mask


def _cells(mask: np.ndarray) -> np.ndarray:
    """float32 [cells, R, R], weights of means over parts of a region, which may be empty."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    cells = np.zeros((_CELLS * _CELLS, *mask.shape), np.float32)
    for place, (down, across) in enumerate(np.ndindex(_CELLS, _CELLS)):
        part = np.ix_(np.array_split(rows, _CELLS)[down], np.array_split(columns, _CELLS)[across])
        cells[place][part] = 1 / max(1, len(part[0]) * part[1].shape[1])
    return cells


@functools.partial(jax.jit, static_argnames="mode")
def _slopes(
    network: Network, whole: Array, cells: Array, fields: dict[str, Array] | None, mode: str
) -> Array:
    """Derivatives [cells * C, S] of the mean colours of parts of a picture by all channels."""

    def means(s: Array) -> Array:
        styles = split_styles(network.config, s[None])
        image = network.render(styles, mode if fields is None else fields)[0]  # [R, R, C]
        return jnp.einsum("krc,rcd->kd", cells, image).reshape(-1)

    return jnp.asarray(jax.jacrev(means)(whole))


def feature_maps(
    network: Network, styles: AnyStyles, layer: str, noise: Noise = "const"
) -> tuple[np.ndarray, list[int]]:
    """The feature maps that a layer makes of a picture, those that vary most first.

    Args:
      network: that draws the picture.
      styles: {layer: [1, C]} of the picture.
      layer: a convolution, such as "b16.conv1".
      noise: of the picture: "const", "none", or fields by layer.

    Returns:
      float32 [n, R, R], at most 64 maps, each scaled to [-1, 1] by its own range, and the
      numbers of their channels.

    Raises:
      UserError: for a layer that is none, or no convolution.
    """
    maps = activations(network, styles, layer, noise)[0]  # [R, R, C]
    order = np.argsort(-maps.std(axis=(0, 1)), kind="stable")[:_MAPS]
    chosen = np.moveaxis(maps[..., order], -1, 0)
    least, most = chosen.min(axis=(1, 2), keepdims=True), chosen.max(axis=(1, 2), keepdims=True)
    scaled = 2 * (chosen - least) / np.maximum(most - least, 1e-12) - 1
    return scaled.astype(np.float32), [int(number) for number in order]
