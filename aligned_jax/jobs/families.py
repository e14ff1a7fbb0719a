"""The same latents drawn by a parent and its children, row by row."""

from collections.abc import Sequence

import numpy as np

from aligned_jax.jobs.relatives import latents_for_all, load_relatives
from aligned_jax.loading import NetworkSource
from aligned_jax.rendering.draw import RenderOptions, render
from aligned_jax.rendering.records import picture_facts
from aligned_jax.utils.reporting import QUIET, Reporter
from aligned_jax.viz import to_uint8
from aligned_jax.viz.sheet import Sheet


def family(
    networks: Sequence[NetworkSource],
    *,
    names: Sequence[str] | None = None,
    seeds: str | Sequence[int] = "0-7",
    psi: float = 0.7,
    label: int | None = None,
    batch: int = 8,
    network_key: str = "G_ema",
    report: Reporter = QUIET,
) -> Sheet:
    """Draws a row for each network and a column for each seed (StyleAlign, figures 2, 14 and 34).

    Args:
      networks: names, or loaded networks, the parent first.
      names: labels of the rows; by default the networks' own names.
      seeds: a list, or text such as "0-7".
      psi: truncation; 1 is none.
      label: class of conditional networks.
      batch: images at a time.
      network_key: "G_ema" or "G" of networks that are loaded.
      report: hears of every image.

    Raises:
      UserError: if the networks cannot be loaded or drawn together, or for seeds, label and
        truncation that do not fit them.
    """
    relatives = load_relatives(networks, names, network_key)
    latents = latents_for_all(relatives, seeds, label, psi)
    options = RenderOptions(batch=batch)
    with report.progress(len(relatives) * len(latents), "images") as advance:
        drawn = [
            to_uint8(render(network, latents, options, advance)) for network in relatives.values()
        ]
    title = "The same latents drawn by every network"
    facts = picture_facts(relatives, latents)
    images = np.stack(drawn)
    return Sheet(images, tuple(relatives), latents.names, title=title, made_of=facts)
