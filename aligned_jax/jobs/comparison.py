"""A parent and its child side by side: how far weights and images moved."""

from collections.abc import Sequence

import numpy as np

from aligned_jax import weights
from aligned_jax.jobs.comparison_report import Comparison
from aligned_jax.loading import NetworkSource, named_network
from aligned_jax.networks.network import Network
from aligned_jax.rendering.draw import RenderOptions, render
from aligned_jax.rendering.latent_batch import latents_of_seeds
from aligned_jax.utils.reporting import QUIET, Reporter
from aligned_jax.viz import check_channels


def compare(
    parent: NetworkSource,
    child: NetworkSource,
    *,
    seeds: str | Sequence[int] = "0-5",
    psi: float = 0.7,
    label: int | None = None,
    batch: int = 8,
    network_key: str = "G_ema",
    report: Reporter = QUIET,
) -> Comparison:
    """Compares weights, and draws both networks and the child with each component reset.

    Args:
      parent, child: names, or loaded networks.
      seeds: a list, or text such as "0-5".
      psi: truncation; 1 is none.
      label: class of conditional networks.
      batch: images at a time.
      network_key: "G_ema" or "G" of networks that are loaded.
      report: hears of every image.

    Raises:
      UserError: if the networks cannot be loaded, do not fit each other, or cannot be drawn.
    """
    parent_name, old = named_network(parent, network_key)
    child_name, new = named_network(child, network_key)
    check_channels(new.config.img_channels)
    latents = latents_of_seeds(new.config, seeds, label, psi)
    options = RenderOptions(batch=batch)
    changes = weights.compare(old, new)
    components = weights.components_of(new)
    with report.progress((2 + len(components)) * len(latents), "images") as advance:

        def draw(network: Network) -> np.ndarray:
            return render(network, latents, options, advance)

        images = {"parent": draw(old), "child": draw(new)}
        for name in components:
            images[f"reset {name}"] = draw(weights.reset(old, new, name))
    return Comparison(
        parent=old,
        child=new,
        parent_name=parent_name,
        child_name=child_name,
        changes=changes,
        latents=latents,
        images=images,
        shifts={name: _distance(images[f"reset {name}"], images["child"]) for name in components},
        distance=_distance(images["parent"], images["child"]),
    )


def _distance(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.abs(a - b).mean(dtype=np.float64))
