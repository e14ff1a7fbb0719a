"""Encoding many images, and taking what an encoder found to other spaces."""

import jax.numpy as jnp
import numpy as np
import pytest

import aligned_jax as aj
from aligned_jax.encoder_network import provenance_of
from aligned_jax.errors import UserError
from aligned_jax.inversion.encode import as_space, encode
from tests.test_encoder_network import ENCODER, GENERATOR, filled


def test_encoding():
    generator = aj.Network(GENERATOR, filled(GENERATOR))
    whose = {"generator": provenance_of("parent", generator)}
    encoder = aj.EncoderNetwork(ENCODER, filled(ENCODER, 1), whose)
    images = np.random.default_rng(2).uniform(-1, 1, (5, 32, 32, 3)).astype(np.float32)
    found = encode(encoder, generator, images, batch_size=2)
    assert found.shape == (5, 8, 6)
    np.testing.assert_allclose(found[4:], encode(encoder, generator, images[4:]), rtol=1e-3)
    with pytest.raises(UserError, match="belongs to parent"):
        encode(encoder, aj.Network(GENERATOR, filled(GENERATOR, 3)), images)
    with pytest.raises(UserError, match="0 images"):
        encode(encoder, generator, images[:0])


def test_spaces_that_hold_others():
    generator = aj.Network(GENERATOR, filled(GENERATOR))
    z = jnp.arange(10, dtype=jnp.float32).reshape(2, 5)
    ws = generator.mapping(z)
    np.testing.assert_array_equal(as_space(generator, "z", z, "w+"), ws)
    np.testing.assert_array_equal(as_space(generator, "z", z, "w"), ws[:, 0])
    rows = as_space(generator, "z", z, "z+")
    assert rows.shape == (2, 8, 5)
    np.testing.assert_allclose(as_space(generator, "z+", rows, "w+"), ws, rtol=1e-6)
    np.testing.assert_array_equal(as_space(generator, "w", ws[:, 0], "w+"), ws)
    np.testing.assert_array_equal(as_space(generator, "w+", ws, "w+"), ws)
    with pytest.raises(UserError, match=r"latents are of w\+, which cannot .* in w; it can in w\+"):
        as_space(generator, "w+", ws, "w")
