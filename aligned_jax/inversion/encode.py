"""Latents of images by an encoder: alone, or as a start for optimisation."""

import jax.numpy as jnp
import numpy as np

from aligned_jax.blocks import blocks
from aligned_jax.encoder_network import EncoderNetwork
from aligned_jax.errors import UserError
from aligned_jax.latents import broadcast_w
from aligned_jax.network import Network
from aligned_jax.types import Array


def encode(
    encoder: EncoderNetwork, network: Network, images: Array, batch_size: int = 8
) -> np.ndarray:
    """Latents of images in the encoder's space, a few images at a time.

    Args:
      encoder: of this network.
      network: the generator.
      images: [N, S, S, C] in [-1, 1], of the encoder's size or larger.
      batch_size: changes a latent by rounding at most.

    Returns:
      float32 [N, D], or [N, L, D] for z+ and w+.

    Raises:
      UserError: if the encoder belongs to another generator, or images do not fit.
    """
    encoder.check_generator(network)
    images, parts = np.asarray(images, np.float32), []
    if batch_size < 1 or not len(images):
        raise UserError(f"{len(images)} images by {batch_size} at a time cannot be encoded")
    for rows, kept in blocks(len(images), batch_size):
        parts.append(np.asarray(encoder(images[rows]))[:kept])
    return np.concatenate(parts)


def as_space(network: Network, space: str, latents: Array, wanted: str) -> Array:
    """Latents of one space in another that holds them, to start an optimisation there.

    A row is repeated where rows are wanted, and z goes through the mapping.

    Raises:
      UserError: for a space that is not wider: w+ has no w, and w no z.
    """
    ways = {
        "z": ("z", "z+", "w", "w+"),
        "z+": ("z+", "w+"),
        "w": ("w", "w+"),
        "w+": ("w+",),
    }
    if wanted not in ways.get(space, ()):
        raise UserError(
            f"the encoder's latents are of {space}, which cannot start an inversion in {wanted}; "
            f"it can in {', '.join(ways.get(space, ()))}"
        )
    latents = jnp.asarray(latents, jnp.float32)
    if space.startswith("z") and wanted.startswith("w"):
        ws = network.mapping(latents)
        return ws if wanted == "w+" else ws[:, 0]
    return broadcast_w(latents, network.config.num_ws) if wanted.endswith("+") else latents
