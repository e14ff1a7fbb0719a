"""Statistics of a network's latents, computed once on a machine."""

import contextlib
import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np

from aligned_jax import viz
from aligned_jax.convert.files.arrays import DAMAGE
from aligned_jax.errors import UserError
from aligned_jax.latents import style_layers
from aligned_jax.networks import fingerprint
from aligned_jax.networks.network import Network
from aligned_jax.semantics.statistics import COUNT, LatentStatistics, latent_statistics
from aligned_jax.utils import paths
from aligned_jax.utils.reading import open_regular
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
    text = json.dumps([_VERSION, facts], sort_keys=True)
    name = f"{hashlib.sha256(text.encode()).hexdigest()[:32]}.npz"
    file = paths.cache_folder("statistics") / name
    stored = _load(file, network, facts)
    if stored is not None:
        return stored
    with report.progress(count, "latents") as advance:
        computed = latent_statistics(network, count, seed, label, advance)
    arrays: dict[str, Any] = {
        **{f"mean/{layer}": value for layer, value in computed.mean.items()},
        **{f"std/{layer}": value for layer, value in computed.std.items()},
        f"mean/{_W}": computed.w_mean,
        f"std/{_W}": computed.w_std,
    }
    with contextlib.suppress(UserError), viz.writing(file, overwrite=True) as opened:
        np.savez(opened, **arrays)
    return computed


def _load(file: Path, network: Network, facts: dict[str, Any]) -> LatentStatistics | None:
    widths = {layer.name: layer.channels for layer in style_layers(network.config)}
    widths[_W] = network.config.w_dim
    tables: dict[str, dict[str, np.ndarray]] = {}
    try:
        with open_regular(file) as opened, np.load(opened, allow_pickle=False) as arrays:
            for kind in ("mean", "std"):
                tables[kind] = {layer: arrays[f"{kind}/{layer}"] for layer in widths}
    except (*DAMAGE, KeyError, TypeError, MemoryError):
        return None
    for table in tables.values():
        if any(table[layer].shape != (width,) for layer, width in widths.items()):
            return None
    mean, std = tables["mean"], tables["std"]
    return LatentStatistics(**facts, w_mean=mean.pop(_W), w_std=std.pop(_W), mean=mean, std=std)
