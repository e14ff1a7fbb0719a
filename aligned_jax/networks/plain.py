"""Layers of PyTorch without equalised learning rate, under PyTorch's names.

Frozen networks and encoders are made of them. Parameters start as PyTorch draws
them; those of frozen networks are replaced by a file's. Convolutions and matrix
products are exact, so that scores do not depend on the machine, unless a context around them asks
for less (`utils.precision`), as trainings and inversions may.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
from jax import lax

from aligned_jax.ops import convolve
from aligned_jax.types import Array
from aligned_jax.utils.precision import products

HIGHEST = lax.Precision.HIGHEST
_ONES, _ZEROS = nn.initializers.ones, nn.initializers.zeros
_SLOPE = 0.25  # of a PReLU at first
_MOMENTUM = 0.1  # of the moments that a normalisation stores


class BatchMoments(NamedTuple):
    """Lets normalisations use the moments of the batch, and note them in `stats`.

    `across` averages a tree of arrays over devices, `rows` is the size of the
    batch on all of them together.
    """

    across: Callable
    rows: int


def _uniform(fan_in: int) -> Callable:
    """Initialiser: uniform within 1 / sqrt(fan_in)."""
    bound = 1 / math.sqrt(fan_in)

    def draw(key: Array, shape: tuple[int, ...]) -> Array:
        return jax.random.uniform(key, shape, jnp.float32, -bound, bound)

    return draw


class Conv(nn.Module):
    """Convolution [N, H, W, inputs] to [N, H', W', features].

    Parameters: weight [kh, kw, inputs, features], and bias [features] if `use_bias`.
    """

    features: int
    kernel: tuple[int, int]
    stride: int = 1
    padding: tuple[int, int] = (0, 0)
    use_bias: bool = False

    @nn.compact
    def __call__(self, x: Array) -> Array:
        draw = _uniform(math.prod(self.kernel) * x.shape[-1])
        weight = self.param("weight", draw, (*self.kernel, x.shape[-1], self.features))
        padding = [(pad, pad) for pad in self.padding]
        with products():
            y = convolve(x, weight, padding, stride=self.stride)
        if self.use_bias:
            y = y + channels(self.param("bias", draw, (self.features,)), y)
        return y


class Linear(nn.Module):
    """Fully connected layer [N, inputs] to [N, features]: weight [inputs, features], bias."""

    features: int

    @nn.compact
    def __call__(self, x: Array) -> Array:
        draw = _uniform(x.shape[-1])
        weight = self.param("weight", draw, (x.shape[-1], self.features))
        bias = self.param("bias", draw, (self.features,))
        with products():
            y = jnp.matmul(x, weight)
        return y + channels(bias, x)


class BatchNorm(nn.Module):
    """Normalisation by stored moments, or by those of the batch; all of size [C].

    Parameters: weight, bias. The stored moments `stats/running_mean` and
    `running_var` follow the batch's if `moments` are given and `stats` is mutable.
    """

    epsilon: float = 1e-5
    moments: BatchMoments | None = None

    @nn.compact
    def __call__(self, x: Array) -> Array:
        size = x.shape[-1:]
        weight, bias = self.param("weight", _ONES, size), self.param("bias", _ZEROS, size)
        stored_mean = self.variable("stats", "running_mean", jnp.zeros, size)
        stored_variance = self.variable("stats", "running_var", jnp.ones, size)
        if self.moments is None:
            mean, variance = stored_mean.value, stored_variance.value
        else:
            mean, variance = _moments_of(x, self.moments)
            if self.is_mutable_collection("stats") and not self.is_initializing():
                count = self.moments.rows * math.prod(x.shape[1:-1])
                unbiased = variance * (count / max(count - 1, 1))
                stored_mean.value += _MOMENTUM * (mean - stored_mean.value)
                stored_variance.value += _MOMENTUM * (unbiased - stored_variance.value)
        scale = weight * lax.rsqrt(variance + jnp.float32(self.epsilon))
        return x * channels(scale, x) + channels(bias - mean * scale, x)


def _moments_of(x: Array, moments: BatchMoments) -> tuple[Array, Array]:
    """Mean and variance [C] over all positions of all rows of all devices."""
    axes = tuple(range(x.ndim - 1))
    mean, square = moments.across((x.mean(axis=axes), jnp.square(x).mean(axis=axes)))
    return mean, jnp.maximum(square - jnp.square(mean), 0)


class PReLU(nn.Module):
    """The identity above zero, a learned slope for each channel below."""

    @nn.compact
    def __call__(self, x: Array) -> Array:
        slope = self.param("weight", nn.initializers.constant(_SLOPE), (x.shape[-1],))
        return jnp.where(x > 0, x, x * channels(slope, x))


def channels(values: Array, x: Array) -> Array:
    """[C] with as many leading dimensions of size one as `x` needs."""
    return values.reshape((1,) * (x.ndim - 1) + values.shape)


def max_pool(x: Array, size: int, stride: int, padding: int = 0) -> Array:
    """Largest value of each window; padding never wins."""
    pads = ((padding, padding),) * 2
    return nn.max_pool(x, (size, size), (stride, stride), pads)


def average_pool(x: Array) -> Array:
    """Mean over 3x3 windows at stride one; what lies outside the map is not counted."""
    return nn.avg_pool(x, (3, 3), (1, 1), "SAME", count_include_pad=False)


def flat_chw(x: Array) -> Array:
    """[N, H, W, C] to [N, C*H*W], in the order in which PyTorch flattens."""
    return x.transpose(0, 3, 1, 2).reshape(x.shape[0], -1)
