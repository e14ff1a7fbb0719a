"""R1 regularisation (Which Training Methods for GANs do actually Converge?, equation 9)."""

from collections.abc import Callable

import jax
import jax.numpy as jnp

from aligned_jax.types import Array


def r1_penalty(critic: Callable[[Array], Array], images: Array) -> tuple[Array, Array]:
    """Squared norm of the gradient of the summed logits at real images or latents.

    Differentiable once more with respect to whatever `critic` closes over.
    An augmentation inside `critic` is differentiated through, so the gradient
    is the one at the images as given.

    Args:
      critic: images [N, H, W, C], or latents [N, D], to logits [N, 1].
      images: real ones, float32.

    Returns:
      penalties [N], to be weighted by gamma / 2, and the logits [N, 1].
    """
    logits, back = jax.vjp(critic, images)
    (gradient,) = back(jnp.ones_like(logits))
    return jnp.square(gradient).sum(axis=tuple(range(1, gradient.ndim))), logits
