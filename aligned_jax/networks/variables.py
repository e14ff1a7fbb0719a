"""Fresh variables of a network, and their shapes without any arithmetic."""

import functools
import hashlib

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from aligned_jax.config import AnyConfig, EncoderConfig, GeneratorConfig
from aligned_jax.networks.discriminator import Discriminator
from aligned_jax.networks.encoder import Encoder
from aligned_jax.networks.generator import Generator
from aligned_jax.networks.layout import Layout
from aligned_jax.types import Array, PyTree, Variables


def module_of(
    config: AnyConfig, half: str | None = None, layout: Layout | None = None
) -> nn.Module:
    """The linen module that `config` describes; encoders know no half precision.

    `layout` is no encoder's; None takes what is fast on the backend.
    """
    if isinstance(config, EncoderConfig):
        return Encoder(config)
    if isinstance(config, GeneratorConfig):
        return Generator(config, half, layout)
    return Discriminator(config, half, layout)


def init_variables(config: AnyConfig, key: Array) -> Variables:
    """Variables of an untrained network, float32, distributed as the official code draws them."""
    size = (config.img_resolution, config.img_resolution, config.img_channels)
    shape = (config.z_dim,) if isinstance(config, GeneratorConfig) else size
    # An encoder takes no labels.
    c_dim = () if isinstance(config, EncoderConfig) else (config.c_dim,)
    labels = [jax.ShapeDtypeStruct((1, width), jnp.float32) for width in c_dim]
    # The initialisers run one by one and share compilations between layers of equal
    # shape; one jitted program for all of them takes far longer to compile.
    return module_of(config).lazy_init(key, jax.ShapeDtypeStruct((1, *shape), jnp.float32), *labels)


@functools.lru_cache(maxsize=64)
def variable_shapes(config: AnyConfig) -> PyTree:
    """The tree of `init_variables` with a jax.ShapeDtypeStruct for every leaf."""
    key = jax.ShapeDtypeStruct((2,), jnp.uint32)
    return jax.eval_shape(functools.partial(init_variables, config), key)


def fingerprint(variables: Variables) -> str:
    """SHA-256 of a network's numbers as float32, with their names."""
    digest = hashlib.sha256()
    for path, leaf in jax.tree_util.tree_leaves_with_path(variables):
        values = np.asarray(leaf, np.float32, order="C")
        digest.update(f"{jax.tree_util.keystr(path)} {values.shape}\n".encode())
        digest.update(values.tobytes())
    return digest.hexdigest()
