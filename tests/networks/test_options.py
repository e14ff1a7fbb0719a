"""Flipping any option changes the result, and every size builds."""

import dataclasses
import functools
import zlib

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from aligned_jax.config import (
    DiscriminatorConfig,
    GeneratorConfig,
    MappingConfig,
    SynthesisConfig,
)
from aligned_jax.networks import init_variables, module_of, variable_shapes
from tests.helpers import relative_error

G = GeneratorConfig(
    8,
    z_dim=4,
    c_dim=2,
    w_dim=4,
    mapping=MappingConfig(2, lr_multiplier=1.0),
    synthesis=SynthesisConfig(32, 4),
)
D = DiscriminatorConfig(
    8,
    c_dim=2,
    channel_base=32,
    channel_max=4,
    mapping=MappingConfig(2, lr_multiplier=1.0, w_avg_beta=None),
)
RNG = np.random.RandomState(0)
LABELS = jnp.asarray(np.eye(2, dtype=np.float32)[[0, 1, 1, 0]])
INPUTS = {
    GeneratorConfig: jnp.asarray(RNG.randn(4, 4), jnp.float32),
    DiscriminatorConfig: jnp.asarray(RNG.randn(4, 8, 8, 3), jnp.float32),
}


def replace(config, path, value):
    """`config` with the field at a dotted path replaced."""
    head, _, rest = path.partition(".")
    if rest:
        value = replace(getattr(config, head), rest, value)
    return dataclasses.replace(config, **{head: value})


def some_variables(config):
    """Variables with every leaf away from zero, each a function of its path and shape alone."""

    def fill(path, leaf):
        seed = zlib.crc32(jax.tree_util.keystr(path).encode())
        values = np.random.RandomState(seed).randn(*leaf.shape) + 0.1
        return np.asarray(values, np.float32)

    return jax.tree_util.tree_map_with_path(fill, variable_shapes(config))


@functools.cache
def output(config, half=None):
    """Output of the network for fixed inputs and labels."""
    run = jax.jit(module_of(config, half).apply)
    return np.asarray(run(some_variables(config), INPUTS[type(config)], LABELS))


FLIPS = [
    (G, "mapping.num_layers", 3),
    (G, "mapping.embed_features", 3),
    (G, "mapping.layer_features", 5),
    (G, "mapping.activation", "relu"),
    (G, "mapping.lr_multiplier", 0.1),
    (G, "synthesis.channel_base", 16),
    (G, "synthesis.channel_max", 3),
    (G, "synthesis.channels", (4, 3)),
    (G, "synthesis.architecture", "orig"),
    (G, "synthesis.architecture", "resnet"),
    (G, "synthesis.resample_filter", (1.0, 2.0, 4.0, 3.0)),
    (G, "synthesis.resample_filter", ()),
    (G, "synthesis.resample_filter", ((1.0, 2.0), (3.0, 5.0))),
    (G, "synthesis.activation", "swish"),
    (G, "synthesis.conv_clamp", 0.2),
    (G, "synthesis.use_noise", False),
    (G, "z_dim", 0),
    (G, "w_dim", 5),
    (D, "architecture", "orig"),
    (D, "architecture", "skip"),
    (D, "channel_base", 16),
    (D, "channel_max", 2),
    (D, "channels", (4, 3)),
    (D, "conv_clamp", 0.2),
    (D, "cmap_dim", 3),
    (D, "activation", "relu"),
    (D, "resample_filter", (1.0, 2.0, 4.0, 3.0)),
    (D, "mapping.num_layers", 0),
    (D, "mapping.embed_features", 3),
    (D, "mapping.layer_features", 3),
    (D, "mapping.lr_multiplier", 0.1),
    (D, "mapping.activation", "relu"),
    (D, "epilogue.mbstd_group_size", 2),
    (D, "epilogue.mbstd_num_channels", 0),
    (D, "epilogue.mbstd_num_channels", 2),
    (D, "epilogue.activation", "relu"),
]


@pytest.mark.parametrize(
    "config, path, value", FLIPS, ids=[f"{type(c).__name__[0]}-{p}-{v}" for c, p, v in FLIPS]
)
def test_flipping_an_option_changes_the_output(config, path, value):
    flipped = output(replace(config, path, value))
    assert np.isfinite(flipped).all()
    assert relative_error(flipped, output(config)) > 1e-3


def test_clamping_bounds_the_features():
    image = output(replace(replace(G, "synthesis.conv_clamp", 0.1), "synthesis.use_noise", False))
    assert np.abs(image).max() <= 2 * 0.1 * 1.5, "two clamped tRGB layers, upsampled and summed"


@pytest.mark.parametrize("config, path", [(G, "synthesis.num_fp16_res"), (D, "num_fp16_res")])
def test_half_precision_needs_both_the_count_and_the_dtype(config, path):
    marked = replace(config, path, 1)
    np.testing.assert_array_equal(output(marked), output(config))
    np.testing.assert_array_equal(output(config, "float16"), output(config))
    errors = [
        relative_error(output(marked, half), output(config)) for half in ("float16", "bfloat16")
    ]
    assert 0 < errors[0] < errors[1] < 0.1


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_image_channels(channels):
    config = dataclasses.replace(G, img_channels=channels)
    assert output(config).shape == (4, 8, 8, channels)


@pytest.mark.slow
@pytest.mark.parametrize(
    "resolution, architecture",
    [(r, "skip") for r in (8, 16, 32, 64, 128, 256, 512, 1024)]
    + [(r, a) for r in (8, 1024) for a in ("orig", "resnet")],
)
def test_every_resolution_builds(resolution, architecture):
    generator = replace(GeneratorConfig(resolution), "synthesis.architecture", architecture)
    discriminator = DiscriminatorConfig(resolution, architecture=architecture)
    z, image = (
        jax.ShapeDtypeStruct(shape, jnp.float32)
        for shape in [(4, 512), (4, resolution, resolution, 3)]
    )
    for config, given, made in [
        (generator, z, image.shape),
        (discriminator, image, (4, 1)),
    ]:
        result = jax.eval_shape(module_of(config).apply, variable_shapes(config), given)
        assert result.shape == made and result.dtype == jnp.float32


def test_running_mean_is_kept_only_where_it_is_wanted():
    assert variable_shapes(G)["stats"]["mapping"]["w_avg"].shape == (4,)
    assert "stats" not in variable_shapes(replace(G, "mapping.w_avg_beta", None))
    assert "stats" not in variable_shapes(D)
    assert "noise" not in variable_shapes(replace(G, "synthesis.use_noise", False))


@pytest.mark.slow
def test_fresh_variables_follow_the_key():
    a, b, again = (init_variables(G, jax.random.PRNGKey(k)) for k in (0, 1, 0))
    jax.tree.map(np.testing.assert_array_equal, a, again)
    weight = a["params"]["synthesis"]["b8"]["conv0"]["weight"]
    assert relative_error(weight, b["params"]["synthesis"]["b8"]["conv0"]["weight"]) > 0.1
    affine = a["params"]["synthesis"]["b8"]["conv0"]["affine"]["bias"]
    np.testing.assert_array_equal(affine, np.ones(4))
    np.testing.assert_array_equal(a["stats"]["mapping"]["w_avg"], np.zeros(4))
    wide = dataclasses.replace(G, z_dim=512, w_dim=512, mapping=MappingConfig(1))
    dense = init_variables(wide, jax.random.PRNGKey(0))["params"]["mapping"]
    assert np.std(dense["fc0"]["weight"]) == pytest.approx(100, rel=0.01)
