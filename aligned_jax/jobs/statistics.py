"""Statistics of a network's latents, computed once on a machine."""

from pathlib import Path
from typing import Any

import numpy as np

from aligned_jax.convert.files.kept_arrays import Shape, keep, kept, kept_name
from aligned_jax.latents import style_layers
from aligned_jax.networks import fingerprint
from aligned_jax.networks.network import Network
from aligned_jax.semantics.statistics import COUNT, LatentStatistics, latent_statistics
from aligned_jax.utils import paths
from aligned_jax.utils.reporting import QUIET, Reporter

# Raised when what is stored, or how it is computed, changes.
_VERSION = 1
_W = "w"


def known_statistics(
    network: Network,
    *,
    count: int = COUNT,
    seed: int = 0,
    label: int | None = None,
    report: Reporter = QUIET,
) -> LatentStatistics:
    """`semantics.latent_statistics`, from the user's cache folder if they were computed before.

    What cannot be read is computed again; what cannot be written is not kept.

    Raises:
      UserError: as `semantics.latent_statistics`.
    """
    facts = {
        "network": fingerprint(network.variables),
        "count": count,
        "seed": seed,
        "label": label,
    }
    file = paths.cache_folder("statistics") / f"{kept_name(_VERSION, facts)}.npz"
    stored = _stored(file, network, facts)
    if stored is not None:
        return stored
    with report.progress(count, "latents") as advance:
        computed = latent_statistics(network, count, seed, label, advance)
    keep(
        file,
        {
            **{f"mean/{layer}": value for layer, value in computed.mean.items()},
            **{f"std/{layer}": value for layer, value in computed.std.items()},
            f"mean/{_W}": computed.w_mean,
            f"std/{_W}": computed.w_std,
        },
    )
    return computed


def _stored(file: Path, network: Network, facts: dict[str, Any]) -> LatentStatistics | None:
    widths = {layer.name: layer.channels for layer in style_layers(network.config)}
    widths[_W] = network.config.w_dim
    shapes: dict[str, Shape] = {
        f"{kind}/{layer}": (width,) for kind in ("mean", "std") for layer, width in widths.items()
    }
    arrays = kept(file, shapes)
    if arrays is None:
        return None
    mean, std = (
        {layer: arrays[f"{kind}/{layer}"].astype(np.float32) for layer in widths}
        for kind in ("mean", "std")
    )
    return LatentStatistics(**facts, w_mean=mean.pop(_W), w_std=std.pop(_W), mean=mean, std=std)
