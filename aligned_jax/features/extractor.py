"""Frozen networks as objects to call: arrays inside, pure, ready for `jax.jit`."""

import functools
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
          images: [N, H, W, C] in [0, 255], one channel or three; of any size.

        Returns:
          float32 {"features": [N, D]} with D 2048 (inception), 512 (vgg16,
          arcface) or 4096 (vgg16_fc2); inception has "logits" [N, 1008] too.

        Raises:
          UserError: for images of another shape, or too small.
        """
        network = NETWORKS[self.name]
        images = _three_channels(self.name, images)
        module = network.module(**dict(self.options))
        return cast("dict[str, Array]", module.apply(self.variables, images))


@functools.partial(
    jax.tree_util.register_dataclass, data_fields=["variables"], meta_fields=["name", "sha256"]
)
@dataclass(frozen=True, eq=False)
class Lpips:
    """The distance LPIPS (version 0.1, linear heads) with the network of `name`; a pytree."""

    name: str
    variables: PyTree
    sha256: str

    def __call__(self, a: Array, b: Array) -> Array:
        """Distances [N] of images a and b [N, H, W, C] in [-1, 1], one channel or three."""
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
        images = _three_channels(self.name, images)
        module = NETWORKS[self.name].module()
        return cast("list[Array]", module.apply(self.variables, images))


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


def _three_channels(name: str, images: Array) -> Array:
    """float32 [N, H, W, 3] of gray or colour images."""
    smallest = NETWORKS[name].smallest
    if images.ndim != 4 or images.shape[-1] not in (1, 3) or min(images.shape[1:3]) < smallest:
        raise UserError(
            f"{name} takes images [N, H, W, 1 or 3] of {smallest} pixels or more, got shape "
            f"{list(images.shape)}"
        )
    images = jnp.asarray(images, jnp.float32)
    return jnp.broadcast_to(images, (*images.shape[:3], 3))
