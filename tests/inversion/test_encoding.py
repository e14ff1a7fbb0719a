"""Encoding many images, and taking what an encoder found to other spaces."""

import dataclasses

import jax.numpy as jnp
import numpy as np
import pytest

import aligned_jax as aj
from aligned_jax.errors import UserError
from aligned_jax.inversion.encoding import as_space, encode
from aligned_jax.latents import concatenate_styles
from tests.networks.small_encoder import ENCODER, GENERATOR, filled, provenance_of


@pytest.mark.slow
def test_encoding():
    generator = aj.Network(GENERATOR, filled(GENERATOR))
    whose = {"generator": provenance_of("parent", generator)}
    encoder = aj.EncoderNetwork(ENCODER, filled(ENCODER, 1), whose)
    images = np.random.default_rng(2).uniform(-1, 1, (5, 32, 32, 3)).astype(np.float32)
    encoded = encode(encoder, generator, images, batch_size=2)
    assert encoded.shape == (5, 8, 6)
    np.testing.assert_allclose(encoded[4:], encode(encoder, generator, images[4:]), rtol=1e-3)
    bytes_ = np.round((images + 1) * 127.5).astype(np.uint8)
    again = encode(encoder, generator, bytes_)
    expected = encode(encoder, generator, bytes_ / np.float32(127.5) - 1)
    np.testing.assert_allclose(again, expected, rtol=1e-4)
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
    np.testing.assert_array_equal(as_space(generator, "z", z, "z"), z)
    styles = concatenate_styles(GENERATOR, generator.styles(ws))
    for space, latents in (("z", z), ("z+", rows), ("w", ws[:, 0]), ("w+", ws)):
        np.testing.assert_allclose(as_space(generator, space, latents, "s"), styles, rtol=1e-5)
    for space, wanted in (("w+", "w"), ("w", "z"), ("z+", "z"), ("z+", "w"), ("w+", "z+")):
        with pytest.raises(UserError, match=r"of .*, which cannot be brought to .*; it can to"):
            as_space(generator, space, ws, wanted)


def test_labels_decide_where_z_goes():
    config = dataclasses.replace(GENERATOR, c_dim=2)
    generator = aj.Network(config, filled(config))
    z, labels = jnp.ones((2, 5)), jnp.eye(2)
    first, second = (as_space(generator, "z", z, "w+", labels[k : k + 1]) for k in (0, 1))
    assert (first != second).any()
    np.testing.assert_array_equal(first, generator.mapping(z, jnp.repeat(labels[:1], 2, axis=0)))
