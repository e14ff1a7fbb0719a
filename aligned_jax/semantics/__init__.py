"""What single style channels do, and the same edits in a parent and its children."""

from aligned_jax.semantics.editing import (
    Channel,
    effects,
    random_channels,
    shifted,
    style_deviations,
    visible_channels,
)

__all__ = [
    "Channel",
    "effects",
    "random_channels",
    "shifted",
    "style_deviations",
    "visible_channels",
]
