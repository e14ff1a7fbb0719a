"""Another resolution: what is copied, what is new, and that the result runs."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from aligned_jax import networks
from aligned_jax.config import DiscriminatorConfig, EncoderConfig, GeneratorConfig
from aligned_jax.errors import ConfigError, UserError
from aligned_jax.networks.network import Network
from aligned_jax.weights import count, resize
from tests.helpers import same_bits
from tests.weights.small_generators import random_variables, small

KEY = jax.random.PRNGKey(7)


@pytest.fixture
def quick(monkeypatch):
    """Draws fresh weights with NumPy: compiling the real initialisers takes seconds a size."""

    def draw(config, key):
        return random_variables(config, 100 + int(np.asarray(key)[-1]))

    monkeypatch.setattr(networks, "init_variables", draw)


def flat(tree):
    leaves = jax.tree_util.tree_flatten_with_path(tree)[0]
    return {jax.tree_util.keystr(path, simple=True, separator="/"): x for path, x in leaves}


def discriminator(resolution=16, **options):
    sizes = {"channel_base": 32, "channel_max": 8, "c_dim": 2} | options
    return DiscriminatorConfig(resolution, **sizes)


def check(config, resolution, new_modules, dropped_modules):
    """Resizes, and checks every leaf against the modules that should be new or dropped."""
    variables = random_variables(config, 1)
    result = resize((config, variables), resolution, KEY)
    shapes = networks.variable_shapes(result.config)
    assert jax.tree.map(lambda x: (x.shape, x.dtype), result.variables) == jax.tree.map(
        lambda x: (x.shape, x.dtype), shapes
    )
    old, drawn, resized = map(
        flat, (variables, networks.init_variables(result.config, KEY), result.variables)
    )
    for path, value in resized.items():
        is_new = any(f"/{module}/" in path for module in new_modules)
        assert (path in result.new) == is_new, path
        assert same_bits(value, drawn[path] if is_new else old[path]), path
    expected = {p for p in old if any(f"/{module}/" in p for module in dropped_modules)}
    assert set(result.dropped) == expected
    assert set(result.new) <= set(resized)
    return result


@pytest.mark.parametrize(
    ("config", "resolution", "new", "dropped"),
    [
        (small(16), 8, [], ["b16"]),
        (small(16, channel_base=64), 64, ["b32", "b64"], []),
        (small(16, architecture="resnet"), 8, ["b8/torgb"], ["b16"]),
        (small(16, architecture="orig"), 32, ["b32"], ["b16/torgb"]),
        (small(16, use_noise=False, channels=(5, 3, 2)), 32, ["b32"], []),
        (discriminator(16), 8, ["b8/fromrgb"], ["b16"]),
        (discriminator(16), 32, ["b32"], ["b16/fromrgb"]),
        (discriminator(16, architecture="skip"), 8, [], ["b16"]),
        (discriminator(8, architecture="orig"), 16, ["b16"], ["b8/fromrgb"]),
    ],
)
@pytest.mark.usefixtures("quick")
def test_copied_new_and_dropped(config, resolution, new, dropped):
    result = check(config, resolution, new, dropped)
    assert result.config.img_resolution == resolution


@pytest.mark.slow
def test_new_weights_are_those_of_an_untrained_network():
    config = small(8)
    result = resize((config, random_variables(config, 1)), 16, KEY)
    drawn, resized = flat(networks.init_variables(result.config, KEY)), flat(result.variables)
    assert all(same_bits(resized[path], drawn[path]) for path in result.new)
    assert np.all(np.asarray(resized["params/synthesis/b16/conv0/affine/bias"]) == 1)


@pytest.mark.usefixtures("quick")
def test_down_and_up_again_keeps_what_was_never_dropped():
    config = small(16)
    variables = random_variables(config, 1)
    down = resize((config, variables), 8, KEY)
    up = resize(down[:2], 16, KEY)
    assert up.config == config
    before = flat(variables)
    for path, value in flat(up.variables).items():
        assert same_bits(value, before[path]) == (path not in up.new), path
    assert {path.split("/")[2] for path in up.new} == {"b16"}


def test_same_resolution_changes_nothing():
    config = small(16)
    variables = random_variables(config, 1)
    result = resize((config, variables), 16, KEY)
    assert result.config == config
    assert result.new == result.dropped == ()
    assert same_bits(result.variables, variables)


@pytest.mark.usefixtures("quick")
def test_key_draws_the_new_weights_only():
    config = small(8)
    source = (config, random_variables(config, 1))
    first, second = (resize(source, 16, jax.random.PRNGKey(seed)) for seed in (0, 1))
    path = "params/synthesis/b16/conv0/weight"
    assert not same_bits(flat(first.variables)[path], flat(second.variables)[path])
    same = [p for p in flat(first.variables) if p not in first.new]
    assert all(same_bits(flat(first.variables)[p], flat(second.variables)[p]) for p in same)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("channels", "resolution", "expected"),
    [
        ((9, 7, 5), 8, (9, 7)),
        ((9, 7, 5), 64, (9, 7, 5, 5, 5)),  # never wider than the block below
        ((512, 300, 200), 64, (512, 300, 200, 200, 128)),  # channel_base // resolution
    ],
)
def test_listed_channels_are_cut_and_extended(channels, resolution, expected):
    source = small(16, channels=channels, channel_base=8192, channel_max=512)
    shapes = networks.variable_shapes(source)
    result = jax.eval_shape(lambda v: resize((source, v), resolution, KEY).variables, shapes)
    table = [block["conv1"]["weight"].shape[-1] for block in _blocks(result)]
    assert tuple(table) == expected


@pytest.mark.slow
def test_official_sizes_down_and_up():
    big = GeneratorConfig(1024)
    for source, target, total in [(big, 512, 30_276_583), (GeneratorConfig(256), 1024, 30_370_060)]:
        made = []

        def shaped(variables, source=source, target=target, made=made):
            result = resize((source, variables), target, KEY)
            made.append(result)
            return result.variables

        jax.eval_shape(shaped, networks.variable_shapes(source))
        assert sum(count(made[0].config).values()) == total
        assert made[0].config == GeneratorConfig(target)


@pytest.mark.usefixtures("quick")
def test_freezing_restarts_because_the_top_is_new():
    config = discriminator(16, freeze_layers=3)
    source = (config, random_variables(config, 1))
    assert resize(source, 8, KEY).config.freeze_layers == 0
    assert resize(source, 16, KEY).config.freeze_layers == 3


@pytest.mark.slow
@pytest.mark.usefixtures("quick")
def test_network_object_jit_and_gradient():
    config = small(16)
    network = Network(config, random_variables(config, 1))
    plain = resize((config, network.variables), 8, KEY)
    assert same_bits(jax.jit(lambda n: resize(n, 8, KEY).variables)(network), plain.variables)

    def total(n):
        return sum(jnp.sum(value) for value in jax.tree.leaves(resize(n, 8, KEY).variables))

    gradient = flat(jax.grad(total)(network).variables)
    for path, value in gradient.items():
        assert np.all(value == float(path not in plain.dropped)), path


def test_errors():
    config = small(16)
    variables = random_variables(config, 1)
    for resolution in (0, 4, 12, 2048):
        with pytest.raises(ConfigError, match=f"img_resolution is {resolution}; it must be one of"):
            resize((config, variables), resolution, KEY)
    narrow = dataclasses.replace(
        config, synthesis=dataclasses.replace(config.synthesis, channel_base=16)
    )
    with pytest.raises(ConfigError, match="no channels are left at resolution 32"):
        resize((narrow, random_variables(narrow, 1)), 32, KEY)
    with pytest.raises(UserError, match="got dict without sizes"):
        resize(variables, 8, KEY)
    with pytest.raises(ConfigError, match=r"(?s)do not fit their config.*b32: only in the first"):
        resize((small(32), variables), 16, KEY)


def _blocks(variables):
    blocks = variables["params"]["synthesis"]
    return [blocks[name] for name in sorted(blocks, key=lambda name: int(name[1:]))]


def test_an_encoder_is_refused():
    encoder = EncoderConfig(32, "w+", 8, 6, stages=((4, 1), (5, 1), (6, 1), (7, 1)))
    variables = networks.variable_shapes(encoder)
    with pytest.raises(UserError, match="an encoder cannot be resized"):
        resize((encoder, variables), 64, KEY)
