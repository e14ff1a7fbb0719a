"""Bias, activation, gain and clamp in the order of the official networks."""

import functools
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
    gain = DEFAULT_GAINS[activation] if gain is None else gain
    # CPUs, which spare no memory by it, keep what they have always computed.
    if activation == "lrelu" and alpha >= 0 and gain > 0 and jax.default_backend() == "tpu":
        return _leaky(x, alpha, gain, clamp)
    return _activated(x, activation, alpha, gain, clamp)


def _activated(x: Array, activation: str, alpha: float, gain: float, clamp: float | None) -> Array:
    x = _ACTIVATIONS[activation](x, alpha)
    if gain != 1:
        x = x * gain
    if clamp is not None:
        x = jnp.clip(x, -clamp, clamp)
    return x


@functools.partial(jax.custom_jvp, nondiff_argnums=(1, 2, 3))
def _leaky(x: Array, alpha: float, gain: float, clamp: float | None) -> Array:
    """The leaky ReLU, whose derivatives of all orders ask for its result alone.

    The result has the sign of `x`, and lies at the clamp where `x` is beyond it: so a network keeps
    one array for the next layer and for this derivative, and no masks. At the clamp itself the
    slope is zero, as in the official code, not half of what it is inside.
    """
    return _activated(x, "lrelu", alpha, gain, clamp)


@_leaky.defjvp
def _leaky_jvp(
    alpha: float, gain: float, clamp: float | None, inputs: tuple[Array], moves: tuple[Array]
) -> tuple[Array, Array]:
    y, move = _leaky(inputs[0], alpha, gain, clamp), moves[0]
    move = jnp.where(y > 0, move, move * alpha)
    if gain != 1:
        move = move * gain
    if clamp is not None:
        move = jnp.where(jnp.abs(y) < clamp, move, jnp.zeros_like(move))
    return y, move
