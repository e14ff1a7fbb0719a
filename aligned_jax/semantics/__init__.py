"""What single style channels do, and the same edits in a parent and its children."""

from aligned_jax.semantics.direction import Direction, Space
from aligned_jax.semantics.editing import (
    Channel,
    effects,
    random_channels,
    shifted,
    visible_channels,
)
from aligned_jax.semantics.latent_models import LatentModel, model_of_direction
from aligned_jax.semantics.statistics import LatentStatistics, latent_statistics
from aligned_jax.semantics.text import RelevanceIndex, channel_changes, relevance, text_change

__all__ = [
    "Channel",
    "Direction",
    "LatentModel",
    "LatentStatistics",
    "RelevanceIndex",
    "Space",
    "channel_changes",
    "effects",
    "latent_statistics",
    "model_of_direction",
    "random_channels",
    "relevance",
    "shifted",
    "text_change",
    "visible_channels",
]
