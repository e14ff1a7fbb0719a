"""What an encoder is trained by (pSp, section 3.2; e4e, section 4.2).

Each function returns one value a sample, [N]; the caller averages and weighs.
"""

import jax.numpy as jnp

from aligned_jax.types import Array


def pixel_loss(images: Array, targets: Array) -> Array:
    """Mean squared difference of images [N, H, W, C]."""
    return jnp.square(images - targets).mean(axis=(1, 2, 3))


def identity_loss(features: Array, targets: Array) -> Array:
    """One minus the cosine of face features [N, D], which have length one."""
    return 1 - (features * targets).sum(axis=-1)


def w_norm(latents: Array, origin: Array) -> Array:
    """Distance of latents [N, D] or [N, L, D], all rows in one, from `origin` [D] or [L, D]."""
    offset = (latents - origin[None]).reshape(latents.shape[0], -1)
    return length(offset)


def delta_penalty(latents: Array) -> Array:
    """Summed lengths of the differences of W+ [N, L, D] from its first row."""
    return length(latents[:, 1:] - latents[:, :1]).sum(axis=1)


def length(x: Array) -> Array:
    """Euclidean length along the last axis; at zero its gradient is zero."""
    squares = jnp.square(x).sum(axis=-1)
    safe = jnp.where(squares > 0, squares, jnp.float32(1))
    return jnp.where(squares > 0, jnp.sqrt(safe), 0)
