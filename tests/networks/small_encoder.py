"""An encoder and a generator of few channels, and variables for them."""

import jax
import numpy as np

from aligned_jax.config import EncoderConfig, GeneratorConfig, MappingConfig, SynthesisConfig
from aligned_jax.networks import fingerprint, variable_shapes

GENERATOR = GeneratorConfig(
    32, 5, 0, 6, mapping=MappingConfig(1), synthesis=SynthesisConfig(channels=(5, 4, 4, 3))
)
ENCODER = EncoderConfig(32, "w+", 8, 6, deltas=True, stages=((4, 1), (5, 1), (6, 1), (7, 1)))


def provenance_of(name, network):
    """What an encoder's provenance says under `generator`."""
    return {"network": name, "sha256": fingerprint(network.variables)}


def filled(config, seed=0):
    """Variables of small positive numbers."""
    rng = np.random.default_rng(seed)
    return jax.tree.map(
        lambda v: rng.uniform(0.1, 0.5, v.shape).astype(np.float32), variable_shapes(config)
    )
