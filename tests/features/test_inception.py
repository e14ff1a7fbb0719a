"""Inception-v3 of the FID against reference numbers, from a file as torch writes it."""

import hashlib

import jax
import numpy as np
import pytest

from aligned_jax import features
from aligned_jax.errors import UserError
from aligned_jax.features import inception
from aligned_jax.ops import resize
from tests.features import weights_by_rule as by_rule
from tests.helpers import nchw, nhwc, reference, relative_error
from tests.makers.official_file import write_rosinality

pytestmark = pytest.mark.optimised

REFERENCE = reference("inception_fid")


def images(name: str) -> np.ndarray:
    return nhwc(REFERENCE[f"{name}/input_uint8"]).astype(np.float32)


@pytest.fixture(scope="module")
def state() -> dict[str, np.ndarray]:
    return by_rule.made(by_rule.tensor_shapes(REFERENCE))


@pytest.fixture(scope="module")
def loaded(state, tmp_path_factory):
    """The network after `add` of a file that torch could have written, and that file."""
    folder = tmp_path_factory.mktemp("inception")
    file = folder / "weights.pth"
    write_rosinality(file, state)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(folder))
        features.add(file)
        yield features.load("inception"), file


def test_the_weights_are_those_of_the_rule(state):
    for name, total, squares, first in zip(
        REFERENCE["tensor_names"].tolist(),
        REFERENCE["tensor_sum"],
        REFERENCE["tensor_sumsq"],
        REFERENCE["tensor_first3"],
        strict=True,
    ):
        values = state[name].astype(np.float64)
        assert values.sum() == pytest.approx(total, rel=1e-12, abs=1e-9)
        assert np.square(values).sum() == pytest.approx(squares, rel=1e-12)
        np.testing.assert_array_equal(state[name].ravel()[:3], first)


@pytest.mark.slow
def test_the_older_kind_of_file_holds_the_same(state, loaded, tmp_path):
    file = tmp_path / "weights.pth"
    write_rosinality(file, state, legacy=True)
    older = features.load("inception", file)
    assert older.sha256 != loaded[0].sha256
    jax.tree.map(np.testing.assert_array_equal, older.variables, loaded[0].variables)
    file.unlink()


@pytest.mark.slow
def test_the_extractor_is_that_of_nvidias_metrics(loaded):
    extractor, file = loaded
    assert extractor.sha256 == hashlib.sha256(file.read_bytes()).hexdigest()
    assert extractor.options == (("half_pixel", False),)
    extracted = jax.jit(lambda network, x: network(x))(extractor, images("r64"))
    assert extracted["logits"].shape == (4, 1008)
    assert relative_error(extracted["features"], REFERENCE["r64_anchored/pool3"]) < 2e-6


@pytest.fixture(scope="module")
def network(loaded):
    """network(prepared images) -> outputs and maps on the way, by name."""
    module, variables = inception.Inception(), loaded[0].variables

    @jax.jit
    def apply(x):
        return module.apply(variables, x, method="network", mutable=["intermediates"])

    def run(x):
        outputs, maps = apply(x)
        return outputs | {name: value[0] for name, value in maps["intermediates"].items()}

    return run


@pytest.mark.slow
def test_images_of_the_networks_own_size(network):
    """Nothing is resized; the two ways still centre images differently."""
    prepared = inception.prepared(images("r299"), half_pixel=False)
    extracted = network(prepared)["features"]
    assert relative_error(extracted, REFERENCE["r299_anchored/pool3"]) < 2e-6
    assert relative_error(extracted, REFERENCE["r299/pool3"]) > 1e-4


@pytest.mark.slow
@pytest.mark.parametrize("name", ["r64", "rect", "r299"])
def test_the_way_of_pytorch_fid(network, name):
    prepared = np.asarray(inception.prepared(images(name), half_pixel=True))
    count = len(prepared)
    extracted = network(np.concatenate([prepared] * (4 // count)))  # one shape, one compilation
    assert relative_error(extracted["features"][:count], REFERENCE[f"{name}/pool3"]) < 2e-6
    for ours, theirs in (("pool1", "pool1_64"), ("pool2", "pool2_192"), ("mixed6e", "mixed6e_768")):
        values = np.asarray(extracted[ours])[:count]
        assert relative_error(values.mean((1, 2)), REFERENCE[f"{name}/{theirs}_mean"]) < 1e-5
        assert relative_error(values.std((1, 2)), REFERENCE[f"{name}/{theirs}_std"]) < 1e-4
    if name == "r64":
        logits = np.asarray(extracted["logits"])[:, :64]
        assert relative_error(logits, REFERENCE["r64/logits_first64"]) < 2e-6
        bias = np.asarray(by_rule.made({"fc.bias": (1008,)})["fc.bias"])[:64]
        assert relative_error(logits - bias, REFERENCE["r64/logits_nobias_first64"]) < 2e-6


def test_both_ways_to_resize():
    for name in ("r64", "rect", "r299"):
        resized = nchw(resize.half_pixel(images(name) / 255, 299))[:, :, ::13, ::13]
        assert relative_error(resized, REFERENCE[f"{name}/resized_sub13"]) < 2e-6
    for name in ("r64", "r299"):
        resized = nchw(resize.anchored(images(name), 299))[:, :, ::13, ::13]
        assert relative_error(resized, REFERENCE[f"{name}_anchored/resized_sub13"]) < 2e-6
    size = np.random.default_rng(0).uniform(0, 255, (1, 299, 299, 3)).astype(np.float32)
    anchored, half = (np.asarray(inception.prepared(size, way)) for way in (False, True))
    np.testing.assert_allclose(anchored, (size - 128) / 128, atol=1e-6)
    np.testing.assert_allclose(half, size / 127.5 - 1, atol=1e-6)


@pytest.mark.slow
def test_the_option_reaches_the_network(loaded, monkeypatch):
    _, file = loaded
    extractor = features.load("inception", file, half_pixel=True)
    assert extractor.options == (("half_pixel", True),)
    asked = []
    prepared = inception.prepared
    monkeypatch.setattr(
        inception, "prepared", lambda x, half: asked.append(half) or prepared(x, half)
    )
    gray = jax.ShapeDtypeStruct((2, 20, 30, 1), np.float32)
    shapes = jax.eval_shape(extractor, gray)
    assert asked == [True]
    assert {name: value.shape for name, value in shapes.items()} == {
        "features": (2, 2048),
        "logits": (2, 1008),
    }
    with pytest.raises(UserError, match="inception has no option antialias"):
        features.load("inception", file, antialias=True)
    with pytest.raises(UserError, match="holds inception, not arcface"):
        features.load("arcface", file)
