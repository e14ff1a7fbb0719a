"""How far fine-tuning moved each part of a network: ||child - parent|| / ||parent||."""

import functools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np

from aligned_jax.types import Array, PyTree
from aligned_jax.weights.components import COMPONENTS, Leaf
from aligned_jax.weights.structure import aligned_leaves


@functools.partial(
    jax.tree_util.register_dataclass,
    data_fields=["norm_parent", "norm_change"],
    meta_fields=["component", "resolution", "trainable", "count"],
)
@dataclass(frozen=True)
class Change:
    """Change of one component at one resolution (None: the mapping, or a total).

    `norm_parent` and `norm_change` are Euclidean norms, float32 scalars, over
    `count` numbers. `trainable` is False for buffers, noise maps and w_avg,
    which are never mixed with trained weights. A pytree, so that a change can
    be returned from jit or differentiated, as a regulariser needs.
    """

    component: str
    resolution: int | None
    trainable: bool
    count: int
    norm_parent: Array
    norm_change: Array

    @property
    def relative(self) -> Array:
        """norm_change / norm_parent; where the parent is zero, 0 if the child is too, else inf.

        Fresh noise strengths and biases are zero, so inf occurs in practice
        and says that the component has no scale to measure a change by.
        """
        zero = self.norm_parent == 0
        ratio = self.norm_change / jnp.where(zero, 1.0, self.norm_parent)
        return jnp.where(zero, jnp.where(self.norm_change == 0, 0.0, jnp.inf), ratio)


def compare(parent: PyTree, child: PyTree) -> list[Change]:
    """Change of every component at every resolution, trained weights and buffers apart.

    Rows are in the order of COMPONENTS, then by resolution, trained weights
    first. Jit-able, and differentiable in both networks; the gradient of an
    unchanged component is 0.

    Raises:
      ConfigError: if the networks do not fit, with every difference.
    """
    sums: dict[tuple[str, int | None, bool], list[tuple[int, Array, Array]]] = {}
    for leaf, old, new in aligned_leaves({"parent": parent, "child": child}, base="parent"):
        squares = _squares(jnp.asarray(old), jnp.asarray(new))
        sums.setdefault(_row(leaf), []).append((old.size, *squares))
    return [_change(key, sums[key]) for key in sorted(sums, key=_order)]


def totals(changes: Iterable[Change]) -> list[Change]:
    """Changes summed over resolutions: one row for each component and kind of weight."""
    sums: dict[tuple[str, int | None, bool], list[tuple[int, Array, Array]]] = {}
    for change in changes:
        squares = (jnp.square(change.norm_parent), jnp.square(change.norm_change))
        sums.setdefault((change.component, None, change.trainable), []).append(
            (change.count, *squares)
        )
    return [_change(key, sums[key]) for key in sorted(sums, key=_order)]


def table(
    changes: Sequence[Change], trainable: bool = True
) -> tuple[tuple[str, ...], tuple[int | None, ...], np.ndarray]:
    """Relative changes as a matrix: components, resolutions, float64 [components, resolutions].

    Resolution None, the mapping's, comes first. Cells without weights are nan.
    """
    chosen = [change for change in changes if change.trainable == trainable]
    present = {change.component for change in chosen}
    components = tuple(name for name in COMPONENTS if name in present)
    resolutions = tuple(sorted({change.resolution for change in chosen}, key=lambda r: r or 0))
    values = np.full((len(components), len(resolutions)), np.nan)
    for change in chosen:
        row, column = components.index(change.component), resolutions.index(change.resolution)
        values[row, column] = float(change.relative)
    return components, resolutions, values


def _row(leaf: Leaf) -> tuple[str, int | None, bool]:
    return leaf.component, leaf.resolution, leaf.trainable


def _order(key: tuple[str, int | None, bool]) -> tuple[bool, int, int]:
    component, resolution, trainable = key
    return not trainable, COMPONENTS.index(component), resolution or 0


def _change(key: tuple[str, int | None, bool], parts: Sequence[tuple[int, Array, Array]]) -> Change:
    count = sum(size for size, _, _ in parts)
    parent = _root(_sum([square for _, square, _ in parts]))
    change = _root(_sum([square for _, _, square in parts]))
    return Change(*key, count, parent, change)


def _sum(values: Sequence[Array]) -> Array:
    total = values[0]
    for value in values[1:]:
        total = total + value
    return total


@jax.jit
def _squares(old: Array, new: Array) -> tuple[Array, Array]:
    """Squared norms of the parent and of the change."""
    old, new = old.astype(jnp.float32), new.astype(jnp.float32)
    return jnp.sum(jnp.square(old)), jnp.sum(jnp.square(new - old))


def _root(square: Array) -> Array:
    """Square root with gradient 0 at 0, where the true one is infinite."""
    positive = square > 0
    return jnp.where(positive, jnp.sqrt(jnp.where(positive, square, 1.0)), 0.0)
