"""Points between four latents: the deviation stays, corners are themselves."""

import numpy as np
import pytest

from aligned_jax.errors import UserError
from aligned_jax.latents import corner_weights, pad_point

POINTS = [(0.0, 0.0), (0.5, 0.5), (0.2, 0.9), (1.0, 0.3)]


@pytest.mark.parametrize("point", POINTS)
def test_the_deviation_stays(point):
    corners = np.random.RandomState(0).randn(4, 20000).astype(np.float32)
    moved = pad_point(corners, *point)
    assert moved.dtype == np.float32 and moved.std() == pytest.approx(1, abs=0.03)
    assert np.square(corner_weights(*point)).sum() == pytest.approx(1)
    centre = np.float32(3.0)
    around = pad_point(2 * corners + centre, *point, centre)
    np.testing.assert_allclose(around, 2 * moved + centre, rtol=1e-4, atol=1e-4)
    if point == (0.5, 0.5):  # which the plain mean halves
        assert corners.mean(axis=0).std() == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize("place", range(4))
def test_corners_are_themselves(place):
    corners = np.random.RandomState(1).randn(4, 3, 5).astype(np.float32)
    x, y = place % 2, place // 2
    np.testing.assert_array_equal(pad_point(corners, x, y), corners[place])
    np.testing.assert_array_equal(corner_weights(x, y), np.eye(4)[place])


@pytest.mark.parametrize("point", [(1.5, 0), (0, -0.1), (float("nan"), 0)])
def test_points_outside_are_refused(point):
    with pytest.raises(UserError, match="outside of the pad"):
        corner_weights(*point)
