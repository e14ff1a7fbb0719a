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
from aligned_jax.semantics.text import RelevanceIndex, channel_changes, relevance, text_change

__all__ = [
    "Channel",
    "Direction",
    "LatentStatistics",
    "RelevanceIndex",
    "Space",
    "channel_changes",
    "effects",
    "latent_statistics",
    "random_channels",
    "relevance",
    "shifted",
    "text_change",
    "visible_channels",
]
