"""Layers with equalised learning rate, under the official parameter names."""

import math

import flax.linen as nn
import jax.numpy as jnp

from aligned_jax import ops
from aligned_jax.config import DEFAULT_FILTER, Filter
from aligned_jax.types import Array


class Dense(nn.Module):
    """Fully connected layer: [N, inputs] to [N, features].

    Parameters: weight [inputs, features], normal with deviation
    1 / lr_multiplier, and bias [features], constant `bias_init`.
    """

    inputs: int
    features: int
    activation: str = "linear"
    lr_multiplier: float = 1.0
    bias_init: float = 0.0

    def setup(self) -> None:
        normal = nn.initializers.normal(1 / self.lr_multiplier)
        self.weight = self.param("weight", normal, (self.inputs, self.features))
        constant = nn.initializers.constant(self.bias_init)
        self.bias = self.param("bias", constant, (self.features,))

    def __call__(self, x: Array) -> Array:
        return ops.dense(x, self.weight, self.bias, self.activation, self.lr_multiplier)


class Conv2d(nn.Module):
    """Unmodulated convolution with bias, activation and resampling.

    Parameters: weight [k, k, inputs, features], normal, scaled at run time by
    1 / sqrt(fan-in), and bias [features] unless `use_bias` is False. Runs in
    the dtype of its input.

    `folds` are those of its source and its result (`ops.folds`); None computes it as it is
    written. A `planar` source is a picture [N, inputs, H, W], for a 1x1 kernel without resampling.
    """

    inputs: int
    features: int
    kernel_size: int
    use_bias: bool = True
    activation: str = "linear"
    up: int = 1
    down: int = 1
    resample_filter: Filter = DEFAULT_FILTER
    conv_clamp: float | None = None
    folds: tuple[ops.RowFold, ops.RowFold] | None = None
    planar: bool = False

    @nn.compact
    def __call__(self, x: Array, gain: float = 1.0) -> Array:
        """[N, H, W, inputs] to [N, H*up/down, W*up/down, features], times `gain`; or folded."""
        k = self.kernel_size
        weight = self.param(
            "weight", nn.initializers.normal(1.0), (k, k, self.inputs, self.features)
        )
        bias = (
            self.param("bias", nn.initializers.zeros, (self.features,)) if self.use_bias else None
        )
        weight = weight / math.sqrt(k * k * self.inputs)
        if self.folds is not None:
            return self._folded(x, weight, bias, gain, *self.folds)
        x = ops.conv2d_resample(
            x,
            weight.astype(x.dtype),
            ops.setup_filter(self.resample_filter),
            up=self.up,
            down=self.down,
            padding=k // 2,
            flip_weight=self.up == 1,
        )
        return activate(x, bias, self.activation, gain, self.conv_clamp)

    def _folded(
        self,
        x: Array,
        weight: Array,
        bias: Array | None,
        gain: float,
        source: ops.RowFold,
        target: ops.RowFold,
    ) -> Array:
        up, taps = self.up, ops.setup_filter(self.resample_filter)
        if self.planar:
            x = ops.embed_planar(x, weight[0, 0].astype(x.dtype), target)
        else:
            mask = ops.rows_inside(source, x.shape[2], self.inputs)
            x = x if mask is None else x * jnp.asarray(mask, x.dtype)
            x = ops.convolve_folded(x, weight, source, target, up, self.down, taps)
        bias = None if bias is None else ops.per_row(bias, x.shape[3] // self.features)
        x = activate(x, bias, self.activation, gain, self.conv_clamp)
        return ops.spread(x, up * source.rows // target.rows, up) if up > 1 else x


def activate(
    x: Array, bias: Array | None, activation: str, gain: float, clamp: float | None
) -> Array:
    """Bias and activation with the clamp scaled along with the gain."""
    return ops.bias_act(
        x,
        None if bias is None else bias.astype(x.dtype),
        activation=activation,
        gain=ops.DEFAULT_GAINS[activation] * gain,
        clamp=None if clamp is None else clamp * gain,
    )


def compute_dtype(
    resolution: int, half_resolutions: tuple[int, ...], half: str | None
) -> jnp.dtype:
    """float32, or the half precision `half` for the resolutions that allow it."""
    return jnp.dtype(half if half and resolution in half_resolutions else "float32")
