"""Latents of images by an encoder: alone, or as a start for optimisation."""

import jax.numpy as jnp
import numpy as np

from aligned_jax.errors import UserError
from aligned_jax.inversion.spaces import WIDER, to_styles, to_ws
from aligned_jax.latents import broadcast_w, concatenate_styles
from aligned_jax.networks.encoder_network import EncoderNetwork
from aligned_jax.networks.network import Network
from aligned_jax.types import AnyArray, Array
from aligned_jax.utils.blocks import blocks


def encode(
    encoder: EncoderNetwork, network: Network, images: AnyArray, batch_size: int = 8
) -> np.ndarray:
    """Latents of images in the encoder's space, a few images at a time.

    Args:
      encoder: of this network.
      network: the generator.
      images: [N, S, S, C] in [-1, 1] or uint8, of the encoder's size or larger.
      batch_size: changes a latent by rounding at most.

    Returns:
      float32 [N, D], or [N, L, D] for z+ and w+.

    Raises:
      UserError: if the encoder belongs to another generator, or images do not fit.
    """
    encoder.check_generator(network)
    pixels, parts = np.asarray(images), []
    if batch_size < 1 or not len(pixels):
        raise UserError(f"{len(pixels)} images by {batch_size} at a time cannot be encoded")
    for rows, kept in blocks(len(pixels), batch_size):
        parts.append(np.asarray(encoder(pixels[rows]))[:kept])
    return np.concatenate(parts)


def check_holds(space: str, wanted: str) -> None:
    """Raises UserError unless latents of `space` can be brought to the space `wanted`."""
    if wanted not in WIDER[space]:
        raise UserError(
            f"the encoder's latents are of {space}, which cannot be brought to {wanted}; it can to "
            f"{', '.join(WIDER[space])}"
        )


def as_space(
    network: Network, space: str, latents: AnyArray, wanted: str, c: AnyArray | None = None
) -> Array:
    """Latents of one space in another that holds them, such as to start an optimisation there.

    A row is repeated where rows are wanted, and z goes through the mapping,
    without truncation.

    Args:
      network: whose latents they are.
      space: z, z+, w or w+.
      latents: [N, ...] of that space.
      wanted: any space.
      c: label [1, c_dim] of a conditional network, needed to leave z.

    Raises:
      UserError: for a space that is not wider: w+ has no w, and w no z.
    """
    check_holds(space, wanted)
    config, latents = network.config, jnp.asarray(latents, jnp.float32)
    if wanted == space:
        return latents
    if wanted == "z+":
        return broadcast_w(latents, config.num_ws)
    if wanted == "s":
        return concatenate_styles(config, to_styles(network, space, latents, 1.0, c))
    ws = to_ws(network, space, latents, 1.0, c)
    return ws if wanted == "w+" else ws[:, 0]
