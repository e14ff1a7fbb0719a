"""Fréchet distance of two Gaussians (Heusel et al., 2017)."""

import numpy as np

from aligned_jax.errors import UserError
from aligned_jax.metrics.moments import Moments


def frechet_distance(a: Moments, b: Moments, ddof: int = 0) -> float:
    """|mean difference|^2 + tr(A + B - 2 sqrt(A B)) of the covariances A and B.

    With A = R R^T and B = S S^T, tr sqrt(A B) is the sum of the singular values of
    R^T S. That holds whether or not A and B have full rank, so that no multiple of
    the identity has to be added, and loses none of the digits.

    Args:
      a, b: moments of two sets of features of the same width.
      ddof: 0 divides by N as the official metrics do, 1 by N - 1.

    Raises:
      UserError: if the widths differ, or there are too few rows for `ddof`.
    """
    if a.mean.shape != b.mean.shape:
        raise UserError(f"features of {len(a.mean)} and of {len(b.mean)} numbers do not compare")
    first, second = a.covariance(ddof), b.covariance(ddof)
    shared = np.linalg.svd(_root(first).T @ _root(second), compute_uv=False).sum()
    step = a.mean - b.mean
    distance = step @ step + np.trace(first) + np.trace(second) - 2 * shared
    return float(max(distance, 0.0))


def _root(covariance: np.ndarray) -> np.ndarray:
    """R [D, rank] with R R^T the covariance; what only rounding put into it is left out."""
    values, vectors = np.linalg.eigh(covariance)
    kept = values > values.max() * len(values) * np.finfo(np.float64).eps
    return vectors[:, kept] * np.sqrt(values[kept])
