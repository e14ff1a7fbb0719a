"""Noise maps that are optimised along with a latent (StyleGAN2, appendix D)."""

import jax
import jax.numpy as jnp

from aligned_jax.types import Array

# The pyramid of a map ends with the first level of this side or less.
_SMALLEST = 8

# Noise maps by layer, [N, R, R].
Fields = dict[str, Array]


def noise_regulariser(fields: Fields) -> Array:
    """How far noise maps are from white: squared correlations with their neighbours, [N].

    Every map is looked at in all sizes from its own down to 8 pixels or less,
    each the 2x2 means of the one before, which are not scaled up again.

    Args:
      fields: maps [N, R, R] by layer, R a power of 2.
    """
    return jnp.asarray(sum(_correlations(field) for field in fields.values()))


def _correlations(field: Array) -> Array:
    total = jnp.zeros(len(field), field.dtype)
    while True:
        for axis in (1, 2):
            neighbours = jnp.mean(field * jnp.roll(field, 1, axis), axis=(1, 2))
            total += neighbours**2
        n, size, _ = field.shape
        if size <= _SMALLEST:
            return total
        field = field.reshape(n, size // 2, 2, size // 2, 2).mean(axis=(2, 4))


def normalised(fields: Fields) -> Fields:
    """Every map, shifted to mean 0 and scaled to mean square 1."""

    def one(field: Array) -> Array:
        centred = field - field.mean(axis=(1, 2), keepdims=True)
        return centred * jax.lax.rsqrt(jnp.mean(centred**2, axis=(1, 2), keepdims=True))

    return {layer: one(field) for layer, field in fields.items()}
