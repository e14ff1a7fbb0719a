"""What an inversion makes small: squared differences of embeddings of images.

Anything that is a pytree and has `embed` will do: a `features.Lpips`, those
below, or one's own.
"""

import functools
import math
from dataclasses import dataclass
from typing import Protocol

import jax
import jax.numpy as jnp

from aligned_jax.types import Array, PyTree


class Perceptual(Protocol):
    """Something that embeds images: a pytree whose leaves are its weights."""

    def embed(self, images: Array) -> PyTree:
        """Arrays [N, ...] of images [N, H, W, C] in [-1, 1]; squared differences are the loss."""


@jax.tree_util.register_static
@dataclass(frozen=True)
class Pixels:
    """Mean squared difference of the pixels themselves, in [-1, 1]."""

    def embed(self, images: Array) -> Array:
        """The images, scaled so that squared differences sum to the mean over pixels."""
        return images / math.sqrt(math.prod(images.shape[1:]))


@functools.partial(jax.tree_util.register_dataclass, data_fields=["parts"], meta_fields=["weights"])
@dataclass(frozen=True)
class Weighted:
    """A sum of distances, each times its weight."""

    parts: tuple[Perceptual, ...]
    weights: tuple[float, ...]

    def embed(self, images: Array) -> PyTree:
        """Embeddings of all parts, times the roots of their weights."""
        pairs = zip(self.parts, self.weights, strict=True)
        return [_times(part.embed(images), math.sqrt(weight)) for part, weight in pairs]


def _times(maps: PyTree, factor: float) -> PyTree:
    return jax.tree.map(lambda x: x * factor, maps)


def distances(a: PyTree, b: PyTree, repeats: int = 1) -> Array:
    """Sums of squared differences of embeddings, [N]; b has a row for `repeats` rows of a."""

    def squares(x: Array, y: Array) -> Array:
        x = x.reshape(len(y), repeats, -1)
        return jnp.square(x - y.reshape(len(y), 1, -1)).sum(axis=2).reshape(-1)

    return jnp.asarray(sum(jax.tree.leaves(jax.tree.map(squares, a, b))))
