"""Odd constructor arguments by the hundred: a config, or a refusal that people can read.

Every argument of small networks takes every odd value, alone and, drawn with a
fixed seed, two and three at a time. The tensors stay those of the sound network.
"""

import copy
import random
import time

import pytest

from aligned_jax.convert import deduce
from aligned_jax.convert.checks import tensor_problems
from aligned_jax.convert.kwargs import discriminator_config, generator_config
from aligned_jax.errors import ConfigError, FormatError
from tests.convert.small_networks import Lazy
from tests.helpers import random_tensors

# fmt: off
ODD = (
    0, -1, -8, 1, 2, 4, 5, 8, 65, 10**6, 2**63, 10**30, -(10**30), 10**400, 1.5, 0.0,
    -0.0, 1e-300, 1e300, float("nan"), float("inf"), None, True, False, "", "lrelu", "x" * 1000,
    [], [0], [1], [1, 3, 3, 1], [1] * 30, [[1, 2], [3, 4]], [[1], [1, 2]], [[[1]]], [1e38, 1e38],
    [1e-45], [10**400], ["a"], [None], {}, {"a": 1}, {"num_layers": 0},
)
# fmt: on
COMBINED = 60  # cases a network, with two or three odd values each
MAX_SECONDS = 3

MAPPING = {"num_layers": 2, "embed_features": 4, "layer_features": 7, "activation": "lrelu"}
MAPPING |= {"lr_multiplier": 0.01}
SIZES = {"c_dim": 2, "img_resolution": 8, "img_channels": 3}
OPTIONS = {"channel_base": 64, "channel_max": 8, "num_fp16_res": 0, "conv_clamp": 256}
LAYERS = {"activation": "lrelu", "resample_filter": [1, 3, 3, 1]}
CRITIC = (
    SIZES
    | OPTIONS
    | {
        "architecture": "resnet",
        "mapping_kwargs": MAPPING,
        "block_kwargs": LAYERS | {"freeze_layers": 0},
        "epilogue_kwargs": {"mbstd_group_size": 4, "mbstd_num_channels": 1, "activation": "lrelu"},
    }
)
NETWORKS = {
    "generator": SIZES
    | {
        "z_dim": 5,
        "w_dim": 6,
        "mapping_kwargs": MAPPING | {"w_avg_beta": 0.995},
        "synthesis_kwargs": OPTIONS | LAYERS | {"architecture": "skip", "use_noise": True},
    },
    "discriminator": CRITIC | {"cmap_dim": 6},
    # The labels are as wide as the features at 4x4, so that the tensors tell no cmap_dim.
    "label width of 4x4": CRITIC | {"cmap_dim": 8},
    "no mapping layers": CRITIC
    | {"cmap_dim": 6, "mapping_kwargs": MAPPING | {"num_layers": 0, "embed_features": 6}},
}


def places(kwargs, path=()):
    """The path of every argument, groups of them included."""
    for key, value in kwargs.items():
        yield (*path, key)
        if isinstance(value, dict):
            yield from places(value, (*path, key))


def put(kwargs, path, value):
    """Sets an argument, unless its group has been replaced by something else."""
    for key in path[:-1]:
        kwargs = kwargs.get(key) if isinstance(kwargs, dict) else None
    if isinstance(kwargs, dict):
        kwargs[path[-1]] = copy.deepcopy(value)


def changes(kwargs):
    """Lists of (path, value) to put."""
    paths, choose = list(places(kwargs)), random.Random(0)
    yield from ([(path, value)] for path in paths for value in ODD)
    for _ in range(COMBINED):
        yield [(choose.choice(paths), choose.choice(ODD)) for _ in range(choose.choice((2, 3)))]


@pytest.mark.slow
@pytest.mark.parametrize("name", NETWORKS)
def test_odd_arguments(name):
    sound = NETWORKS[name]
    config_of, read = (
        (generator_config, deduce.generator)
        if name == "generator"
        else (discriminator_config, deduce.discriminator)
    )
    tensors = {key: Lazy(array) for key, array in random_tensors(config_of(sound)).items()}
    shapes = {key: tensor.shape for key, tensor in tensors.items()}
    accepted = refused = 0
    for change in changes(sound):
        kwargs, start = copy.deepcopy(sound), time.perf_counter()
        for path, value in change:
            put(kwargs, path, value)
        try:
            tensor_problems(read(shapes, kwargs, "stylegan2-ada-pytorch"), tensors)
            accepted += 1
        except (ConfigError, FormatError) as error:
            assert len(str(error)) < 4000, change
            refused += 1
        except Exception as error:
            raise AssertionError(f"{change} raised {error!r}") from error
        assert time.perf_counter() - start < MAX_SECONDS, change
    assert accepted > 30 and refused > 500
