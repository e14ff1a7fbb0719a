"""Layers of frozen networks, under the names of their PyTorch originals.

Parameters start as zeros: they are only ever replaced by those of a file.
Convolutions and matrix products run at the highest precision, so that scores
do not depend on the machine.
"""

import flax.linen as nn
import jax.numpy as jnp
from jax import lax

from aligned_jax.types import Array

HIGHEST = lax.Precision.HIGHEST
_ZEROS = nn.initializers.zeros


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
        weight = self.param("weight", _ZEROS, (*self.kernel, x.shape[-1], self.features))
        y = lax.conv_general_dilated(
            x,
            weight,
            (self.stride, self.stride),
            [(pad, pad) for pad in self.padding],
            dimension_numbers=("NHWC", "HWIO", "NHWC"),
            precision=HIGHEST,
        )
        if self.use_bias:
            y = y + channels(self.param("bias", _ZEROS, (self.features,)), y)
        return y


class Dense(nn.Module):
    """Fully connected layer [N, inputs] to [N, features]: weight [inputs, features], bias."""

    features: int

    @nn.compact
    def __call__(self, x: Array) -> Array:
        weight = self.param("weight", _ZEROS, (x.shape[-1], self.features))
        bias = self.param("bias", _ZEROS, (self.features,))
        return jnp.matmul(x, weight, precision=HIGHEST) + channels(bias, x)


class BatchNorm(nn.Module):
    """Normalisation by stored moments; parameters are all of size [C]."""

    epsilon: float = 1e-5

    @nn.compact
    def __call__(self, x: Array) -> Array:
        names = ("weight", "bias", "running_mean", "running_var")
        weight, bias, mean, variance = (self.param(n, _ZEROS, (x.shape[-1],)) for n in names)
        scale = weight * lax.rsqrt(variance + jnp.float32(self.epsilon))
        return x * channels(scale, x) + channels(bias - mean * scale, x)


class PReLU(nn.Module):
    """The identity above zero, a learned slope for each channel below."""

    @nn.compact
    def __call__(self, x: Array) -> Array:
        slope = self.param("weight", _ZEROS, (x.shape[-1],))
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
