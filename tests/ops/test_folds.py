"""Folded maps and planar pictures against the plain formulation: values and derivatives."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from aligned_jax import ops
from aligned_jax.ops import folds
from aligned_jax.ops.folds import FLAT, RowFold
from tests.helpers import relative_error

SIZE, INPUTS, OUTPUTS, BATCH = 8, 3, 2, 2
DEFAULT, SKEWED = (1, 3, 3, 1), (1, 4, 2)
# What it is given, what it returns, factor, filter.
CASES = {
    "phases": (FLAT, FLAT, 2, DEFAULT),
    "phases, skewed filter": (FLAT, FLAT, 2, SKEWED),
    "phases, no filter": (FLAT, FLAT, 2, None),
    "into rows": (FLAT, RowFold(2), 2, DEFAULT),
    "more rows": (RowFold(2, 1), RowFold(4), 2, DEFAULT),
    "fewer rows": (RowFold(4, 2), RowFold(2), 2, DEFAULT),
    "half a block on": (RowFold(4), RowFold(4, 2), 1, None),
}
LONGER = ("phases, skewed filter", "phases, no filter", "into rows")


def normal(seed, *shape):
    return jnp.asarray(np.random.RandomState(seed).randn(*shape).astype(np.float32))


def arguments(up, seed=0):
    x = normal(seed, BATCH, SIZE, SIZE, INPUTS)
    weight, styles = normal(seed + 1, 3, 3, INPUTS, OUTPUTS), normal(seed + 2, BATCH, INPUTS)
    return x, weight, styles, normal(seed + 3, 1, up * SIZE, up * SIZE, 1)


def plain(up, taps):
    f = ops.setup_filter(taps)

    def run(x, weight, styles, noise):
        return ops.modulated_conv2d(
            x, weight, styles, noise, up, padding=1, resample_filter=f, flip_weight=up == 1
        )

    return run


def folded(source, target, up, taps, outside=0.0):
    """The same, with numbers outside of the map that nobody may read."""
    f = ops.setup_filter(taps)

    def run(x, weight, styles, noise):
        mask = folds.rows_inside(source, SIZE, INPUTS)
        x = folds.fold_rows(x, source)
        x = x if mask is None else jnp.where(mask, x, jnp.asarray(outside, x.dtype))
        y = ops.modulated_conv2d_folded(x, weight, styles, noise, source, target, up, f)
        y = ops.spread(y, up * source.rows // target.rows, up)
        assert y.shape[1] == target.blocks(up * SIZE)
        return ops.unfold_rows(y, target, up * SIZE)

    return run


@pytest.mark.parametrize("fold", [FLAT, RowFold(2), RowFold(2, 1), RowFold(4, 2), RowFold(8, 4)])
@pytest.mark.parametrize("height", [8, 7])
def test_unfolding_brings_a_map_back(fold, height):
    x = normal(0, 2, height, 3, 2)
    y = folds.fold_rows(x, fold)
    assert y.shape == (2, fold.blocks(height), 3, 2 * fold.rows)
    np.testing.assert_array_equal(folds.unfold_rows(y, fold, height), x)
    assert float(jnp.abs(y).sum()) == pytest.approx(float(jnp.abs(x).sum()))
    mask = folds.rows_inside(fold, height, 2)
    whole = np.ones(y.shape, bool) if mask is None else np.broadcast_to(mask, y.shape)
    np.testing.assert_array_equal(whole, np.asarray(y != 0))


def everything(form, up):
    """Value, tangent, and first and second derivatives, from one compiled program."""

    @jax.jit
    def run(given, direction):
        def loss(*given):
            return jnp.sin(form(*given)).sum()

        def penalty(*given):  # as R1 and path lengths: derivatives of a gradient's norm
            gradients = jax.grad(loss, (0, 2))(*given)
            return sum(jnp.square(g).sum() for g in gradients)

        value, tangent = jax.jvp(form, given, direction)
        first, second = (jax.grad(f, (0, 1, 2, 3))(*given) for f in (loss, penalty))
        return {"value": value, "tangent": tangent, "first": first, "second": second}

    return run(arguments(up), arguments(up, seed=9))


@functools.cache
def expected(up, taps):
    return everything(plain(up, taps), up)


@pytest.mark.parametrize(
    "case", [pytest.param(c, marks=pytest.mark.slow if c in LONGER else ()) for c in CASES]
)
def test_every_derivative_equals_that_of_the_plain_formulation(case):
    up, taps = CASES[case][2:]
    ours = everything(folded(*CASES[case], outside=7.0), up)
    errors = jax.tree.map(relative_error, ours, expected(up, taps))
    assert max(jax.tree.leaves(errors)) < 5e-6, errors


@pytest.mark.parametrize("size", [1, 3])
@pytest.mark.parametrize(
    "source, target",
    [
        (RowFold(4, 2), RowFold(2)),
        pytest.param(RowFold(4), RowFold(4), marks=pytest.mark.slow),
        pytest.param(RowFold(2, 1), FLAT, marks=pytest.mark.slow),
        pytest.param(FLAT, RowFold(2, 1), marks=pytest.mark.slow),
    ],
)
def test_maps_that_shrink_equal_those_of_the_plain_formulation(size, source, target):
    x, weight, f = normal(0, 2, 8, 8, 3), normal(1, size, size, 3, 2), ops.setup_filter(DEFAULT)

    def ours(x, weight):
        x = folds.fold_rows(x, source)
        y = folds.convolve_folded(x, weight, source, target, down=2, f=f)
        return ops.unfold_rows(y, target, 4)

    def plain(x, weight):
        return ops.conv2d_resample(x, weight, f, down=2, padding=size // 2)

    def both(form):
        return jax.jit(lambda *given: (form(*given), jax.grad(loss(form), (0, 1))(*given)))

    def loss(form):
        return lambda *given: jnp.sin(form(*given)).sum()

    errors = jax.tree.map(relative_error, both(ours)(x, weight), both(plain)(x, weight))
    assert max(jax.tree.leaves(errors)) < 3e-6, errors


@pytest.mark.parametrize("dtype, tolerance", [("bfloat16", 0.02), ("float16", 0.002)])
def test_half_precision_stays_close_and_in_range(dtype, tolerance):
    x, weight, styles, noise = arguments(2)
    scale = 1.0 if dtype == "bfloat16" else 1e5  # a float16 ends at 65,504
    given = x.astype(dtype), weight, styles * scale, noise
    y = jax.jit(folded(*CASES["more rows"]))(*given)
    assert y.dtype == dtype
    exact = expected(2, DEFAULT)["value"]  # demodulated: no scale changes it
    assert relative_error(y.astype(jnp.float32), exact) < tolerance


def test_a_filter_that_is_no_outer_product_has_no_planar_form():
    with pytest.raises(ValueError, match="outer product"):
        ops.upsample_planar(normal(0, 1, 3, 4, 4), np.eye(4, dtype=np.float32))


@pytest.mark.parametrize("taps", [DEFAULT, SKEWED, tuple(range(1, 10))])
def test_planar_pictures_grow_as_others_do(taps):
    x, f = normal(0, 2, 6, 4, 3), ops.setup_filter(taps)
    y = ops.upsample_planar(x.transpose(0, 3, 1, 2), f).transpose(0, 2, 3, 1)
    assert relative_error(y, ops.upsample2d(x, f)) < 2e-6


def test_planar_pictures_become_folded_maps():
    x, weight = normal(0, 2, 3, 8, 8), normal(1, 3, 5)
    y = ops.embed_planar(x, weight, RowFold(4))
    expected = np.einsum("nchw,co->nhwo", x, weight)
    assert relative_error(ops.unfold_rows(y, RowFold(4), 8), expected) < 2e-6


@pytest.mark.parametrize("fold", [FLAT, RowFold(4, 2)])
def test_folded_maps_become_planar_pictures(fold):
    x, kernels = normal(0, 2, 8, 8, 5), normal(1, 2, 5, 3)
    y = ops.project_planar(folds.fold_rows(x, fold), kernels, fold)
    assert relative_error(y, np.einsum("nhwc,nco->nohw", x, kernels)) < 2e-6
