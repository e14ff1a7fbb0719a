"""Official file formats in and out, without torch, TensorFlow or running pickles."""

from aligned_jax.convert.export_port import port_usage, write_port
from aligned_jax.convert.export_safetensors import write_safetensors
from aligned_jax.convert.kwargs import discriminator_config, generator_config
from aligned_jax.convert.official import Converted, Official, read_official
from aligned_jax.convert.rules import from_official, to_official

__all__ = [
    "Converted",
    "Official",
    "discriminator_config",
    "from_official",
    "generator_config",
    "port_usage",
    "read_official",
    "to_official",
    "write_port",
    "write_safetensors",
]
