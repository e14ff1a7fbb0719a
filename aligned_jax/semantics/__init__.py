"""What single style channels do, and the same edits in a parent and its children."""

from aligned_jax.semantics.direction import Direction, Space
from aligned_jax.semantics.editing import (
    Channel,
    effects,
    random_channels,
    shifted,
    visible_channels,
)
from aligned_jax.semantics.statistics import LatentStatistics, latent_statistics

__all__ = [
    "Channel",
    "Direction",
    "LatentStatistics",
    "Space",
    "effects",
    "latent_statistics",
    "random_channels",
    "shifted",
    "visible_channels",
]
