"""Strips: the same latents in rows, networks in columns (StyleAlign, figures 31 and 32)."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from aligned_jax.networks.network import Network
from aligned_jax.rendering.draw import RenderOptions, render
from aligned_jax.rendering.latent_batch import LatentBatch
from aligned_jax.utils.reporting import QUIET, Reporter
from aligned_jax.viz import check_channels, to_uint8
from aligned_jax.viz.sheet import Sheet

# A label, and what makes the network.
Column = tuple[str, Callable[[], Network]]


def strip_sheet(
    columns: Sequence[Column],
    latents: LatentBatch,
    options: RenderOptions,
    title: str,
    report: Reporter = QUIET,
    made_of: Mapping[str, Any] | None = None,
) -> Sheet:
    """Draws the same latents by several networks, of which one at a time is in memory.

    Args:
      columns: label and maker of each network; all have the same sizes.
      latents: the rows.
      options: how they are drawn.
      title: of the sheet.
      report: hears of every image.
      made_of: what the sheet says of networks and latents.

    Raises:
      UserError: if images of so many channels cannot be shown, or are not finite.
    """
    drawn = []
    with report.progress(len(columns) * len(latents), "images") as advance:
        for _, make in columns:
            network = make()
            check_channels(network.config.img_channels)
            drawn.append(to_uint8(render(network, latents, options, advance)))
    # [columns, rows, H, W, C] -> [rows, columns, H, W, C]
    labels = tuple(label for label, _ in columns)
    images = np.stack(drawn, axis=1)
    return Sheet(images, latents.names, labels, title=title, made_of=made_of or {})
