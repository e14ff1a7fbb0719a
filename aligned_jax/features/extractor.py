"""Frozen networks as objects to call: arrays inside, pure, ready for `jax.jit`."""

import functools
import math
import os
from dataclasses import dataclass
from typing import Any, cast

import jax
import jax.numpy as jnp

from aligned_jax.errors import UserError
from aligned_jax.features import store
from aligned_jax.features.networks import NETWORKS, tree
from aligned_jax.features.perceptual import layer_distances
from aligned_jax.types import Array, PyTree


@functools.partial(
    jax.tree_util.register_dataclass,
    data_fields=["variables"],
    meta_fields=["name", "sha256", "options"],
)
@dataclass(frozen=True, eq=False)
class Extractor:
    """A frozen network; a pytree whose leaves are its weights.

    `sha256` is that of the file that the weights are from, `options` what
    `load` was given. Numbers of two extractors are comparable if name, sha256
    and options agree.
    """

    name: str
    variables: PyTree
    sha256: str
    options: tuple[tuple[str, Any], ...] = ()

    def __call__(self, images: Array) -> dict[str, Array]:
        """Features of images; pure.

        Args:
          images: [N, H, W, C] in [0, 255], one channel, three, or four with opacity, which are
            seen over white; of any size.

        Returns:
          float32 {"features": [N, D]} with D 2048 (inception), 512 (vgg16,
          arcface) or 4096 (vgg16_fc2); inception has "logits" [N, 1008] too.

        Raises:
          UserError: for images of another shape, or too small.
        """
        network = NETWORKS[self.name]
        images = _three_channels(self.name, images, 0.0, 255.0, ground=255.0)
        module = network.module(**dict(self.options))
        return cast("dict[str, Array]", module.apply(self.variables, images))


@functools.partial(
    jax.tree_util.register_dataclass, data_fields=["variables"], meta_fields=["name", "sha256"]
)
@dataclass(frozen=True, eq=False)
class Lpips:
    """The distance LPIPS (version 0.1, linear heads) with the network of `name`; a pytree.

    Images of four channels, the last of which is opacity, are compared over white and over
    black, and the mean of both is their distance: over one ground alone, what is transparent
    would be the same as what has the colour of the ground.
    """

    name: str
    variables: PyTree
    sha256: str

    def __call__(self, a: Array, b: Array) -> Array:
        """Distances [N] of images a and b [N, H, W, C] in [-1, 1], of 1, 3 or 4 channels."""
        return self.layers(a, b).sum(axis=-1)

    def layers(self, a: Array, b: Array) -> Array:
        """The five terms of the distance: [N, 5]."""
        return layer_distances(self.embed(a), self.embed(b))

    def embed(self, images: Array) -> list[Array]:
        """Five maps of each image; the squares of their differences add up to the distance.

        For the distances of many pairs of the same images.

        Raises:
          UserError: for images of another shape, or too small.
        """
        module = NETWORKS[self.name].module()

        def maps(ground: float) -> list[Array]:
            flat = _three_channels(self.name, images, -1.0, 1.0, ground)
            return cast("list[Array]", module.apply(self.variables, flat))

        if images.ndim != 4 or images.shape[-1] != 4:
            return maps(1.0)
        # Squares of both halves add up, hence the root of one half.
        pairs = zip(maps(1.0), maps(-1.0), strict=True)
        return [jnp.concatenate(pair, axis=-1) * math.sqrt(0.5) for pair in pairs]


def load(name: str, path: str | os.PathLike | None = None, **options: Any) -> Extractor:
    """The frozen network `name`: inception, vgg16, vgg16_fc2 or arcface.

    Args:
      name: which one.
      path: a file of its weights; by default those that `aligned features add`
        has kept, for vgg16 those of the extra `lpips`.
      options: inception takes half_pixel=True, which prepares images as
        pytorch-fid does instead of NVIDIA's way.

    Raises:
      UserError: if there are no weights, saying which file to get and how to
        add it, or for an unknown name or option.
    """
    if name in NETWORKS and name.startswith("lpips_"):
        raise UserError(f"{name} is a distance, not an extractor: use features.lpips()")
    weights = store.read(name, path)
    known = dict(NETWORKS[name].options)
    if unknown := [option for option in options if option not in known]:
        raise UserError(f"{name} has no option {', '.join(unknown)}; it has {list(known)}")
    settled = tuple(sorted((known | options).items()))
    return Extractor(name, _variables(weights), weights.origin["sha256"], settled)


def lpips(net: str = "vgg") -> Lpips:
    """LPIPS with VGG-16 ("vgg") or AlexNet ("alex"), from the extra `lpips`.

    Raises:
      UserError: if the extra is not installed, or for another name.
    """
    if net not in ("vgg", "alex"):
        raise UserError(f"LPIPS has no network {net!r}; networks are vgg and alex")
    weights = store.read(f"lpips_{net}")
    return Lpips(weights.network, _variables(weights), weights.origin["sha256"])


def _variables(weights: store.Weights) -> PyTree:
    return jax.tree.map(jnp.asarray, tree(weights.network, weights.arrays))


def _three_channels(name: str, images: Array, low: float, high: float, ground: float) -> Array:
    """float32 [N, H, W, 3] of gray or colour images.

    Args:
      name: of the network.
      images: [N, H, W, C], of 1, 3 or 4 channels.
      low, high: values of black and white, of transparent and opaque.
      ground: what lies below images of 4 channels.
    """
    smallest = NETWORKS[name].smallest
    if images.ndim != 4 or images.shape[-1] not in (1, 3, 4) or min(images.shape[1:3]) < smallest:
        raise UserError(
            f"{name} takes images [N, H, W, 1, 3 or 4] of {smallest} pixels or more, got shape "
            f"{list(images.shape)}"
        )
    images = jnp.asarray(images, jnp.float32)
    if images.shape[-1] == 4:
        # Not clipped: where opacity is out of bounds it needs a slope back.
        opacity = (images[..., 3:] - low) / (high - low)
        images = images[..., :3] * opacity + ground * (1 - opacity)
    return jnp.broadcast_to(images, (*images.shape[:3], 3))
