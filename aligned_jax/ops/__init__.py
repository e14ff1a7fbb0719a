"""Arithmetic of StyleGAN2 on NHWC arrays: pure functions, no parameters of their own."""

from aligned_jax.ops.bias_act import DEFAULT_GAINS, bias_act
from aligned_jax.ops.conv2d_resample import conv2d_resample
from aligned_jax.ops.equalized import dense, normalize_2nd_moment
from aligned_jax.ops.minibatch_std import minibatch_std
from aligned_jax.ops.modulated_conv import modulated_conv2d
from aligned_jax.ops.strided_conv import conv_down, conv_up, convolve
from aligned_jax.ops.upfirdn2d import (
    downsample2d,
    filter2d,
    setup_filter,
    upfirdn2d,
    upsample2d,
)

__all__ = [
    "DEFAULT_GAINS",
    "bias_act",
    "conv2d_resample",
    "conv_down",
    "conv_up",
    "convolve",
    "dense",
    "downsample2d",
    "filter2d",
    "minibatch_std",
    "modulated_conv2d",
    "normalize_2nd_moment",
    "setup_filter",
    "upfirdn2d",
    "upsample2d",
]
