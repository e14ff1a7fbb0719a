"""Networks that do not fit are refused with every difference."""

import dataclasses

import jax
import numpy as np
import pytest

from aligned_jax import weights
from aligned_jax.errors import ConfigError
from aligned_jax.networks.network import Network
from aligned_jax.weights.structure import differences
from tests.helpers import same_bits
from tests.weights.small_generators import pair, random_variables, small


def network(config, seed=1):
    return Network(config, random_variables(config, seed))


@pytest.mark.slow
@pytest.mark.parametrize(
    "options",
    [{"conv_clamp": 256.0}, {"num_fp16_res": 2}, {"mapping": {"w_avg_beta": 0.998}}],
)
def test_free_options_may_differ_and_the_base_keeps_its_own(options):
    first, second = network(small()), network(small(**options), 2)
    assert first.config != second.config
    assert differences(first, second) == []
    assert weights.interpolate(first, second, 0.5).config == first.config
    assert weights.reset(first, second, "conv").config == second.config
    assert weights.swap(first, second, 8).config == first.config
    named = {"a": first, "b": second}
    assert weights.arithmetic("b + 0.5*(a - b)", named).config == second.config
    assert same_bits(weights.interpolate(first, second, 1.0).variables, second.variables)


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ({"activation": "relu"}, "synthesis.activation: lrelu versus relu"),
        (
            {"resample_filter": (1.0, 2.0, 1.0)},
            "synthesis.resample_filter: [1.0, 3.0, 3.0, 1.0] versus [1.0, 2.0, 1.0]",
        ),
        ({"mapping": {"lr_multiplier": 0.1}}, "mapping.lr_multiplier: 0.01 versus 0.1"),
        ({"mapping": {"activation": "relu"}}, "mapping.activation: lrelu versus relu"),
    ],
)
def test_options_that_change_the_function_are_refused(options, line):
    first, second = network(small()), network(small(**options), 2)
    assert differences(first, second) == [line]
    with pytest.raises(ConfigError) as error:
        weights.interpolate(first, second, 0.5)
    assert str(error.value) == f"b (second) does not fit a (first):\n  {line}"


def test_sizes_written_differently_fit():
    table = tuple(small().channels.values())
    first, second = network(small()), network(small(channels=table), 2)
    assert first.config != second.config
    assert differences(first, second) == []


def test_every_difference_is_listed_once():
    first, second = network(small(16)), network(small(32, channel_base=64, use_noise=False))
    lines = differences(first, second)
    assert lines[:3] == [
        "img_resolution: 16 versus 32",
        "synthesis.channel_base: 32 versus 64",
        "synthesis.use_noise: True versus False",
    ]
    assert "noise: only in the first" in lines
    assert "params/synthesis/b4/conv1/noise_strength: only in the first" in lines
    assert "params/synthesis/b32: only in the second" in lines
    shape = "params/synthesis/b16/conv0/weight: float32 [3, 3, 4, 2] versus float32 [3, 3, 8, 4]"
    assert shape in lines
    assert len(lines) == len(set(lines))
    with pytest.raises(ConfigError) as error:
        weights.reset(first, second, "conv")
    assert "`aligned resize NETWORK --resolution R --out DST`" in str(error.value).splitlines()[-1]
    # reset is built on the child, so the two sides change places.
    assert len(str(error.value).splitlines()) == 1 + len(lines) + 1


def test_architectures_differ_in_option_and_arrays():
    lines = differences(network(small()), network(small(architecture="resnet")))
    assert lines[0] == "synthesis.architecture: skip versus resnet"
    assert "params/synthesis/b8/skip: only in the second" in lines
    assert "params/synthesis/b8/torgb: only in the first" in lines


def test_dtype_is_a_difference():
    first, second = pair()
    second["stats"]["mapping"]["w_avg"] = second["stats"]["mapping"]["w_avg"].astype(np.float16)
    line = "stats/mapping/w_avg: float32 [6] versus float16 [6]"
    assert differences(first, second) == [line]


def test_network_and_variables_mix():
    config = small()
    first, second = pair(config)
    mixed = weights.interpolate(Network(config, first), second, 0.25)
    assert isinstance(mixed, Network)
    assert mixed.config == config
    plain = weights.interpolate(first, Network(config, second), 0.25)
    assert isinstance(plain, dict)
    assert same_bits(mixed.variables, plain)


def test_networks_stay_networks_under_jit():
    config = small()
    first, second = (Network(config, variables) for variables in pair(config))
    other = dataclasses.replace(second, config=small(conv_clamp=256.0))
    result = jax.jit(lambda a, b: weights.swap(a, b, 8))(first, other)
    assert isinstance(result, Network)
    assert result.config == config
    assert same_bits(result, weights.swap(first, second, 8))


@pytest.mark.parametrize("verb", ["reset", "interpolate", "swap", "arithmetic", "compare"])
def test_every_operation_refuses(verb):
    first, second = random_variables(small(8), 0), random_variables(small(16), 0)
    calls = {
        "reset": lambda: weights.reset(first, second, "conv"),
        "interpolate": lambda: weights.interpolate(first, second, 0.5),
        "swap": lambda: weights.swap(first, second, 8),
        "arithmetic": lambda: weights.arithmetic("a + b", {"a": first, "b": second}),
        "compare": lambda: weights.compare(first, second),
    }
    with pytest.raises(ConfigError, match="params/synthesis/b16: only in the"):
        calls[verb]()
