"""Official file formats in and out, without torch, TensorFlow or running pickles."""

from aligned_jax.convert.deltas import (
    DTYPES,
    Delta,
    DeltaBase,
    added,
    check_delta,
    delta_of,
    read_delta,
    write_delta,
)
from aligned_jax.convert.export_port import port_usage, write_port
from aligned_jax.convert.export_safetensors import write_safetensors
from aligned_jax.convert.kwargs import discriminator_config, generator_config
from aligned_jax.convert.official import Converted, Official, read_official
from aligned_jax.convert.rules import from_official, to_official

__all__ = [
    "DTYPES",
    "Converted",
    "Delta",
    "DeltaBase",
    "Official",
    "added",
    "check_delta",
    "delta_of",
    "discriminator_config",
    "from_official",
    "generator_config",
    "port_usage",
    "read_delta",
    "read_official",
    "to_official",
    "write_delta",
    "write_port",
    "write_safetensors",
]
