"""Latent spaces Z, Z+, W, W+ and S: sampling, truncation, names of channels.

Z [N, D] and Z+ [N, L, D] go through the mapping network to W [N, D] and
W+ [N, L, D]; the affine layers turn W+ into S, one style vector [N, C] for
each layer. Conversions run one way: z -> w -> w+ -> s.
"""

from aligned_jax.latents.curves import Curve, great_circle, numbers_at
from aligned_jax.latents.labels import (
    labels_for,
    labels_missing,
    labels_unwanted,
    one_hot_labels,
)
from aligned_jax.latents.noise import noise_fields
from aligned_jax.latents.pads import corner_weights, pad_point
from aligned_jax.latents.sampling import (
    lerp,
    mix_styles,
    parse_rows,
    parse_seeds,
    sample_z,
    slerp,
    z_from_seeds,
)
from aligned_jax.latents.style_space import (
    StyleLayer,
    channel_name,
    check_styles,
    concatenate_styles,
    parse_channel,
    split_styles,
    style_layer,
    style_layers,
)
from aligned_jax.latents.truncation import truncate
from aligned_jax.latents.w_plus import broadcast_w

__all__ = [
    "Curve",
    "StyleLayer",
    "broadcast_w",
    "channel_name",
    "check_styles",
    "concatenate_styles",
    "corner_weights",
    "great_circle",
    "labels_for",
    "labels_missing",
    "labels_unwanted",
    "lerp",
    "mix_styles",
    "noise_fields",
    "numbers_at",
    "one_hot_labels",
    "pad_point",
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
