"""The forms for CPUs against the plain convolution: values and derivatives of both modes."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from aligned_jax.ops import strided_conv
from tests.helpers import relative_error

pytestmark = pytest.mark.optimised

FORMS = {
    "up": (strided_conv._cpu_up, strided_conv._plain_up),
    "down": (strided_conv._cpu_down, strided_conv._plain_down),
}


def inputs(size, kernel, seed=0):
    random = np.random.RandomState(seed)
    x = random.randn(2, *size, 3).astype(np.float32)
    return jnp.asarray(x), jnp.asarray(random.randn(*kernel, 3, 4).astype(np.float32))


@pytest.mark.parametrize("way", FORMS)
@pytest.mark.parametrize(
    "size, kernel, factor",
    [((6, 7), (3, 3), 2), ((7, 6), (2, 4), 2), ((9, 8), (3, 5), 3), ((6, 5), (1, 3), 4)],
)
def test_every_derivative_equals_that_of_the_convolution(way, size, kernel, factor):
    x, k = inputs(size, kernel)
    dx, dk = inputs(size, kernel, seed=1)

    def everything(form):
        def convolve(x, k):
            return form(x, k, factor)

        def loss(x, k):
            return jnp.sin(convolve(x, k)).sum()

        def penalty(x, k):  # as R1: derivatives of a gradient's norm
            return jnp.square(jax.grad(loss)(x, k)).sum()

        value, tangent = jax.jvp(convolve, (x, k), (dx, dk))
        first, second = (jax.grad(f, (0, 1))(x, k) for f in (loss, penalty))
        return {"value": value, "tangent": tangent, "first": first, "second": second}

    ours, plain = (jax.jit(everything, static_argnums=0)(form) for form in FORMS[way])
    errors = jax.tree.map(relative_error, ours, plain)
    assert max(jax.tree.leaves(errors)) < 3e-6, errors


@pytest.mark.parametrize("way", FORMS)
def test_the_form_follows_the_backend(way, monkeypatch):
    x, k = inputs((6, 6), (3, 3))
    function = getattr(strided_conv, f"conv_{way}")

    def program(backend):
        monkeypatch.setattr(jax, "default_backend", lambda: backend)
        gradient = jax.grad(lambda x: function(x, k, 2).sum())
        return str(jax.make_jaxpr(gradient)(x))

    assert "dot_general" in program("cpu")
    assert "dot_general" not in program("gpu")


@pytest.mark.slow
@pytest.mark.parametrize("shape, patches", [((1, 3, 4), True), ((1, 3, 5), False)])
def test_with_a_far_larger_kernel_it_is_a_product_with_patches(shape, patches, monkeypatch):
    random = np.random.RandomState(0)
    x = jnp.asarray(random.randn(*shape, 3).astype(np.float32))
    k = jnp.asarray(random.randn(3, 2, 3, 16).astype(np.float32))

    def everything(x, k):
        def loss(x, k):
            return jnp.sin(strided_conv.convolve(x, k, ((1, 1), (0, 1)))).sum()

        return loss(x, k), jax.grad(loss, (0, 1))(x, k)

    def is_convolution():
        return "conv_general_dilated" in str(jax.make_jaxpr(lambda *a: everything(*a))(x, k))

    ours = everything(x, k)
    assert is_convolution() != patches
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    assert is_convolution()
    errors = jax.tree.map(relative_error, ours, everything(x, k))
    assert max(jax.tree.leaves(errors)) < 3e-6, errors
