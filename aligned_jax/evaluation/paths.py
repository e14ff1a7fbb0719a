"""Perceptual path length of a network."""

import functools
from collections.abc import Callable
from typing import Any

import jax
import numpy as np
from jax.sharding import Mesh

from aligned_jax.evaluation.devices import by_rows, mesh_of
from aligned_jax.evaluation.image_sets import GeneratedImages
from aligned_jax.latents import noise_fields
from aligned_jax.metrics import PathOptions, path_distances
from aligned_jax.networks.network import Network
from aligned_jax.types import Array
from aligned_jax.utils.blocks import blocks
from aligned_jax.utils.reporting import Advance, no_advance


def path_steps(
    generated: GeneratedImages,
    lpips: Callable[[Array, Array], Array],
    options: PathOptions,
    batch: int = 16,
    advance: Advance = no_advance,
) -> np.ndarray:
    """Distances over epsilon squared of as many steps as there are images, [N].

    Always in float32. Labels and truncation are those of the images; random
    noise is drawn anew for every step and shared by its ends.

    Args:
      generated: the network, the number of steps, and the seed of their ends.
      lpips: distance of images in [-1, 1]; a pytree.
      options: which steps.
      batch: images at a time, two of each step.
      advance: hears how many steps each batch has.
    """
    config, count = generated.network.config, len(generated)
    latents = np.random.RandomState(generated.seed)
    # A stream of its own, so that places on the way do not go along with the ends.
    places = np.random.RandomState([generated.seed, 1])
    uniform = places.uniform(size=count).astype(np.float32)
    mesh, parts = mesh_of(generated.devices), []
    labels = np.zeros((count, 0), np.float32) if generated.labels is None else generated.labels
    fixed = generated.psi, generated.noise, options
    for numbers, kept in blocks(count, max(1, batch // 2), mesh.size):
        # One stream for all: where batches end changes nothing.
        drawn = latents.randn(kept, 2, config.z_dim).astype(np.float32)
        z = drawn[numbers - numbers[0]]
        rows = z[:, 0], z[:, 1], uniform[numbers], labels[numbers], numbers.astype(np.uint32)
        distances = _steps((generated.network, lpips), *rows, mesh, *fixed)
        parts.append(np.asarray(distances)[:kept])
        advance(kept)
    return np.concatenate(parts)


@functools.partial(jax.jit, static_argnames=("mesh", "psi", "noise", "options"))
def _steps(
    networks: tuple[Network, Any],
    z0: Array,
    z1: Array,
    u: Array,
    c: Array,
    numbers: Array,
    mesh: Mesh,
    psi: float,
    noise: str,
    options: PathOptions,
) -> Array:
    def body(networks: Any, z0: Array, z1: Array, u: Array, c: Array, numbers: Array) -> Array:
        network, lpips = networks
        config = network.config
        fields: str | dict[str, Array] = noise
        both = functools.partial(jax.numpy.concatenate, axis=0)
        if noise == "random" and config.synthesis.use_noise:
            fields = noise_fields(config, jax.random.key(0), both([numbers, numbers]))

        def mapping(z: Array) -> Array:
            return network.mapping(z, both([c, c]) if config.c_dim else None, psi)

        def synthesis(ws: Array) -> Array:
            return network.synthesis(ws, fields)

        return path_distances(mapping, synthesis, lpips, z0, z1, u, options)

    return by_rows(mesh, body, networks, z0, z1, u, c, numbers)
