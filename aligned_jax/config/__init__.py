"""Frozen, JSON-able descriptions of networks; every size is derived here.

Field names and defaults follow the constructor arguments of the official
PyTorch release of StyleGAN2-ADA. Nothing in this package touches an array, so
importing it is free.
"""

from aligned_jax.config.checks import (
    ACTIVATIONS,
    ARCHITECTURES,
    DEFAULT_FILTER,
    MAX_MAPPING_LAYERS,
    MAX_RESOLUTION,
    Filter,
)
from aligned_jax.config.discriminator import DiscriminatorConfig, EpilogueConfig
from aligned_jax.config.encoder import EncoderConfig
from aligned_jax.config.generator import GeneratorConfig, MappingConfig, SynthesisConfig
from aligned_jax.config.kinds import (
    ALL_KEYS,
    ENCODER,
    KEYS,
    KINDS,
    AnyConfig,
    NetworkConfig,
    check_kinds,
    configs_of,
    describe,
    kind_of,
)
from aligned_jax.utils.jsonable import from_dict, to_dict

__all__ = [
    "ACTIVATIONS",
    "ALL_KEYS",
    "ARCHITECTURES",
    "DEFAULT_FILTER",
    "ENCODER",
    "KEYS",
    "KINDS",
    "MAX_MAPPING_LAYERS",
    "MAX_RESOLUTION",
    "AnyConfig",
    "DiscriminatorConfig",
    "EncoderConfig",
    "EpilogueConfig",
    "Filter",
    "GeneratorConfig",
    "MappingConfig",
    "NetworkConfig",
    "SynthesisConfig",
    "check_kinds",
    "configs_of",
    "describe",
    "from_dict",
    "kind_of",
    "to_dict",
]
