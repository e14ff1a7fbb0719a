"""Training objectives as pure functions of arrays and callables."""

from aligned_jax.losses.adversarial import fake_loss, generator_loss, real_loss
from aligned_jax.losses.path_length import path_length_penalty, path_lengths
from aligned_jax.losses.r1 import r1_penalty
from aligned_jax.losses.reconstruction import delta_penalty, identity_loss, pixel_loss, w_norm

__all__ = [
    "delta_penalty",
    "fake_loss",
    "generator_loss",
    "identity_loss",
    "path_length_penalty",
    "path_lengths",
    "pixel_loss",
    "r1_penalty",
    "real_loss",
    "w_norm",
]
