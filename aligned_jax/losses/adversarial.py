"""Logistic non-saturating losses (GAN, section 3; StyleGAN2, appendix B).

Logits are float32 [N, 1], positive where the discriminator believes an image
real. Each function returns one value a sample, [N, 1]; the caller averages.
"""

import jax

from aligned_jax.types import Array


def generator_loss(fake_logits: Array) -> Array:
    """-log sigmoid(D(fake)): the generator wants its images taken for real."""
    return jax.nn.softplus(-fake_logits)


def fake_loss(fake_logits: Array) -> Array:
    """-log(1 - sigmoid(D(fake))): the discriminator's half for generated images."""
    return jax.nn.softplus(fake_logits)


def real_loss(real_logits: Array) -> Array:
    """-log sigmoid(D(real)): the discriminator's half for real images."""
    return jax.nn.softplus(-real_logits)
