"""Products of machines that are not there: what they round, and by how much."""

import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from aligned_jax.utils.precision import products
from studies import precision
from studies.products import MACHINES, traced

# Norms of errors beside float64, by machine and precision; within a factor of three.
ERRORS = {
    ("tpu", "fast"): 2.5e-3,
    ("tpu", "high"): 5e-6,
    ("gpu", "fast"): 3e-4,
    ("gpu", "high"): 3e-4,
}

ASKED = ("exact", "high", "fast")


@pytest.fixture(scope="module")
def factors():
    random = np.random.default_rng(0)
    return [random.standard_normal(shape).astype(np.float32) for shape in ((16, 64), (64, 8))]


def product(asked):
    def run(x, y):
        with products(asked):
            return x @ y

    return run


@pytest.mark.parametrize(("machine", "asked"), [*ERRORS, ("tpu", "exact"), ("gpu", "exact")])
def test_errors_are_those_of_the_bits_that_are_read(factors, machine, asked):
    x, y = factors
    truth = x.astype(np.float64) @ y.astype(np.float64)
    found = np.asarray(traced(product(asked), x, y).on(MACHINES[machine], x, y))
    error = np.linalg.norm(found - truth) / np.linalg.norm(truth)
    if asked == "exact":
        assert error < 3e-7
    else:
        assert ERRORS[machine, asked] / 3 < error < 3 * ERRORS[machine, asked]


def test_one_pass_multiplies_bfloat16(factors):
    rounded = [np.asarray(jnp.asarray(x, jnp.bfloat16), np.float32) for x in factors]
    found = traced(product("fast"), *factors).on(MACHINES["tpu"], *factors)
    np.testing.assert_allclose(found, rounded[0] @ rounded[1], rtol=1e-5, atol=1e-5)


def test_derivatives_and_convolutions_are_products_too():
    random = np.random.default_rng(1)
    x = random.standard_normal((1, 6, 6, 3)).astype(np.float32)
    kernel = random.standard_normal((3, 3, 3, 4)).astype(np.float32)

    def loss(kernel):
        with products("fast"):
            shape = ("NHWC", "HWIO", "NHWC")
            y = jax.lax.conv_general_dilated(x, kernel, (1, 1), "SAME", dimension_numbers=shape)
        return jnp.square(y).sum()

    slope = traced(jax.jit(jax.grad(loss)), kernel)
    truth = slope.in_float64(kernel)
    assert truth.dtype == np.float64
    plain = np.asarray(jax.grad(loss)(kernel))
    assert 0 < np.abs(plain - truth).max() < 1e-5 * np.abs(truth).max()
    rough = np.asarray(slope.on(MACHINES["tpu"], kernel))
    assert 1e-4 < np.linalg.norm(rough - truth) / np.linalg.norm(truth) < 3e-2


@pytest.mark.slow
def test_the_study_in_miniature(tmp_path, capsys):
    words = "--network zoo:personas64 --resolution 8 --pictures 8 --batch 8 --batches 2"
    words += f" --steps 0,1 --terms Dreg,Gmain --out {tmp_path}"
    precision.main(words.split())
    said = capsys.readouterr().out
    assert said.count("| Dreg | 1 | TPU, fast |") >= 1 and precision.CAPTION in said
    rows = json.loads((tmp_path / "precision.json").read_text())["rows"]
    error = {(row["loss"], row["step"], row["products"]): row["error"] for row in rows}
    for loss in ("Dreg", "Gmain"):
        for step in (0, 1):
            exact, high, fast = (
                error[loss, step, f"TPU, {one}"] for one in ("exact", "high", "fast")
            )
            assert exact < high < fast
