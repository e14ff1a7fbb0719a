"""What single style channels do, and the same edits in a parent and its children."""

from aligned_jax.semantics.editing import (
    effects,
    random_channels,
    shifted,
    style_deviations,
    visible_channels,
)

__all__ = ["effects", "random_channels", "shifted", "style_deviations", "visible_channels"]
