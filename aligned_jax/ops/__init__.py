"""Arithmetic of StyleGAN2 on NHWC arrays: pure functions, no parameters of their own."""

from aligned_jax.ops.bias_act import DEFAULT_GAINS, bias_act
from aligned_jax.ops.conv2d_resample import conv2d_resample
from aligned_jax.ops.equalized import dense, normalize_2nd_moment
from aligned_jax.ops.folds import (
    FLAT,
    RowFold,
    convolve_folded,
    per_row,
    rows_inside,
    spread,
    unfold_rows,
)
from aligned_jax.ops.minibatch_std import minibatch_std
from aligned_jax.ops.modulated_conv import modulated_conv2d, modulated_conv2d_folded
from aligned_jax.ops.planar import embed_planar, project_planar, upsample_planar
from aligned_jax.ops.strided_conv import conv_down, conv_up, convolve
from aligned_jax.ops.upfirdn2d import (
    downsample2d,
    filter2d,
    separated,
    setup_filter,
    upfirdn2d,
    upsample2d,
)

__all__ = [
    "DEFAULT_GAINS",
    "FLAT",
    "RowFold",
    "bias_act",
    "conv2d_resample",
    "conv_down",
    "conv_up",
    "convolve",
    "convolve_folded",
    "dense",
    "downsample2d",
    "embed_planar",
    "filter2d",
    "minibatch_std",
    "modulated_conv2d",
    "modulated_conv2d_folded",
    "normalize_2nd_moment",
    "per_row",
    "project_planar",
    "rows_inside",
    "separated",
    "setup_filter",
    "spread",
    "unfold_rows",
    "upfirdn2d",
    "upsample2d",
    "upsample_planar",
]
