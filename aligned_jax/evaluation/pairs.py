"""LPIPS between pairs of pictures."""

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh

from aligned_jax.evaluation.devices import Devices, by_rows, mesh_of
from aligned_jax.types import Array
from aligned_jax.utils.blocks import blocks
from aligned_jax.utils.reporting import Advance, no_advance

Take = Callable[[np.ndarray], Any]


def pair_distances(
    lpips: Callable[[Array, Array], Array],
    first: Take,
    second: Take,
    count: int,
    batch: int = 16,
    devices: Devices | None = None,
    advance: Advance = no_advance,
) -> np.ndarray:
    """LPIPS of pair 0, 1, ..., float32 [count].

    Args:
      lpips: distance of images in [-1, 1]; a pytree.
      first, second: from numbers of pairs to their images, uint8 [n, H, W, C].
      count: pairs.
      batch: images at a time, two of each pair.
      devices: of this machine; None takes all.
      advance: hears how many pairs each batch has.
    """
    mesh, parts = mesh_of(devices), []
    for numbers, kept in blocks(count, max(1, batch // 2), mesh.size):
        distances = _distances(lpips, first(numbers), second(numbers), mesh)
        parts.append(np.asarray(distances)[:kept])
        advance(kept)
    return np.concatenate(parts)


@functools.partial(jax.jit, static_argnames="mesh")
def _distances(lpips: Any, a: Array, b: Array, mesh: Mesh) -> Array:
    def body(lpips: Any, a: Array, b: Array) -> Array:
        return lpips(_scaled(a), _scaled(b))

    return by_rows(mesh, body, lpips, a, b)


def _scaled(images: Array) -> Array:
    """uint8 to [-1, 1]."""
    return images.astype(jnp.float32) / 127.5 - 1
