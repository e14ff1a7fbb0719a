"""Edits of single style channels (StyleSpace; StyleAlign, figures 2, 3 and 9 to 12).

A channel is named by its layer and number, as `latents.parse_channel` reads
them. Shifts are counted in the channel's standard deviations in the *parent*,
so that one edit is the same for a whole family of aligned networks.
"""

from collections.abc import Sequence

import jax.numpy as jnp
import numpy as np

from aligned_jax.config import GeneratorConfig
from aligned_jax.errors import UserError
from aligned_jax.latents import style_layers
from aligned_jax.networks.network import Network
from aligned_jax.types import AnyArray, AnyStyles, Styles

Channel = tuple[str, int]  # layer, number


def shifted(styles: AnyStyles, layer: str, channel: int, amount: float | AnyArray) -> Styles:
    """Styles with `amount` (a number, or [N]) added to one channel.

    Raises:
      UserError: if there is no such layer or channel.
    """
    if layer not in styles or not 0 <= channel < styles[layer].shape[1]:
        raise UserError(f"these styles have no channel {layer}_{channel}")
    arrays: Styles = {name: jnp.asarray(value) for name, value in styles.items()}
    value = arrays[layer]
    return arrays | {layer: value.at[:, channel].add(jnp.asarray(amount, value.dtype))}


def effects(
    network: Network,
    ws: AnyArray,
    channels: Sequence[Channel],
    strength: float,
    deviations: AnyStyles,
) -> np.ndarray:
    """How much each channel changes the network's images.

    Args:
      network: whose images are measured.
      ws: latents [N, L, D] to draw.
      channels: to try, one after the other.
      strength: shift to either side, in standard deviations.
      deviations: of every channel, those of `LatentStatistics`.

    Returns:
      float32 [len(channels)]: mean absolute difference of a pixel, in [-1, 1],
      between the two sides.
    """
    styles = network.styles(ws)
    # Both sides in one batch: [2 * N, C].
    both: Styles = {layer: jnp.concatenate([value, value]) for layer, value in styles.items()}
    signs = jnp.repeat(jnp.asarray([-1.0, 1.0]), ws.shape[0])
    changes = []
    for layer, channel in channels:
        amount = signs * (strength * float(deviations[layer][channel]))
        images = np.asarray(network.render(shifted(both, layer, channel, amount)))
        low, high = np.split(np.clip(images, -1, 1), 2)
        changes.append(np.abs(high - low).mean())
    return np.asarray(changes, np.float32)


def random_channels(config: GeneratorConfig, count: int, seed: int = 0) -> list[Channel]:
    """`count` different channels of the convolutions, drawn at random; all if there are fewer."""
    every = [
        (layer.name, channel)
        for layer in style_layers(config)
        if layer.kind == "conv"
        for channel in range(layer.channels)
    ]
    chosen = np.random.RandomState(seed).permutation(len(every))[:count]
    return [every[place] for place in chosen]


def visible_channels(
    network: Network,
    ws: AnyArray,
    count: int,
    strength: float,
    deviations: AnyStyles,
    seed: int = 0,
    tried: int = 48,
) -> list[Channel]:
    """Random channels that change the network's images visibly, at most one of each layer.

    Of `tried` channels drawn at random, the strongest one of each layer is kept,
    and of these the `count` strongest, in order of evaluation. Only this
    network decides: what the channels do in other networks has no influence on the choice.

    Args:
      network: the parent.
      ws, strength, deviations: as for `effects`.
    """
    channels = random_channels(network.config, tried, seed)
    measured = effects(network, ws, channels, strength, deviations)
    ranked = [channels[place] for place in np.argsort(-measured, kind="stable")]
    strongest: dict[str, Channel] = {}
    for channel in ranked:
        strongest.setdefault(channel[0], channel)
    order = [layer.name for layer in style_layers(network.config)]
    return sorted(list(strongest.values())[:count], key=lambda channel: order.index(channel[0]))
