"""Kernel distance: unbiased squared maximum mean discrepancy (Binkowski et al., 2018)."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from aligned_jax.errors import UserError

# Rows of a kernel matrix that exist at a time, where a subset is larger.
_ROWS = 1024


class KernelDistance(NamedTuple):
    """Mean over subsets, their standard deviation, and how many of which size."""

    mean: float
    std: float
    subsets: int
    size: int


def kernel_distance(
    real: np.ndarray,
    generated: np.ndarray,
    subsets: int = 100,
    size: int = 1000,
    seed: int = 0,
) -> KernelDistance:
    """KID with the kernel (x . y / D + 1)^3 over random subsets without replacement.

    As in the official metrics a subset takes rows of the generated features first,
    then of the real ones, from one NumPy legacy stream; the self terms leave the
    diagonal out, the cross term is a mean over all pairs. Products are float32,
    sums float64.

    Args:
      real, generated: features [N, D] and [M, D].
      subsets: number of subsets.
      size: rows of each; all rows of the smaller set if it has fewer.
      seed: of the subsets.

    Raises:
      UserError: if the widths differ, a set has fewer than two rows, or there
        is no subset.
    """
    real, generated = np.asarray(real, np.float32), np.asarray(generated, np.float32)
    _check(real, generated, subsets, size)
    m = min(len(real), len(generated), size)
    drawn = subset_rows(len(real), len(generated), subsets, m, seed)
    values = [squared_mmd(generated[ours], real[theirs]) for ours, theirs in drawn]
    return KernelDistance(float(np.mean(values)), float(np.std(values)), subsets, m)


def subset_rows(
    real: int, generated: int, subsets: int, size: int, seed: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Rows of each subset, [size] of the generated features and [size] of the real ones."""
    random = np.random.RandomState(seed)
    for _ in range(subsets):
        ours = random.choice(generated, size, replace=False)
        yield ours, random.choice(real, size, replace=False)


def squared_mmd(x: np.ndarray, y: np.ndarray) -> float:
    """Unbiased squared MMD of equally many rows, float32 [m, D] each, m at least 2."""
    m = len(x)
    own = (_kernel_sum(x, x) + _kernel_sum(y, y)) / (m - 1)
    return (own - 2 * _kernel_sum(x, y) / m) / m


def _kernel_sum(x: np.ndarray, y: np.ndarray) -> float:
    """Sum of the kernel over all pairs; without the diagonal where `y` is `x`."""
    total = 0.0
    for start in range(0, len(x), _ROWS):
        products = x[start : start + _ROWS] @ y.T
        kernel = (products.astype(np.float64) / x.shape[1] + 1) ** 3
        total += kernel.sum()
        if x is y:
            total -= kernel.diagonal(start).sum()
    return float(total)


def _check(real: np.ndarray, generated: np.ndarray, subsets: int, size: int) -> None:
    shapes = real.shape, generated.shape
    if real.ndim != 2 or generated.ndim != 2 or real.shape[1] != generated.shape[1]:
        raise UserError(
            f"features have shapes {shapes[0]} and {shapes[1]}; expected [N, D], [M, D]"
        )
    if min(len(real), len(generated), size) < 2:
        raise UserError(
            f"a kernel distance of {len(real)} and {len(generated)} images in subsets of {size} is "
            "not defined; every set and subset needs at least 2"
        )
    if subsets < 1:
        raise UserError(f"{subsets} subsets are too few; take at least 1")
