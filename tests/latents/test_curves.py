"""Curves through key frames, against SciPy's splines and by hand."""

import numpy as np
import pytest
from scipy.interpolate import CubicSpline

from aligned_jax.errors import UserError
from aligned_jax.latents import Curve, parse_rows, slerp
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
