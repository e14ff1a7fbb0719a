"""Formats without reference tensors of their own render the reference images."""

import numpy as np
import pytest

from aligned_jax.convert import read_official
from aligned_jax.networks.network import DiscriminatorNetwork, Network
from tests.helpers import DATA, document, nchw, reference, relative_error

pytestmark = pytest.mark.optimised("in long runs")

FILES = ["tf_legacy_skip32.pkl", "sg3repo_stylegan2.pkl", "hostile_baseline_ok.pkl"]


def load(file, key):
    network = read_official(DATA / file).networks[key]
    kind = DiscriminatorNetwork if key == "D" else Network
    return kind(network.config, network.variables())


@pytest.mark.parametrize("file", FILES)
def test_images_and_logits(file):
    arrays, generator = reference(file.removesuffix(".pkl")), load(file, "G_ema")
    ws = generator.mapping(arrays["z"])
    image = nchw(generator.synthesis(ws))
    assert relative_error(image, arrays["image_const"]) < 1e-5
    if "ws" in arrays:
        assert relative_error(ws, arrays["ws"]) < 1e-5
        psi = document(arrays, "meta_json")["truncation_psi"]
        image = nchw(generator(arrays["z"], psi=psi))
        assert relative_error(image, arrays["image_psi_const"]) < 1e-5
    images = arrays["image_const"].transpose(0, 2, 3, 1)
    assert relative_error(load(file, "D")(images), arrays["d_logits"]) < 1e-5


def test_the_generator_that_is_not_averaged():
    arrays = reference("tf_legacy_skip32")
    image = nchw(load("tf_legacy_skip32.pkl", "G")(arrays["z"][:1]))
    assert relative_error(image, arrays["image_const_G"]) < 1e-5


@pytest.mark.slow
def test_community_port():
    arrays = reference("rosinality_skip32")
    meta, generator = document(arrays, "meta_json"), load("rosinality_skip32.pt", "G_ema")
    ws, other = (np.asarray(generator.mapping(arrays[key])) for key in ("z", "z2"))
    assert relative_error(ws, arrays["ws"]) < 1e-5
    mixed = np.concatenate([ws[:, : meta["inject_index"]], other[:, meta["inject_index"] :]], 1)
    assert relative_error(mixed, arrays["ws_mix3"]) < 1e-5
    truncated = generator.mapping(arrays["z"], psi=meta["truncation"])
    for codes, key in ((ws, "image_const"), (mixed, "image_mix3"), (truncated, "image_psi")):
        assert relative_error(nchw(generator.synthesis(codes)), arrays[key]) < 1e-5
    plain = generator.synthesis(ws, noise="none")
    assert relative_error(nchw(plain), arrays["image_none"]) < 1e-5
