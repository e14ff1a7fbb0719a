"""Small generators with random weights, and where the bits of a result come from."""

import jax
import numpy as np

from aligned_jax import networks
from aligned_jax.config import GeneratorConfig, MappingConfig, SynthesisConfig
from aligned_jax.weights.components import entries
from tests.helpers import same_bits


def small(resolution=16, mapping=None, **synthesis):
    sizes = {"channel_base": 32, "channel_max": 8} | synthesis
    options = {"num_layers": 2} | (mapping or {})
    return GeneratorConfig(
        resolution,
        z_dim=4,
        w_dim=6,
        mapping=MappingConfig(**options),
        synthesis=SynthesisConfig(**sizes),
    )


def random_variables(config, seed):
    """NumPy normal numbers in every leaf, so that none is left at zero."""
    rng = np.random.default_rng(seed)
    shapes = networks.variable_shapes(config)
    return jax.tree.map(lambda s: np.asarray(rng.normal(size=s.shape), s.dtype), shapes)


def pair(config=None):
    config = config or small()
    return random_variables(config, 1), random_variables(config, 2)


def sources(result, **networks):
    """{path: name of the one network whose bits the leaf of `result` has}."""
    origins = {}
    for path, (_, value) in entries(result).items():
        names = [n for n, net in networks.items() if same_bits(value, entries(net)[path][1])]
        assert len(names) == 1, f"{path} is equal to {names or 'no network'}"
        origins[path] = names[0]
    return origins
