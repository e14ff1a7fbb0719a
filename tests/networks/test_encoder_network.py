"""Encoders as objects: called, saved, and refused with another generator."""

import dataclasses

import jax
import numpy as np
import pytest

import aligned_jax as aj
from aligned_jax.checkpoint import read_manifest, write
from aligned_jax.convert import write_safetensors
from aligned_jax.errors import CheckpointError, UserError
from aligned_jax.ops import resize
from tests.networks.small_encoder import ENCODER, GENERATOR, filled, provenance_of


@pytest.fixture
def generator():
    return aj.Network(GENERATOR, filled(GENERATOR), {"file": "parent.pkl"})


@pytest.fixture
def encoder(generator):
    whose = provenance_of("zoo:parent", generator)
    return aj.EncoderNetwork(ENCODER, filled(ENCODER, 1), {"generator": whose})


def test_calls(encoder):
    images = np.random.default_rng(2).uniform(-1, 1, (2, 64, 64, 3)).astype(np.float32)
    encoded = encoder(images)
    assert encoded.shape == (2, 8, 6) and np.isfinite(encoded).all()
    assert not np.allclose(encoded[0], encoded[1])
    np.testing.assert_allclose(encoded, encoder(resize.area(images, 32)), rtol=1e-3)
    assert repr(encoder).startswith("<EncoderNetwork 32 px, 3 channels, to w+, ")
    for shape in ((2, 16, 16, 3), (2, 64, 32, 3), (2, 32, 32, 1), (32, 32, 3)):
        with pytest.raises(UserError, match=r"takes \[N, S, S, 3\] with S of 32 or more"):
            encoder(np.zeros(shape, np.float32))


def test_saved_and_loaded(tmp_path, generator, encoder):
    aj.save(tmp_path / "E", encoder, encoder.provenance)
    assert list(read_manifest(tmp_path / "E").configs) == ["E"]
    loaded = aj.load_encoder(tmp_path / "E", generator)
    assert loaded.config == ENCODER
    jax.tree.map(np.testing.assert_array_equal, loaded.variables, encoder.variables)
    with pytest.raises(CheckpointError, match="has no network 'G_ema'; it has E"):
        aj.load(tmp_path / "E")
    aj.save(tmp_path / "G", generator)
    with pytest.raises(CheckpointError, match="has no network 'E'; it has G_ema"):
        aj.load_encoder(tmp_path / "G", generator)
    with pytest.raises(CheckpointError, match="E is a generator"):
        write(tmp_path / "wrong", {"E": (GENERATOR, generator.variables)})
    with pytest.raises(CheckpointError, match="D is an encoder"):
        write(tmp_path / "wrong", {"D": (ENCODER, encoder.variables)})


def test_another_generator_is_refused(generator, encoder):
    encoder.check_generator(generator)
    other = aj.Network(GENERATOR, filled(GENERATOR, 7), {"file": "child.pkl"})
    with pytest.raises(UserError) as error:
        encoder.check_generator(other)
    for part in ("belongs to zoo:parent", "child.pkl", "their weights differ", "aligned encoder"):
        assert part in str(error.value)
    with pytest.raises(UserError, match=r"not to this generator \(runs/child@40\): "):
        encoder.check_generator(other, "runs/child@40")
    wide = dataclasses.replace(GENERATOR, w_dim=7)
    with pytest.raises(UserError, match="latents of width 6 in the encoder, 7 in the generator"):
        encoder.check_generator(aj.Network(wide, filled(wide)))
    unknown = aj.EncoderNetwork(ENCODER, encoder.variables)
    with pytest.raises(UserError, match="nothing is recorded about its generator"):
        unknown.check_generator(generator)


def test_as_safetensors(tmp_path, generator, encoder):
    trees = {"E": (ENCODER, encoder.variables)}
    write_safetensors(tmp_path / "e4e.safetensors", trees, encoder.provenance)
    loaded = aj.load_encoder(tmp_path / "e4e.safetensors", generator)
    assert loaded.config == ENCODER
    jax.tree.map(np.testing.assert_array_equal, loaded.variables, encoder.variables)
    trees["G_ema"] = (GENERATOR, generator.variables)
    write_safetensors(tmp_path / "both.safetensors", trees, half=True)
    assert list(aj.describe(tmp_path / "both.safetensors").configs) == ["G_ema", "E"]
    halves = aj.load(tmp_path / "both.safetensors")
    assert aj.load_encoder(tmp_path / "both.safetensors", halves).space == "w+"
