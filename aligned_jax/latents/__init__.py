"""Latent spaces Z, Z+, W, W+ and S: sampling, truncation, names of channels."""

from aligned_jax.latents.curves import Curve
from aligned_jax.latents.noise import noise_fields
from aligned_jax.latents.sampling import (
    labels_for,
    lerp,
    mix_styles,
    one_hot_labels,
    parse_rows,
    parse_seeds,
    sample_z,
    slerp,
    z_from_seeds,
)
from aligned_jax.latents.spaces import (
    StyleLayer,
    broadcast_w,
    channel_name,
    check_styles,
    concatenate_styles,
    parse_channel,
    split_styles,
    style_layer,
    style_layers,
)
from aligned_jax.latents.truncation import truncate

__all__ = [
    "Curve",
    "StyleLayer",
    "broadcast_w",
    "channel_name",
    "check_styles",
    "concatenate_styles",
    "labels_for",
    "lerp",
    "mix_styles",
    "noise_fields",
    "one_hot_labels",
    "parse_channel",
    "parse_rows",
    "parse_seeds",
    "sample_z",
    "slerp",
    "split_styles",
    "style_layer",
    "style_layers",
    "truncate",
    "z_from_seeds",
]
