"""The leaky ReLU of TPUs, whose derivatives come from its result, against the plain one."""

from unittest import mock

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from aligned_jax import ops

SETTINGS = {"gain": 0.9, "clamp": 1.5}


def on(backend, function, *args):
    """What a function computes where the backend is this one."""
    with mock.patch.object(jax, "default_backend", lambda: backend):
        return jax.tree.map(np.asarray, jax.jit(lambda *args: function(*args))(*args))


def activate(x, bias):
    return ops.bias_act(x, bias, activation="lrelu", **SETTINGS)


def orders(x, bias, weight):
    """Value, slopes, and slopes of a penalty on slopes, as R1 has them."""

    def loss(x, bias, weight):
        y = activate(x, bias)
        return (activate(y @ weight, bias) * weight[:1]).sum()

    def penalty(weight):
        return jnp.square(jax.grad(loss)(x, bias, weight)).sum()

    forward = jax.jvp(activate, (x, bias), (weight, bias))
    slopes = jax.grad(loss, (0, 1, 2))(x, bias, weight)
    return activate(x, bias), slopes, jax.grad(penalty)(weight), forward


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_derivatives_of_all_orders_are_those_of_the_plain_form(dtype):
    random = np.random.RandomState(0)
    x, weight = (jnp.asarray(random.standard_normal((6, 6)), dtype) for _ in range(2))
    bias = jnp.asarray(random.standard_normal(6), dtype)
    found = on("tpu", orders, 2 * x, bias, weight)
    expected = on("cpu", orders, 2 * x, bias, weight)
    assert np.any(np.abs(found[0]) == jnp.asarray(1.5, dtype))  # some are clamped
    assert np.any(found[2] != 0)
    for ours, theirs in zip(jax.tree.leaves(found), jax.tree.leaves(expected), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_nothing_but_the_result_is_kept_for_the_derivative():
    x, bias = jnp.ones((4, 5)), jnp.ones(5)

    def kept(backend):
        with mock.patch.object(jax, "default_backend", lambda: backend):
            _, pull = jax.vjp(lambda x: activate(x, bias), x)
        return [leaf.dtype for leaf in jax.tree.leaves(pull) if leaf.shape == x.shape]

    assert kept("cpu") != kept("tpu")


def test_at_the_clamp_itself_the_slope_is_zero():
    x = jnp.float32(1.5)

    def slope(x):
        return jax.grad(lambda x: ops.bias_act(x, activation="lrelu", gain=1.0, clamp=1.5))(x)

    assert on("tpu", slope, x) == 0
    assert on("cpu", slope, x) == 0.5
