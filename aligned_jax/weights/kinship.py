"""Whether networks come from one another, as their weights tell.

Networks that were trained apart have weights that are nearly at right angles; those of a child
lean with its parent's however far it was trained. Biases do not count: all begin alike.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from aligned_jax.types import PyTree
from aligned_jax.weights.components import entries

# Weights lean together if their mean cosine is more than this, and than chance can explain.
_LEAST, _CHANCE = 0.2, 5.0


@dataclass(frozen=True)
class Kinship:
    """Two networks, compared by the kernels and constants that both have in one shape.

    Attributes:
      cosine: of two kernels, mean over all.
      distance: norm of their difference over the geometric mean of their norms, mean over all.
      count: numbers that were compared.
      akin: whether the cosine is larger than chance and separate training explain.
    """

    cosine: float
    distance: float
    count: int
    akin: bool


def kinship(first: PyTree, second: PyTree) -> Kinship:
    """Compares two networks, of whatever sizes; of none in common the cosine is 0."""
    kernels = [_kernels(network) for network in (first, second)]
    cosines, distances, counts = [], [], []
    for path, a in kernels[0].items():
        b = kernels[1].get(path)
        if b is None or a.shape != b.shape or not (a.any() and b.any()):
            continue
        norms = math.sqrt(float((a * a).sum()) * float((b * b).sum()))
        cosines.append(float((a * b).sum()) / norms)
        distances.append(float(np.linalg.norm(a - b)) / math.sqrt(norms))
        counts.append(a.size)
    if not counts:
        return Kinship(0.0, math.inf, 0, False)
    cosine = float(np.mean(cosines))
    # The deviation of the mean cosine of independent kernels.
    chance = math.sqrt(sum(1 / count for count in counts)) / len(counts)
    akin = cosine > max(_LEAST, _CHANCE * chance)
    return Kinship(cosine, float(np.mean(distances)), sum(counts), akin)


def nearest_tree(
    names: Sequence[str], distance: Callable[[str, str], float], akin: Callable[[str, str], bool]
) -> dict[str, str | None]:
    """A tree in which every network hangs on the nearest of those before it.

    Of all pairs of relatives the nearest are joined first (Prim's minimum spanning tree), from the
    first network of each family on: a grandchild hangs on the child that lies between.

    Args:
      names: of the networks, ancestors first where that is known.
      distance: between two of them.
      akin: whether two of them are relatives.

    Returns:
      {name: the one it hangs on, or None for the first of a family}.
    """
    tree: dict[str, str | None] = {}
    for root in names:
        if root in tree:
            continue
        tree[root] = None
        while True:
            pairs = [
                (distance(old, new), k, old, new)
                for old in tree
                for k, new in enumerate(names)
                if new not in tree and akin(old, new)
            ]
            if not pairs:
                break
            _, _, old, new = min(pairs)
            tree[new] = old
    return tree


def _kernels(network: PyTree) -> Mapping[str, np.ndarray]:
    return {
        path: np.asarray(value, np.float64)
        for path, (leaf, value) in entries(network).items()
        if leaf.trainable and path.rpartition("/")[2] in ("weight", "const")
    }
