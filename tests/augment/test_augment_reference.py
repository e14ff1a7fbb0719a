"""Every transform, preset, strength and gradient against the official implementation."""

from fnmatch import fnmatch

import jax
import numpy as np
import pytest

from aligned_jax.augment import TRANSFORMS, AugmentConfig, apply, preset
from aligned_jax.augment.filters import band_filters
from aligned_jax.augment.geometry import SYM6
from aligned_jax.ops import setup_filter
from tests.augment.recorded_cases import arrays, images, meta, percentile_draws, random_case
from tests.helpers import nhwc, relative_error

pytestmark = pytest.mark.optimised("in long runs")

TOLERANCE = 2e-5
augment = jax.jit(apply, static_argnums=3)


def at_percentile(config, x, q, field=None):
    field = None if field is None else nhwc(field)
    return np.asarray(augment(x, percentile_draws(q, config, len(x), field), 1.0, config))


def check(prefix, config, x, percentile="*"):
    """Compares the percentiles stored under `prefix`; fails if there is none."""
    cases = [key for key in arrays() if fnmatch(key, f"{prefix}/p{percentile}/y")]
    assert cases
    for key in cases:
        q = float(key.split("/")[2].removeprefix("p"))
        field = arrays().get(key.removesuffix("y") + "noise_field")
        expected = nhwc(arrays()[key])
        actual = at_percentile(config, x, q, field)[: len(expected)]
        assert relative_error(actual, expected) < TOLERANCE, key


def test_filters():
    np.testing.assert_allclose(setup_filter(SYM6), arrays()["Hz_geom"], rtol=0, atol=1e-7)
    np.testing.assert_allclose(band_filters(), arrays()["Hz_fbank"], rtol=0, atol=1e-7)
    identity = np.eye(43)[21]
    np.testing.assert_allclose(band_filters().sum(0), identity, rtol=0, atol=1e-6)


def test_every_transform_is_stored():
    assert tuple(meta()["single"]) == TRANSFORMS


@pytest.mark.parametrize("name", TRANSFORMS)
def test_transform_alone(name):
    check(f"single/{name}", AugmentConfig(**{name: 1.0}), images("rgb"))


@pytest.mark.parametrize("name", ["blit", "geom", "bgc", "bgcfnc"])
def test_preset(name):
    check(f"preset/{name}", preset(name), images("rgb"))


def test_presets_enable_the_same_transforms():
    for name, enabled in meta()["presets"].items():
        assert set(preset(name).enabled) == set(enabled), name


@pytest.mark.parametrize("name", ["geom", "color", "bgc"])
def test_gray(name):
    check(f"gray/{name}", preset(name), images("gray"))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["geom", "cutout"])
def test_images_that_are_not_square(name):
    check(f"nonsquare/{name}", preset(name), images("rgb_nonsquare"))


@pytest.mark.slow
def test_images_that_are_not_square_turned():
    # The stored case at 0.3 leaves the quarter turn out, the one at 0.9 does not.
    x = images("rgb_nonsquare")
    check("nonsquare/blit", AugmentConfig(xflip=1.0, xint=1.0), x, 0.3)
    check("nonsquare/blit", preset("blit"), x, 0.9)


@pytest.mark.slow
def test_custom_strengths():
    strengths = meta()["custom_strengths"]
    strengths["imgfilter_bands"] = tuple(strengths["imgfilter_bands"])
    check("custom/bgcfnc", preset("bgcfnc", **strengths), images("rgb"))


@pytest.mark.parametrize("case", sorted(meta()["random"]))
def test_recorded_draws(case):
    config, x, draws, p = random_case(case)
    actual = augment(x, draws, p, config)
    assert relative_error(actual, nhwc(arrays()[f"random/{case}/y"])) < TOLERANCE


@pytest.mark.slow
@pytest.mark.parametrize("name", ["bgc", "bgcf"])
def test_gradient_of_the_image(name):
    config, x = preset(name), images("rgb")
    draws = percentile_draws(0.7, config, len(x))
    cotangent = nhwc(arrays()[f"grad/{name}/v"])
    _, pull = jax.vjp(lambda x: augment(x, draws, 1.0, config), x)
    assert relative_error(pull(cotangent)[0], nhwc(arrays()[f"grad/{name}/dx"])) < TOLERANCE
