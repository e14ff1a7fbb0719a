"""One edit of a style channel in a parent and its children."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from aligned_jax import semantics
from aligned_jax.errors import UserError
from aligned_jax.jobs.relatives import check_styles_fit, latents_for_all, load_relatives
from aligned_jax.latents import channel_name, parse_channel
from aligned_jax.loading import NetworkSource
from aligned_jax.networks.network import Network
from aligned_jax.rendering.draw import RenderOptions, render
from aligned_jax.rendering.latent_batch import LatentBatch
from aligned_jax.utils.reporting import QUIET, Advance, Reporter
from aligned_jax.viz import to_uint8
from aligned_jax.viz.sheet import Sheet

STRENGTH = 8.0


@dataclass(frozen=True, eq=False)
class ChannelEdit:
    """One style channel, shifted in several networks.

    Attributes:
      sheet: a row for each network; for each latent three columns: less, as it is, and more.
      layer, channel: what was shifted, such as "b16.conv1" and 23.
      name: the same as one word, such as "6_23".
      amount: the shift to either side, in units of the style.
      changes: mean absolute difference of a pixel in [-1, 1] between less and more, by network.
    """

    sheet: Sheet
    layer: str
    channel: int
    name: str
    amount: float
    changes: dict[str, float]


def edit(
    networks: Sequence[NetworkSource],
    *,
    channel: str | None = None,
    random: int | None = None,
    strength: float = STRENGTH,
    names: Sequence[str] | None = None,
    seeds: str | Sequence[int] = "0-2",
    psi: float = 0.7,
    label: int | None = None,
    batch: int = 8,
    network_key: str = "G_ema",
    report: Reporter = QUIET,
) -> ChannelEdit:
    """Shifts one style channel of a parent and its children by the same amount.

    The amount is measured in the parent alone: what the channel means in the parent it
    also means in aligned children (StyleAlign, figures 2, 3 and 9 to 12).

    Args:
      networks: names, or loaded networks, the parent first.
      channel: like "15_45" or "b128.conv1_45" (StyleSpace).
      random: in place of `channel`, the seed of a channel drawn among those that show in the
        parent's images.
      strength: shift to either side, in standard deviations of the channel in the parent.
      names: labels of the rows; by default the networks' own names.
      seeds: a list, or text such as "0-2".
      psi: truncation; 1 is none.
      label: class of conditional networks.
      batch: images at a time.
      network_key: "G_ema" or "G" of networks that are loaded.
      report: hears of every image.

    Raises:
      UserError: if the networks do not fit together, there is no such channel, or for seeds,
        label and truncation that do not fit them.
    """
    if (channel is None) == (random is None):
        raise UserError("give either a channel or the seed of a random one")
    relatives = load_relatives(networks, names, network_key)
    check_styles_fit(relatives)
    parent = next(iter(relatives.values()))
    latents = latents_for_all(relatives, seeds, label, psi)
    (layer, number), amount = _shift(parent, latents, channel, random, strength)
    options = RenderOptions(batch=batch)
    with report.progress(3 * len(relatives) * len(latents), "images") as advance:
        images = {
            name: _images(network, latents, layer, number, amount, options, advance)
            for name, network in relatives.items()
        }
    less, more = f"{-strength:+g}", f"{strength:+g}"
    columns = tuple(text for name in latents.names for text in (less, name, more))
    rows = np.stack([to_uint8(values) for values in images.values()])
    return ChannelEdit(
        sheet=Sheet(rows, tuple(images), columns, group=3),
        layer=layer,
        channel=number,
        name=channel_name(parent.config, layer, number),
        amount=amount,
        changes={name: _change(values) for name, values in images.items()},
    )


def _shift(
    parent: Network,
    latents: LatentBatch,
    channel: str | None,
    random: int | None,
    strength: float,
) -> tuple[semantics.Channel, float]:
    """The channel and its shift, both from the parent alone."""
    chosen = None
    if channel is not None:
        layer, number = parse_channel(parent.config, channel)
        chosen = layer.name, number
    labels = latents.labels(parent.config)
    c = None if labels is None else labels[:1]
    deviations = semantics.style_deviations(parent, psi=latents.psi, c=c)
    if chosen is None:
        ws = parent.mapping(latents.arrays["z"], labels, latents.psi)
        seed = 0 if random is None else random
        [chosen] = semantics.visible_channels(parent, ws, 1, strength, deviations, seed)
    return chosen, strength * float(deviations[chosen[0]][chosen[1]])


def _images(
    network: Network,
    latents: LatentBatch,
    layer: str,
    channel: int,
    amount: float,
    options: RenderOptions,
    advance: Advance,
) -> np.ndarray:
    """Images [3 * N, R, R, C]: less, as it is and more, for every latent."""
    ws = network.mapping(latents.arrays["z"], latents.labels(network.config), latents.psi)
    tripled = {name: np.repeat(value, 3, axis=0) for name, value in network.styles(ws).items()}
    amounts = np.tile(np.asarray([-amount, 0, amount], np.float32), len(latents))
    styles = semantics.shifted(tripled, layer, channel, amounts)
    rows = LatentBatch(
        {f"styles/{name}": np.asarray(value) for name, value in styles.items()},
        tuple(np.repeat(latents.names, 3)),
        np.repeat(latents.numbers, 3),
    )
    return render(network, rows, options, advance)


def _change(images: np.ndarray) -> float:
    """Mean absolute difference between less and more, of images [3 * N, R, R, C]."""
    shown = np.clip(images, -1, 1)
    return float(np.abs(shown[2::3] - shown[::3]).mean())
