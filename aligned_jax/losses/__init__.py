"""Training objectives as pure functions of arrays and callables."""

from aligned_jax.losses.adversarial import fake_loss, generator_loss, real_loss
from aligned_jax.losses.path_length import path_length_penalty, path_lengths
from aligned_jax.losses.r1 import r1_penalty

__all__ = [
    "fake_loss",
    "generator_loss",
    "path_length_penalty",
    "path_lengths",
    "r1_penalty",
    "real_loss",
]
