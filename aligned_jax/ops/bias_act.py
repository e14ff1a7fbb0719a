"""Bias, activation, gain and clamp in the order of the official networks."""

import math

import jax
import jax.numpy as jnp

from aligned_jax.types import Array

_ACTIVATIONS = {
    "linear": lambda x, alpha: x,
    "relu": lambda x, alpha: jnp.where(x > 0, x, jnp.zeros_like(x)),
    "lrelu": lambda x, alpha: jnp.where(x > 0, x, x * alpha),
    "tanh": lambda x, alpha: jnp.tanh(x),
    "sigmoid": lambda x, alpha: jax.nn.sigmoid(x),
    "elu": lambda x, alpha: jax.nn.elu(x),
    "selu": lambda x, alpha: jax.nn.selu(x),
    "softplus": lambda x, alpha: jax.nn.softplus(x),
    "swish": lambda x, alpha: jax.nn.sigmoid(x) * x,
}

# Gains that keep the second moment of a normal input near one.
DEFAULT_GAINS = dict.fromkeys(_ACTIVATIONS, 1.0) | {
    "relu": math.sqrt(2),
    "lrelu": math.sqrt(2),
    "swish": math.sqrt(2),
}


def bias_act(
    x: Array,
    bias: Array | None = None,
    axis: int = -1,
    activation: str = "linear",
    alpha: float = 0.2,
    gain: float | None = None,
    clamp: float | None = None,
) -> Array:
    """clip(gain * activation(x + bias), -clamp, clamp).

    Args:
      x: array of any shape and floating dtype; the result has both.
      bias: [x.shape[axis]] of the same dtype, or None.
      axis: the axis of `x` that the bias belongs to.
      activation: a name from `config.ACTIVATIONS`.
      alpha: slope of "lrelu" below zero.
      gain: None takes `DEFAULT_GAINS[activation]`.
      clamp: limit of the result's magnitude; None leaves it unlimited.
    """
    if bias is not None:
        shape = [1] * x.ndim
        shape[axis] = -1
        x = x + bias.reshape(shape)
    x = _ACTIVATIONS[activation](x, alpha)
    gain = DEFAULT_GAINS[activation] if gain is None else gain
    if gain != 1:
        x = x * gain
    if clamp is not None:
        x = jnp.clip(x, -clamp, clamp)
    return x
