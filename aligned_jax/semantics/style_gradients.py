"""How pictures answer to small changes of every style channel at once."""

import functools

import jax
import jax.numpy as jnp
import numpy as np

from aligned_jax.latents import concatenate_styles, split_styles
from aligned_jax.networks.network import Network
from aligned_jax.semantics.effect_maps import pooled
from aligned_jax.types import AnyStyles, Array
from aligned_jax.utils.reporting import Advance, no_advance

SIZE = 32


def style_gradients(
    network: Network,
    styles: AnyStyles,
    *,
    size: int = SIZE,
    batch: int = 32,
    backward: bool | None = None,
    advance: Advance = no_advance,
) -> np.ndarray:
    """Absolute derivatives of pooled pictures by every style channel (StyleSpace, section 4).

    One set of products serves all layers: vector-Jacobian products, one for each number of the
    pooled picture, or Jacobian-vector products, one for each channel.

    Args:
      network: whose pictures are differentiated, unclipped.
      styles: {layer: [N, C]}.
      size: side of the pooled pictures; at most that of the pictures.
      batch: products at a time.
      backward: vector-Jacobian products, or the others; by default whichever are fewer.
      advance: hears of every picture.

    Returns:
      float32 [N, S, P, P]: mean over colours of the absolute derivative.
    """
    whole = np.asarray(concatenate_styles(network.config, styles), np.float32)
    side = min(size, network.config.img_resolution)
    shape = (side, side, network.config.img_channels)
    if backward is None:
        backward = int(np.prod(shape)) < whole.shape[1]
    found = []
    for row in whole:
        jacobian = np.asarray(_jacobian(network, jnp.asarray(row), side, batch, backward))
        jacobian = jacobian.reshape(*shape, -1) if backward else jacobian.T.reshape(*shape, -1)
        found.append(np.abs(jacobian).mean(axis=2).transpose(2, 0, 1))
        advance(1)
    return np.stack(found)


@functools.partial(jax.jit, static_argnames=("side", "batch", "backward"))
def _jacobian(network: Network, row: Array, side: int, batch: int, backward: bool) -> Array:
    """[outputs, S] backward, or [S, outputs]: one product after the other, in batches."""

    def picture(s: Array) -> Array:
        image = network.render(split_styles(network.config, s[None]))
        return pooled(image, side).reshape(-1)

    if backward:
        values, pull = jax.vjp(picture, row)
        basis = jnp.eye(values.shape[0], dtype=values.dtype)
        return jax.lax.map(lambda v: pull(v)[0], basis, batch_size=batch)
    _, push = jax.linearize(picture, row)
    return jax.lax.map(push, jnp.eye(row.shape[0], dtype=row.dtype), batch_size=batch)
