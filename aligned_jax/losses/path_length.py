"""Path length regularisation (StyleGAN2, section 3.2)."""

import math
from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax import lax

from aligned_jax.types import Array


def path_lengths(synthesize: Callable[[Array], Array], ws: Array, noise: Array) -> Array:
    """How far a random direction in image space moves W+: |J_w^T y| for each sample.

    Args:
      synthesize: W+ [N, L, D] to images [N, H, W, C].
      ws: float32 [N, L, D].
      noise: y, standard normal [N, H, W, C]; divided by sqrt(H * W) here, so
        that lengths do not depend on the resolution.

    Returns:
      [N]: root of the mean over rows L of the squared sum over D.
    """
    images, back = jax.vjp(synthesize, ws)
    height, width = images.shape[1:3]
    (gradient,) = back(noise / math.sqrt(height * width))  # [N, L, D]
    return jnp.sqrt(jnp.square(gradient).sum(axis=2).mean(axis=1))


def path_length_penalty(
    lengths: Array,
    pl_mean: Array,
    decay: float,
    across: Callable[[Array], Array] = lambda mean: mean,
) -> tuple[Array, Array]:
    """Squared distance of each length to their running mean, which is updated first.

    The gradient flows through that update as well.

    Args:
      lengths: [N] of this device.
      pl_mean: running mean so far, a scalar.
      decay: weight of the present batch in the running mean.
      across: averages a scalar over all devices (the identity on one). It is
        not differentiated: the gradient of the average over devices of the
        mean penalty is exact all the same.

    Returns:
      penalties [N], to be weighted, and the new running mean.
    """
    own = lengths.mean()
    everywhere = across(lax.stop_gradient(own))
    updated = pl_mean + decay * (everywhere - pl_mean)
    # Every device's penalty pulls on the shared mean by -2 (everywhere - updated) on
    # average, and this device's lengths move it by `own`. Carried by a term of value
    # zero, that gradient needs no second exchange between devices.
    pull = lax.stop_gradient(-2 * decay * (everywhere - updated))
    return (
        jnp.square(lengths - updated) + pull * (own - lax.stop_gradient(own)),
        updated,
    )
