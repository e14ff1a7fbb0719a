"""Mean and deviation of W and of every style channel, over random latents.

One unit serves every shift of the package: the standard deviation of a channel, or of W, in the
*parent*, over latents that are not truncated. Truncation of what is drawn never changes a shift.
"""

from dataclasses import dataclass

import jax
import numpy as np

from aligned_jax.errors import UserError
from aligned_jax.latents import sample_z, style_layers
from aligned_jax.latents.labels import labels_for
from aligned_jax.networks import fingerprint
from aligned_jax.networks.network import Network
from aligned_jax.types import Array
from aligned_jax.utils.reporting import Advance, no_advance

COUNT = 100_000
_BATCH = 1000
# Rows, their mean, and the sum of squared deviations from it, in float64.
Moments = tuple[int, np.ndarray, np.ndarray]


@dataclass(frozen=True, eq=False)
class LatentStatistics:
    """What W and S of a network are like at psi 1.

    Attributes:
      network: `networks.fingerprint` of the network's variables.
      count, seed: latents that were drawn, and the seed of their key.
      label: class of a conditional network; None if it is not.
      w_mean, w_std: float32 [w_dim].
      mean, std: {layer: float32 [C]}, in order of evaluation.
    """

    network: str
    count: int
    seed: int
    label: int | None
    w_mean: np.ndarray
    w_std: np.ndarray
    mean: dict[str, np.ndarray]
    std: dict[str, np.ndarray]


def latent_statistics(
    network: Network,
    count: int = COUNT,
    seed: int = 0,
    label: int | None = None,
    advance: Advance = no_advance,
) -> LatentStatistics:
    """Draws latents, batch by batch, and keeps their mean and deviation alone.

    Args:
      network: usually the parent of a family.
      count: latents; memory does not grow with it.
      seed: of the latents.
      label: class of a conditional network.
      advance: hears of every latent.

    Raises:
      UserError: if a conditional network gets no label, another one does, or count is not
        positive.
    """
    if count < 1:
        raise UserError(f"{count} latents; statistics need at least one")
    key = jax.random.key(seed)
    labels = labels_for(network.config, label, _BATCH)
    sums: dict[str, Moments] = {}
    for start in range(0, count, _BATCH):
        # Whole batches, so that one program serves all; what is too much is left out.
        size = min(_BATCH, count - start)
        z = sample_z(jax.random.fold_in(key, start), network.config, _BATCH)
        for name, row in _w_and_styles(network, z, labels).items():
            part = _moments(np.asarray(row[:size], np.float64))
            sums[name] = _joined(sums[name], part) if name in sums else part
        advance(size)
    mean = {name: value.astype(np.float32) for name, (_, value, _) in sums.items()}
    std = {name: np.sqrt(m2 / n).astype(np.float32) for name, (n, _, m2) in sums.items()}
    layers = [layer.name for layer in style_layers(network.config)]
    return LatentStatistics(
        network=fingerprint(network.variables),
        count=count,
        seed=seed,
        label=label,
        w_mean=mean["w"],
        w_std=std["w"],
        mean={name: mean[name] for name in layers},
        std={name: std[name] for name in layers},
    )


def _w_and_styles(network: Network, z: Array, labels: np.ndarray | None) -> dict[str, Array]:
    """{"w": [N, D], layer: [N, C]} at psi 1."""
    ws = network.mapping(z, labels)
    return {"w": ws[:, 0], **network.styles(ws)}


def _moments(rows: np.ndarray) -> Moments:
    mean = rows.mean(axis=0)
    return len(rows), mean, ((rows - mean) ** 2).sum(axis=0)


def _joined(first: Moments, second: Moments) -> Moments:
    """Moments of both sets of rows (Chan et al. 1979): no large numbers are subtracted."""
    (n, mean, squares), (m, other, others) = first, second
    gap = other - mean
    total = n + m
    return total, mean + gap * (m / total), squares + others + gap**2 * (n * m / total)
