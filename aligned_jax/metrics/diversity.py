"""LPIPS diversity: how far apart the images of one set are (Zhang et al., 2018)."""

import math
from collections.abc import Sequence

import numpy as np

from aligned_jax.errors import UserError


def pairs_of(
    count: int, most: int, seed: int = 0, groups: Sequence[int] | None = None
) -> np.ndarray:
    """Pairs of different images to compare, int64 [P, 2], each pair at most once.

    Args:
      count: images.
      most: pairs to draw; all pairs are taken if there are no more.
      seed: of the draw.
      groups: a number for each image; only images with the same one are paired.
        Images of one z make diversity within a shared z. None is one group.

    Raises:
      UserError: if no group has two images, or the numbers are not one for each.
    """
    numbers = np.zeros(count, np.int64) if groups is None else np.asarray(groups)
    if numbers.shape != (count,):
        raise UserError(f"{len(numbers)} group numbers were given for {count} images")
    members = [np.flatnonzero(numbers == group) for group in np.unique(numbers)]
    sizes = np.array([math.comb(len(rows), 2) for rows in members])
    total = int(sizes.sum())
    if not total or most < 1:
        raise UserError("diversity needs at least one pair, that is two images in one group")
    if most >= total:
        chosen = np.arange(total)
    else:
        chosen = np.sort(_sample(np.random.default_rng(seed), total, most))
    ends = np.cumsum(sizes)
    group = np.searchsorted(ends, chosen, side="right")
    first, second = _unranked(chosen - (ends - sizes)[group])
    return np.array(
        [(members[g][i], members[g][j]) for g, i, j in zip(group, first, second, strict=True)]
    )


def diversity_of(distances: np.ndarray) -> tuple[float, float]:
    """Mean of the distances of pairs, and the standard error of that mean."""
    distances = np.asarray(distances, np.float64)
    error = distances.std() / math.sqrt(len(distances))
    return float(distances.mean()), float(error)


def _sample(random: np.random.Generator, total: int, count: int) -> np.ndarray:
    """Different numbers below `total`, which may be too large for a permutation."""
    if total < 4 * count:
        return random.permutation(total)[:count]
    drawn = np.unique(random.integers(total, size=count))
    while len(drawn) < count:
        drawn = np.unique(np.append(drawn, random.integers(total, size=count)))
    return random.permutation(drawn)[:count]


def _unranked(rank: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Pairs i < j by number: 0 is (0, 1), 1 is (0, 2), 2 is (1, 2), ..."""
    second = np.floor((1 + np.sqrt(1 + 8 * rank.astype(np.float64))) / 2).astype(np.int64)
    # The square root may round to a neighbour.
    second -= (second * (second - 1) // 2 > rank).astype(np.int64)
    second += (second * (second + 1) // 2 <= rank).astype(np.int64)
    return rank - second * (second - 1) // 2, second
