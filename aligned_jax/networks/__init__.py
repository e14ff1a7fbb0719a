"""StyleGAN2 as pure linen modules with the official parameter names."""

from aligned_jax.networks.discriminator import Discriminator
from aligned_jax.networks.encoder import Encoder
from aligned_jax.networks.generator import Generator
from aligned_jax.networks.mapping import Mapping
from aligned_jax.networks.synthesis import Synthesis
from aligned_jax.networks.variables import (
    fingerprint,
    init_variables,
    module_of,
    variable_shapes,
)

__all__ = [
    "Discriminator",
    "Encoder",
    "Generator",
    "Mapping",
    "Synthesis",
    "fingerprint",
    "init_variables",
    "module_of",
    "variable_shapes",
]
