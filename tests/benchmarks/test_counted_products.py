"""FLOPs of the products of a traced program, by precision."""

import jax
import jax.numpy as jnp
from jax import lax

from aligned_jax.utils.precision import products
from benchmarks.products import Kind, product_flops

X, Y = jnp.zeros((4, 5)), jnp.zeros((5, 6))


def counted(function, *args):
    return dict(product_flops(jax.make_jaxpr(function)(*args)))


def test_products_are_told_apart_by_type_and_precision():
    def both(x, y):
        half = x.astype(jnp.bfloat16) @ y.astype(jnp.bfloat16)
        with products("exact"):
            return x @ y, half

    assert counted(both, X, Y) == {
        Kind("float32", 6): 2 * 4 * 5 * 6,
        Kind("bfloat16", 1): 2 * 4 * 5 * 6,
    }


def test_loops_count_once_and_calls_each_time():
    square = jnp.zeros((3, 3))
    inner = jax.jit(lambda x: x @ x)

    def loop(x):
        x, _ = lax.scan(lambda x, _: (inner(x), None), x, length=7)
        return inner(x)

    assert counted(loop, square) == {Kind("float32", 1): 2 * 2 * 27}


def test_zeros_between_samples_are_no_arithmetic():
    images, kernel = jnp.zeros((2, 8, 8, 3)), jnp.zeros((3, 3, 3, 5))

    def up(x, kernel):
        return lax.conv_general_dilated(
            x, kernel, (1, 1), [(2, 2)] * 2, (2, 2), dimension_numbers=("NHWC", "HWIO", "NHWC")
        )

    assert counted(up, images, kernel) == {Kind("float32", 1): 2 * 2 * 17**2 * 9 * 3 * 5 // 4}
