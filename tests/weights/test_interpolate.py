"""Interpolation: exact endpoints, right gradients, weights by part."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from aligned_jax.errors import UserError
from aligned_jax.weights import interpolate
from aligned_jax.weights.components import entries
from aligned_jax.weights.interpolate import lerp
from tests.helpers import same_bits
from tests.weights.small_generators import pair, small, sources

EDGE = np.array([0.0, -0.0, 1.0, -0.0, 0.0, 1e-42, 3e38, np.inf], np.float32)
OTHER = np.array([-0.0, 0.0, -1.0, -0.0, 5.0, -1e-42, -3e38, 2.0], np.float32)


@pytest.mark.parametrize("weight", [0, 0.0, np.float64(0), jnp.float32(0.0), -0.0])
def test_zero_is_the_first(weight):
    a, b = pair()
    assert same_bits(interpolate(a, b, weight), a)
    assert same_bits(lerp(EDGE, OTHER, weight), EDGE)


@pytest.mark.parametrize("weight", [1, 1.0, np.array(1.0), jnp.float32(1.0)])
def test_one_is_the_second(weight):
    a, b = pair()
    assert same_bits(interpolate(a, b, weight), b)
    assert same_bits(lerp(EDGE, OTHER, weight), OTHER)


def test_endpoints_hold_for_a_traced_weight():
    a, b = pair()
    compiled = jax.jit(interpolate)
    assert same_bits(compiled(a, b, 0.0), a)
    assert same_bits(compiled(a, b, 1.0), b)
    assert same_bits(compiled(a, b, 0.3), interpolate(a, b, 0.3))


@pytest.mark.parametrize("weight", [0.3, 0.7, -0.5, 1.5])
def test_values_between_and_beyond(weight):
    a, b = pair()
    result = entries(interpolate(a, b, weight))
    for path, (_, value) in entries(a).items():
        expected = (1 - weight) * np.float64(value) + weight * np.float64(entries(b)[path][1])
        np.testing.assert_allclose(result[path][1], expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("weight", [0.1, 0.3, 0.7, 1.9])
def test_equal_weights_stay_as_they_are(weight):
    a, _ = pair()
    assert same_bits(interpolate(a, a, weight), a)
    assert same_bits(lerp(EDGE, EDGE, weight), EDGE)


@pytest.mark.parametrize("weight", [0.0, 0.4, 1.0])
def test_gradients_at_and_between_the_endpoints(weight):
    a = np.array([0.5, -0.0, 2.0, 1.0], np.float32)
    b = np.array([1.0, 0.25, -1.0, 1.0], np.float32)
    by_a, by_b, by_weight = jax.jacobian(lerp, argnums=(0, 1, 2))(a, b, jnp.float32(weight))
    np.testing.assert_allclose(by_weight, b - a, rtol=1e-6)
    np.testing.assert_allclose(by_a, np.eye(4) * (1 - weight), rtol=1e-6)
    np.testing.assert_allclose(by_b, np.eye(4) * weight, rtol=1e-6)
    # The loss is quadratic in the weight, so its curvature is 2 * sum((b - a) ** 2).
    curvature = jax.hessian(lambda w: jnp.sum(jnp.square(lerp(a, b, w))))(jnp.float32(weight))
    np.testing.assert_allclose(curvature, 2 * np.sum((b - a) ** 2), rtol=1e-5)


def test_gradient_of_a_network_with_respect_to_weights_by_component():
    a, b = pair(small(8))

    def total(weights):
        return sum(jnp.sum(value) for value in jax.tree.leaves(interpolate(a, b, weights)))

    gradient = jax.jit(jax.grad(total))({"conv": 0.0, "torgb": 1.0})
    for name, value in gradient.items():
        moved = [
            np.sum(np.float64(entries(b)[path][1]) - x)
            for path, (leaf, x) in entries(a).items()
            if leaf.component == name
        ]
        np.testing.assert_allclose(value, sum(moved), rtol=1e-4)


@pytest.mark.parametrize(
    ("weight", "options"),
    [
        (1.0, {"components": "conv", "resolutions": [8]}),
        ({"conv": 1.0}, {"resolutions": "8"}),
        ({8: 1.0}, {"components": ("conv",)}),
        ({"8": 1, 4: 0.0}, {"components": "conv"}),
    ],
)
def test_four_ways_to_say_convolutions_at_8(weight, options):
    a, b = pair()
    origins = sources(interpolate(a, b, weight, **options), a=a, b=b)
    for path, (leaf, _) in entries(a).items():
        chosen = leaf.component == "conv" and leaf.resolution == 8
        assert origins[path] == ("b" if chosen else "a"), path


def test_each_part_takes_its_own_weight():
    a, b = pair()
    by_component = interpolate(a, b, {"mapping": 1.0, "affine": 0.5, "const": 0.0})
    by_resolution = interpolate(a, b, {4: 1.0, 16: 0.25})
    parts = {"mapping": 1.0, "affine_conv": 0.5, "affine_torgb": 0.5}
    for path, (leaf, value) in entries(a).items():
        other = entries(b)[path][1]
        expected = lerp(value, other, parts.get(leaf.component, 0.0))
        assert same_bits(entries(by_component)[path][1], expected), path
        expected = lerp(value, other, {4: 1.0, 16: 0.25}.get(leaf.resolution, 0.0))
        assert same_bits(entries(by_resolution)[path][1], expected), path


@pytest.mark.parametrize(
    ("weight", "options", "message"),
    [
        (float("nan"), {}, "weight is nan; it must be one finite number"),
        ("0.5", {}, "weight is '0.5'"),
        (None, {}, "weight is None"),
        (np.zeros(2), {}, "one finite number"),
        ({"conv": float("inf")}, {}, "weight of conv is inf"),
        ({}, {}, "weights are given for nothing"),
        ({"conv": 0.1, 8: 0.2}, {}, "weights are given for conv, 8; give them all by"),
        ({"conv": 0.1}, {"components": "conv"}, "already name the components"),
        ({8: 0.1}, {"resolutions": [8]}, "already name the resolutions"),
        ({"affine": 0.1, "affine-conv": 0.2}, {}, "name affine-conv more than once"),
        ({8: 0.1, "8": 0.2}, {}, "name 8 more than once"),
        ({"colour": 0.1}, {}, "no such component: 'colour'"),
        ({64: 0.1}, {}, "no such resolution: 64; this network has 4, 8, 16"),
    ],
)
def test_errors(weight, options, message):
    a, b = pair()
    with pytest.raises(UserError, match=message):
        interpolate(a, b, weight, **options)


@pytest.mark.slow
def test_many_weights_at_once():
    a, b = pair(small(8))
    weights = np.array([0.0, 0.25, 1.0], np.float32)
    strip = jax.vmap(lambda weight: interpolate(a, b, weight))(weights)
    for i, weight in enumerate(weights):
        one = jax.tree.map(lambda x, i=i: x[i], strip)
        assert same_bits(one, interpolate(a, b, weight))
