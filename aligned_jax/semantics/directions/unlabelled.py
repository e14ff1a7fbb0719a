"""Directions that need no labels: principal components and closed-form factors.

GANSpace (Härkönen et al. 2020): principal components of latents. SeFa (Shen and Zhou 2021):
eigenvectors of the affine layers' weights. Both come sorted by their values, largest first, and
their sign is fixed: of each vector the entry of the largest size is positive.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from aligned_jax.errors import UserError
from aligned_jax.latents import style_layers
from aligned_jax.networks.network import Network


@dataclass(frozen=True, eq=False)
class Factors:
    """Orthogonal directions, sorted.

    Attributes:
      vectors: float64 [K, F], of length 1.
      values: [K], falling: variance along a component, or squared change of the styles.
      share: [K], of the sum of all values.
    """

    vectors: np.ndarray
    values: np.ndarray
    share: np.ndarray


def principal_components(x: np.ndarray, count: int) -> Factors:
    """Principal components of latents or styles.

    Args:
      x: rows [N, F]; at least two.
      count: of components, at most F.

    Raises:
      UserError: for too few rows, or more components than there can be.
    """
    if len(x) < 2:
        raise UserError(f"{len(x)} latents; principal components need at least 2")
    centred = np.asarray(x, np.float64) - x.mean(axis=0)
    return _sorted(centred.T @ centred / len(x), count)


def closed_form(
    network: Network,
    count: int,
    rows: Sequence[int] | None = None,
    normalise: bool = True,
    torgb: bool = True,
) -> Factors:
    """Directions of W in which the styles of a network change most (SeFa, section 3).

    Args:
      network: whose affine layers are looked at.
      count: of directions, at most w_dim.
      rows: only layers that read these rows of W+; None for all.
      normalise: whether the weights of every style channel get length 1 first, as in the
        authors' code; without it, channels count by their size.
      torgb: whether layers that make colours count.

    Raises:
      UserError: if no layer is left, or for more directions than there can be.
    """
    names = [
        layer.name
        for layer in style_layers(network.config)
        if (torgb or layer.kind == "conv") and (rows is None or layer.w_row in rows)
    ]
    if not names:
        raise UserError("no style layer reads these rows alone; allow toRGB or other rows")
    # Affine: what a unit step along each axis of W changes is the weight.
    axes = np.eye(network.config.w_dim, dtype=np.float32)
    styles, origin = network.styles(axes), network.styles(np.zeros_like(axes[:1]))
    weights = np.concatenate(
        [np.asarray(styles[name] - origin[name], np.float64) for name in names], axis=1
    )
    if normalise:
        length = np.linalg.norm(weights, axis=0)
        alive = length > 1e-12  # a channel that nothing moves has no direction
        weights = weights[:, alive] / length[alive]
    return _sorted(weights @ weights.T, count)


def _sorted(matrix: np.ndarray, count: int) -> Factors:
    """Eigenvectors of a symmetric matrix [F, F], largest values first."""
    if not 1 <= count <= len(matrix):
        raise UserError(f"{count} directions were asked for; there are 1 to {len(matrix)}")
    values, vectors = np.linalg.eigh(matrix)
    total = float(values.clip(0).sum())
    if not total > 0:
        raise UserError("nothing varies here, so that there are no directions")
    values, vectors = values[::-1][:count].clip(0), vectors.T[::-1][:count]
    largest = np.abs(vectors).argmax(axis=1)
    signs = np.sign(vectors[np.arange(count), largest])
    return Factors(vectors * signs[:, None], values, values / total)
