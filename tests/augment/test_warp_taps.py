"""Seven taps an axis are the warp, in float64; the windows hold all that they read."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from aligned_jax.augment.geometry import Affine, margins_of
from aligned_jax.augment.warp import taps, windows
from aligned_jax.augment.warp.gather import warp_by_gather
from tests.augment import exact_warp
from tests.helpers import relative_error

SIZE = 32
# Turned and shifted; shrunk so far that both reflections are seen; far outside; a mirror image.
LINEAR = np.float32(
    [[[0.8, -0.6], [0.6, 0.8]], [[3.1, 2.2], [-1.4, 4.0]], [[1, 0], [0, 1]], [[-1, 0], [0, 1]]]
)
SHIFT = np.float32([[1.3, -2.7], [4.2, 0.4], [90, -3.5], [0, 0]])
NARROW = np.array([[3, 0], [9, 14]], np.int32)
WIDE = np.full((2, 2), SIZE - 1, np.int32)


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).uniform(-1, 1, (4, SIZE, SIZE, 2)).astype(np.float32)


def positions(axis, dtype):
    """[N, rows, columns] of the grid's points along an axis."""
    at = taps.coordinate(jnp.arange(taps.grid_size(SIZE)), SIZE, dtype)
    a, b, s = (v[:, None, None] for v in (*LINEAR[:, axis].T, SHIFT[:, axis]))
    a, b, s = (jnp.asarray(v, dtype) for v in (a, b, s))
    return taps.position(a, b, s, at[None, None, :], at[None, :, None], SIZE)


def by_taps(images, margins, dtype):
    """The warp as dense products with the weights of the taps."""
    weights = []
    for axis in (0, 1):
        pixels, values = taps.taps(positions(axis, dtype), SIZE, *jnp.asarray(margins[:, axis]))
        at = jnp.arange(SIZE, dtype=jnp.int32)[:, None, None, None]
        weights.append(taps.spread([p[None] for p in pixels], [v[None] for v in values], at))
    halving = np.zeros((SIZE, taps.grid_size(SIZE)))
    for i, row in enumerate(halving):
        row[2 * i : 2 * i + 12] = taps.FILTER
    across, down = (np.asarray(w, np.float64) for w in weights)  # [n, N, rows, columns]
    points = np.einsum("invu,jnvu,nijc->nvuc", down, across, np.float64(images), optimize=True)
    return np.einsum("yv,nvuc,xu->nyxc", halving, points, halving, optimize=True)


@pytest.mark.parametrize(
    "margins",
    [pytest.param(NARROW, id="narrow", marks=pytest.mark.slow), pytest.param(WIDE, id="wide")],
)
def test_taps_are_the_warp(images, margins):
    exact = exact_warp.warp(images, LINEAR, SHIFT, margins)
    with jax.enable_x64(True):
        assert relative_error(by_taps(images, margins, jnp.float64), exact) < 1e-12
    assert relative_error(by_taps(images, margins, jnp.float32), exact) < 1e-5
    gathered = warp_by_gather(images, Affine(LINEAR, SHIFT), jnp.asarray(margins))
    assert relative_error(gathered, exact) < 1e-5
    assert np.abs(exact[2]).max() < 0.01 < np.abs(exact[1]).max()


def test_windows_hold_all_pixels_that_a_tile_reads():
    """No weight that is not zero lies beyond; tiles that see nothing have no windows."""
    tiling = windows.Tiling(SIZE, SIZE)
    for margins in (NARROW, WIDE, np.asarray(margins_of(Affine(LINEAR, SHIFT), SIZE, SIZE))):
        each = jnp.asarray(np.broadcast_to(margins, (4, 2, 2)))
        plan = np.asarray(windows.plan(jnp.asarray(LINEAR), jnp.asarray(SHIFT), each, tiling))
        assert plan.shape == (4, tiling.rows, windows.FIELDS, tiling.groups * windows.GROUP)
        for axis in (0, 1):
            pixels, weights = taps.taps(
                positions(axis, jnp.float32), SIZE, *jnp.asarray(margins[:, axis])
            )
            read, pixels = np.stack(weights) != 0, np.stack(pixels)  # [7, N, rows, columns]
            v, u = np.ogrid[: read.shape[2], : read.shape[3]]
            begin, passes = (plan[:, v // 16, field, u // 16] for field in (axis, axis + 2))
            assert (pixels >= 8 * begin)[read].all()
            assert (pixels < 8 * begin + 32 * passes)[read].all()
        beyond = np.arange(plan.shape[-1]) * 16 >= taps.grid_size(SIZE)
        assert (plan[:, :, 2:].prod(2)[:, :, beyond] == 0).all()
    assert (plan[2, :, 2] == 0).all()


def test_pixels_of_a_range():
    """By trying all positions of it."""
    size, rng = 40, np.random.default_rng(1)
    read_at = jax.jit(lambda u, *ends: taps.taps(u, size, *ends))
    range_of = jax.jit(lambda low, high, *ends: windows.pixels_of(low, high, size, *ends))
    for _ in range(200):
        before, behind = rng.integers(0, size, 2)
        low, high = np.sort(rng.uniform(-2.5 * size, 4 * size, 2)).astype(np.float32)
        ends = jnp.int32(before), jnp.int32(behind)
        u = jnp.asarray(np.linspace(low, high, 999, dtype=np.float32))
        pixels, weights = read_at(u, *ends)
        read = np.stack(pixels)[np.stack(weights) != 0]
        found = range_of(jnp.float32(low), jnp.float32(high), *ends)
        if len(read):
            assert found[0] <= read.min() and read.max() <= found[1]
            assert found[0] >= 0 and found[1] < size
