"""Relative change of weights by component and resolution."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from aligned_jax.weights import COMPONENTS, compare, reset, table, totals
from aligned_jax.weights.components import entries
from tests.weights.small_generators import pair, random_variables, small


def expected_norms(parent, child):
    """{(component, resolution, trainable): [count, parent norm, change norm]} in float64."""
    sums = {}
    for path, (leaf, old) in entries(parent).items():
        old, new = np.float64(old), np.float64(entries(child)[path][1])
        cell = sums.setdefault(leaf[:3], np.zeros(3))
        cell += (old.size, np.sum(old**2), np.sum((new - old) ** 2))
    return {key: (cell[0], *np.sqrt(cell[1:])) for key, cell in sums.items()}


def test_norms_of_every_component_and_resolution():
    parent, child = pair()
    changes = compare(parent, child)
    expected = expected_norms(parent, child)
    assert len(changes) == len(expected)
    for change in changes:
        size, norm, moved = expected[change.component, change.resolution, change.trainable]
        assert change.count == size
        np.testing.assert_allclose(change.norm_parent, norm, rtol=1e-5)
        np.testing.assert_allclose(change.norm_change, moved, rtol=1e-5)
        np.testing.assert_allclose(change.relative, moved / norm, rtol=1e-5)


def test_rows_are_ordered_and_buffers_apart():
    rows = [(c.trainable, c.component, c.resolution) for c in compare(*pair())]
    trained = [row[1:] for row in rows if row[0]]
    assert rows == [(True, *row) for row in trained] + [
        (False, "mapping", None),
        *((False, "noise", resolution) for resolution in (4, 8, 16)),
    ]
    assert trained[:3] == [("mapping", None), ("affine_conv", 4), ("affine_conv", 8)]
    order = [COMPONENTS.index(name) for name, _ in trained]
    assert order == sorted(order)


def test_totals():
    parent, child = pair()
    expected = {}
    for (name, _, trainable), (size, norm, moved) in expected_norms(parent, child).items():
        cell = expected.setdefault((name, trainable), np.zeros(3))
        cell += (size, norm**2, moved**2)
    summed = totals(compare(parent, child))
    assert len(summed) == len(expected)
    for change in summed:
        size, norm, moved = expected[change.component, change.trainable]
        assert change.resolution is None
        assert change.count == size
        np.testing.assert_allclose(change.relative, np.sqrt(moved / norm), rtol=1e-5)


def test_change_is_relative_to_the_parent():
    parent, child = pair()
    there, back = (compare(*order)[1].relative for order in [(parent, child), (child, parent)])
    assert there != back


def test_only_what_changed_shows():
    parent, child = pair()
    moved = {c.component for c in compare(parent, reset(child, parent, "torgb")) if c.relative}
    assert moved == {"torgb"}
    assert not any(c.relative for c in compare(parent, parent))


def test_parent_without_norm():
    parent, child = pair()
    parent = jax.tree.map(np.zeros_like, parent)
    assert all(np.isinf(change.relative) for change in compare(parent, child))
    assert all(change.relative == 0 for change in compare(parent, parent))


@pytest.mark.parametrize("trainable", [True, False])
def test_table(trainable):
    changes = compare(*pair())
    components, resolutions, values = table(changes, trainable)
    assert components == (COMPONENTS if trainable else ("mapping", "noise"))
    assert resolutions == (None, 4, 8, 16)
    assert values.shape == (len(components), 4)
    cells = {
        (c.component, c.resolution): float(c.relative) for c in changes if c.trainable == trainable
    }
    for (row, column), value in np.ndenumerate(values):
        expected = cells.get((components[row], resolutions[column]), np.nan)
        np.testing.assert_equal(value, expected)


@pytest.mark.slow
def test_jit_and_gradient():
    parent, child = random_variables(small(8), 1), random_variables(small(8), 2)

    def by_component(a, b):
        return {c.component: c.relative for c in totals(compare(a, b)) if c.trainable}

    def relative_torgb(b):
        return by_component(parent, b)["torgb"]

    compiled = jax.jit(compare)(parent, child)
    for eager, traced in zip(compare(parent, child), compiled, strict=True):
        assert (eager.component, eager.count) == (traced.component, traced.count)
        np.testing.assert_allclose(traced.relative, eager.relative, rtol=1e-6)
    gradient = entries(jax.jit(jax.grad(relative_torgb))(child))
    at_rest = jax.jit(jax.grad(relative_torgb))(parent)
    norm = {c.component: c for c in totals(compare(parent, child)) if c.trainable}["torgb"]
    for path, (leaf, value) in gradient.items():
        step = np.asarray(entries(child)[path][1]) - entries(parent)[path][1]
        expected = step / (norm.norm_change * norm.norm_parent) * float(leaf.component == "torgb")
        np.testing.assert_allclose(value, expected, rtol=1e-4, atol=1e-8)
    assert all(not jnp.any(value) for value in jax.tree.leaves(at_rest))
