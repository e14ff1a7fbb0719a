"""Encoders: the published structure, the spaces, rows that are differences."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from aligned_jax.config import EncoderConfig, from_dict, to_dict
from aligned_jax.config.encoder import SLIM
from aligned_jax.errors import ConfigError
from aligned_jax.features import networks as frozen
from aligned_jax.networks import init_variables, variable_shapes
from aligned_jax.networks.encoder import Encoder
from aligned_jax.networks.plain import BatchMoments, BatchNorm
from aligned_jax.ops import resize

TINY = EncoderConfig(32, "w+", 8, 6, stages=((4, 1), (5, 1), (6, 1), (7, 1)))
PUBLISHED = EncoderConfig(256, "w+", 18)


def by_name(config):
    """Shapes by dotted official name."""
    flat = jax.tree_util.tree_leaves_with_path(variable_shapes(config))
    return {".".join(k.key for k in path[1:]): leaf.shape for path, leaf in flat}


@pytest.mark.slow
def test_published_structure():
    shapes = by_name(PUBLISHED)
    body = {n: s for n, s in frozen.shapes("arcface").items() if not n.startswith("output_layer")}
    assert {n: s for n, s in shapes.items() if n.startswith(("input_layer", "body"))} == body
    assert shapes["latlayer1.weight"] == (1, 1, 256, 512)
    assert shapes["latlayer2.weight"] == (1, 1, 128, 512)
    convs = [sum(n.startswith(f"styles.{i}.convs.") for n in shapes) // 2 for i in range(18)]
    assert convs == [4] * 3 + [5] * 4 + [6] * 11
    assert {n for n in shapes if n.startswith("styles.0.")} == {
        f"styles.0.{layer}.{leaf}"
        for layer in ("convs.0", "convs.2", "convs.4", "convs.6", "linear")
        for leaf in ("weight", "bias")
    }
    heads = 98 * (9 * 512 * 512 + 512) + 18 * (512 * 512 + 512)
    laterals = 512 * (256 + 1) + 512 * (128 + 1)
    backbone = sum(int(np.prod(s)) for n, s in body.items() if "running" not in n)
    params = jax.tree.leaves(variable_shapes(PUBLISHED)["params"])
    assert sum(int(np.prod(leaf.shape)) for leaf in params) == heads + laterals + backbone
    assert shapes["latent_avg"] == (18, 512)
    w = by_name(dataclasses.replace(PUBLISHED, space="w"))
    assert set(w) - set(body) == {"linear.weight", "linear.bias", "latent_avg"}
    assert w["linear.weight"] == (512, 512)


@pytest.mark.slow
def test_spaces():
    images = jax.random.uniform(jax.random.key(1), (2, 32, 32, 3), minval=-1)
    shapes = {}
    for space, deltas in (("w", False), ("z", False), ("z+", False), ("w+", False), ("w+", True)):
        config = dataclasses.replace(TINY, space=space, deltas=deltas)
        variables = init_variables(config, jax.random.key(0))
        if space[0] == "w":
            origin = jnp.arange(np.prod(config.latent_shape), dtype=jnp.float32)
            origin = origin.reshape(config.latent_shape)
            moved = {**variables["stats"], "latent_avg": origin}
            apply = Encoder(config).apply
            plain = apply(variables, images)
            shifted = apply({**variables, "stats": moved}, images)
            np.testing.assert_allclose(shifted - plain, origin[None].repeat(2, 0), atol=1e-4)
        shapes[space, deltas] = Encoder(config).apply(variables, images)
    assert {key: value.shape for key, value in shapes.items()} == {
        ("w", False): (2, 6),
        ("z", False): (2, 6),
        ("z+", False): (2, 8, 6),
        ("w+", False): (2, 8, 6),
        ("w+", True): (2, 8, 6),
    }
    for space in ("z", "z+"):
        np.testing.assert_allclose(jnp.square(shapes[space, False]).mean(-1), 1, rtol=1e-2)
    heads, rows = shapes["w+", False], shapes["w+", True]
    np.testing.assert_allclose(rows[:, 0], heads[:, 0], rtol=1e-6)
    np.testing.assert_allclose(rows[:, 1:], heads[:, :1] + heads[:, 1:], rtol=1e-5, atol=1e-6)
    for active in (1, 4, 8):
        some = Encoder(dataclasses.replace(TINY, deltas=True)).apply(variables, images, active)
        np.testing.assert_array_equal(some[:, :active], rows[:, :active])
        np.testing.assert_array_equal(some[:, active:], np.repeat(rows[:, :1], 8 - active, axis=1))
    assert len(np.unique(np.asarray(rows).round(6))) > 90  # no two rows or images alike


def test_moments_of_the_batch():
    x = jax.random.normal(jax.random.key(0), (6, 3, 3, 4)) * 3 + 1
    norm = BatchNorm(moments=BatchMoments(lambda tree: tree, 6))
    variables = norm.init(jax.random.key(0), x)
    np.testing.assert_array_equal(variables["stats"]["running_var"], np.ones(4))
    y, moved = norm.apply(variables, x, mutable=["stats"])
    np.testing.assert_allclose(y.mean((0, 1, 2)), np.zeros(4), atol=1e-5)
    np.testing.assert_allclose(y.var((0, 1, 2)), np.ones(4), rtol=1e-4)
    stats = moved["stats"]
    np.testing.assert_allclose(stats["running_mean"], 0.1 * x.mean((0, 1, 2)), rtol=1e-5)
    variance = x.reshape(-1, 4).var(axis=0, ddof=1)
    np.testing.assert_allclose(stats["running_var"], 0.9 + 0.1 * variance, rtol=1e-5)
    stored = BatchNorm().apply(variables, x)
    np.testing.assert_allclose(stored, x, rtol=1e-4)


def test_resizing_keeps_corners():
    x = jnp.arange(4, dtype=jnp.float32).reshape(1, 2, 2, 1)
    resized = resize.corner_to_corner(x, 4)[0, :, :, 0]
    expected = np.arange(4)[:, None] * 2 / 3 + np.arange(4)[None] / 3
    np.testing.assert_allclose(resized, expected, rtol=1e-6)
    np.testing.assert_array_equal(resize.corner_to_corner(x[:, :1, :1], 2), np.zeros((1, 2, 2, 1)))


def test_configs():
    slim = dataclasses.replace(TINY, stages=SLIM)
    assert from_dict(EncoderConfig, to_dict(slim)) == slim
    with pytest.raises(ConfigError) as error:
        EncoderConfig(48, "s", 0, 0, img_channels=0, stages=((1, 2), 3))
    for part in ("img_resolution is 48", "space is 's'", "rows is 0", "latent_dim", "stages are"):
        assert part in str(error.value)
    with pytest.raises(ConfigError, match="deltas are differences between rows of w"):
        dataclasses.replace(TINY, space="z+", deltas=True)
