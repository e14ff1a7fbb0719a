"""What single style channels do, and the same edits in a parent and its children."""

from aligned_jax.semantics.editing import (
    Channel,
    effects,
    random_channels,
    shifted,
    style_deviations,
    visible_channels,
)
from aligned_jax.semantics.latent_models import LatentModel, model_of_direction
from aligned_jax.semantics.statistics import LatentStatistics, latent_statistics

__all__ = [
    "Channel",
    "LatentModel",
    "LatentStatistics",
    "effects",
    "latent_statistics",
    "model_of_direction",
    "random_channels",
    "shifted",
    "style_deviations",
    "visible_channels",
]
