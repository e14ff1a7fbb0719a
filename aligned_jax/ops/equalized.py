"""Dense layers with equalised learning rate, and latent normalisation."""

import math

import jax.numpy as jnp
from jax import lax

from aligned_jax.ops.bias_act import bias_act
from aligned_jax.types import Array


def dense(
    x: Array,
    weight: Array,
    bias: Array | None = None,
    activation: str = "linear",
    lr_multiplier: float = 1.0,
) -> Array:
    """Fully connected layer whose weights are scaled at run time.

    Scaling by lr_multiplier / sqrt(inputs) gives every layer the same
    effective learning rate under Adam (Progressive GAN, section 4.1).

    Args:
      x: [N, I].
      weight: [I, O], stored at unit variance divided by `lr_multiplier`.
      bias: [O] or None; multiplied by `lr_multiplier`.
      activation: a name from `config.ACTIVATIONS`, applied with its default gain.
      lr_multiplier: learning rate of the layer relative to the others.

    Returns:
      [N, O].
    """
    x = x @ (weight * (lr_multiplier / math.sqrt(weight.shape[0])))
    if bias is not None and lr_multiplier != 1:
        bias = bias * lr_multiplier
    return bias_act(x, bias, activation=activation)


def normalize_2nd_moment(x: Array, axis: int = -1, eps: float = 1e-8) -> Array:
    """x divided by the root of its mean square along `axis`; a zero row stays zero."""
    return x * lax.rsqrt(jnp.mean(jnp.square(x), axis=axis, keepdims=True) + eps)
