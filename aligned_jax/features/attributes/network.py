"""The network of a reader: a trunk of residual stages, and heads."""

import functools
from collections.abc import Mapping
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from flax.traverse_util import flatten_dict, unflatten_dict

from aligned_jax.config.attributes import ReaderConfig
from aligned_jax.networks.plain import Conv, Linear
from aligned_jax.types import Array, PyTree

_GROUPS = 8
_THREE = (3, 3)


class _Stage(nn.Module):
    """Halves the side, then adds what one more convolution finds (He et al. 2016)."""

    features: int

    @nn.compact
    def __call__(self, x: Array) -> Array:
        x = Conv(self.features, _THREE, 2, (1, 1), name="down")(x)
        x = nn.relu(nn.GroupNorm(_GROUPS, name="norm0")(x))
        y = Conv(self.features, _THREE, 1, (1, 1), name="same")(x)
        return nn.relu(x + nn.GroupNorm(_GROUPS, name="norm1")(y))


class Trunk(nn.Module):
    """Pictures [N, R, R, 3] in [-1, 1] to the map of each stage, [N, R / 2^k, R / 2^k, width]."""

    widths: tuple[int, ...]

    @nn.compact
    def __call__(self, images: Array) -> list[Array]:
        maps = []
        x = images
        for number, width in enumerate(self.widths):
            x = _Stage(width, name=f"stage{number}")(x)
            maps.append(x)
        return maps


class AttributeNetwork(nn.Module):
    """Pictures [N, R, R, 3] in [-1, 1] to the outputs of each head: {name: [N, head.width]}.

    The last map is not averaged: where things are is what pose is told from.
    """

    config: ReaderConfig

    @nn.compact
    def __call__(self, images: Array) -> dict[str, Array]:
        x = Trunk(self.config.widths, name="trunk")(images)[-1]
        x = nn.relu(Linear(self.config.dense, name="dense")(x.reshape(x.shape[0], -1)))
        heads = self.config.heads
        outputs = Linear(sum(head.width for head in heads), name="heads")(x)
        ends = np.cumsum([head.width for head in heads])[:-1]
        parts = jnp.split(outputs, [int(end) for end in ends], axis=1)
        return {head.name: part for head, part in zip(heads, parts, strict=True)}


class PartsNetwork(nn.Module):
    """Pictures [N, R, R, 3] in [-1, 1] to logits of the parts, [N, R, R, parts].

    A U-net (Ronneberger et al. 2015) whose way down is the trunk, which stays as the
    attributes made it; the last step sees the picture itself.
    """

    config: ReaderConfig

    @nn.compact
    def __call__(self, images: Array) -> Array:
        down = Trunk(self.config.widths, name="trunk")(images)
        maps = [images, *map(jax.lax.stop_gradient, down)]
        x = maps[-1]
        for number, finer in enumerate(reversed(maps[:-1])):
            width = max(16, finer.shape[-1])
            x = Conv(width, (1, 1), name=f"up{number}")(x)
            x = jnp.concatenate([x.repeat(2, axis=1).repeat(2, axis=2), finer], axis=-1)
            x = Conv(width, _THREE, 1, (1, 1), name=f"mix{number}")(x)
            x = nn.relu(nn.GroupNorm(_GROUPS, name=f"norm{number}")(x))
        return Conv(len(self.config.parts), (1, 1), 1, (0, 0), True, name="parts")(x)


@functools.lru_cache(maxsize=8)
def shapes(config: ReaderConfig) -> Mapping[tuple[str, ...], tuple[int, ...]]:
    """Shape of every parameter of a reader by path; those of `PartsNetwork` begin with "parts"."""
    found = _shapes("attributes", AttributeNetwork(config), config.resolution)
    if config.parts:
        decoder = _shapes("parts", PartsNetwork(config), config.resolution)
        found |= {path: shape for path, shape in decoder.items() if path[1] != "trunk"}
    return found


def _shapes(name: str, module: nn.Module, side: int) -> dict[tuple[str, ...], tuple[int, ...]]:
    image = jax.ShapeDtypeStruct((1, side, side, 3), np.float32)
    template = jax.eval_shape(module.init, jax.random.key(0), image)["params"]
    return {(name, *path): leaf.shape for path, leaf in flatten_dict(template).items()}


def start(config: ReaderConfig, seed: int) -> PyTree:
    """Random parameters of `AttributeNetwork`."""
    image = jnp.zeros((1, config.resolution, config.resolution, 3), jnp.float32)
    return jax.jit(AttributeNetwork(config).init)(jax.random.key(seed), image)["params"]


def to_named(params: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Arrays by dotted name, as files hold them."""
    return {".".join(path): np.asarray(leaf) for path, leaf in flatten_dict(params).items()}


def from_named(config: ReaderConfig, arrays: Mapping[str, Any]) -> PyTree:
    """Inverse of `to_named`."""
    return unflatten_dict({path: arrays[".".join(path)] for path in shapes(config)})
