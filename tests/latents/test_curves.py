"""Curves through key frames, against SciPy's splines and by hand."""

import numpy as np
import pytest
from scipy.interpolate import CubicSpline, PchipInterpolator

from aligned_jax.errors import UserError
from aligned_jax.latents import Curve, great_circle, numbers_at, parse_rows, slerp
from aligned_jax.latents.curves import CURVES


def keys_of(count):
    return np.random.default_rng(count).standard_normal((count, 3, 5), np.float32)


@pytest.mark.parametrize("kind", CURVES)
@pytest.mark.parametrize("closed", [True, False])
def test_a_curve_passes_its_key_frames_exactly(kind, closed):
    keys = keys_of(4)
    curve = Curve(keys, kind, closed)
    np.testing.assert_array_equal(curve.at(np.arange(4)), keys)
    if closed:
        np.testing.assert_array_equal(curve.at(np.array([4.0])), keys[:1])
    assert curve.at(np.array([0.5])).dtype == np.float32


@pytest.mark.parametrize("count", [2, 3, 7])
def test_cubic_curves_are_splines(count):
    keys = keys_of(count).astype(float)
    around = CubicSpline(np.arange(count + 1), np.concatenate([keys, keys[:1]]), bc_type="periodic")
    places = np.linspace(0, count, 23)
    np.testing.assert_allclose(Curve(keys).at(places), around(places), atol=1e-6)
    along = CubicSpline(np.arange(count), keys, bc_type="natural")
    places = np.linspace(0, count - 1, 23)
    np.testing.assert_allclose(Curve(keys, closed=False).at(places), along(places), atol=1e-6)


def test_straight_lines_and_great_circles():
    keys = keys_of(3)
    places, near, far = np.array([0.25, 1.25, 2.25]), keys, np.roll(keys, -1, axis=0)
    straight = Curve(keys, "linear").at(places)
    np.testing.assert_allclose(straight, 0.75 * near + 0.25 * far, atol=1e-6)
    circles = Curve(keys, "spherical").at(places)
    np.testing.assert_allclose(circles, slerp(near, far, 0.25), atol=1e-6)
    assert np.abs(circles - straight).max() > 1e-2


def test_curves_that_cannot_be():
    with pytest.raises(UserError, match="2 or more key frames; it has 1"):
        Curve(keys_of(1))
    with pytest.raises(UserError, match="no such curve: 'wild'; there are linear, cubic"):
        Curve(keys_of(2), "wild")


def test_parse_rows():
    assert parse_rows("0-3, 7") == [0, 1, 2, 3, 7]
    with pytest.raises(UserError, match="not a list of layers: 'x', '1000', '3-2'"):
        parse_rows("x,1000,3-2")


def test_a_circle_lies_on_the_sphere_of_normal_latents():
    a, b = np.random.default_rng(0).standard_normal((2, 40)).astype(np.float32)
    turns = np.linspace(0, 1, 9)
    points = great_circle(a, 3 * b, turns)
    assert points.dtype == np.float32 and points.shape == (9, 40)
    np.testing.assert_allclose(np.linalg.norm(points, axis=1), np.sqrt(40), rtol=1e-6)
    np.testing.assert_allclose(
        points[0] / np.linalg.norm(points[0]), a / np.linalg.norm(a), atol=1e-6
    )
    np.testing.assert_allclose(points[-1], points[0], atol=1e-5)
    np.testing.assert_allclose(points[4], -points[0], atol=1e-5)
    assert np.linalg.matrix_rank(points, tol=1e-3) == 2 and points[2] @ b > 0
    with pytest.raises(UserError, match="parallel"):
        great_circle(a, -2 * a, turns)


@pytest.mark.parametrize("closed", [True, False])
def test_numbers_go_smoothly_and_never_beyond_their_key_frames(closed):
    values = np.array([0.1, 0.7, 0.7, -2.0, 5.0])
    places = np.linspace(0, 5 if closed else 4, 101)
    found = numbers_at(values, places, closed=closed)
    np.testing.assert_array_equal(numbers_at(values, np.arange(5), closed=closed), values)
    assert found.min() == -2 and found.max() == 5
    assert (found[(places >= 1) & (places <= 2)] == 0.7).all()
    around = np.concatenate([values] * 5) if closed else values
    shift = 10 if closed else 0
    expected = PchipInterpolator(np.arange(len(around)), around)(places + shift)
    np.testing.assert_allclose(found, expected, atol=1e-12)
    straight = numbers_at(values, places, "linear", closed)
    np.testing.assert_allclose(straight[places <= 1], 0.1 + 0.6 * places[places <= 1])
    assert not closed or straight[-1] == 0.1
