"""What single style channels do, and the same edits in a parent and its children."""

from aligned_jax.semantics.alignment import (
    ChannelScores,
    Interval,
    by_layer,
    by_resolution,
    channel_scores,
    intervals,
    permuted,
)
from aligned_jax.semantics.channel_rules import (
    PartVotes,
    Survey,
    attribute_relevance,
    part_votes,
    survey,
)
from aligned_jax.semantics.direction import Direction, Space
from aligned_jax.semantics.editing import (
    Channel,
    effects,
    random_channels,
    shifted,
    visible_channels,
)
from aligned_jax.semantics.effect_maps import EffectMaps, effect_maps
from aligned_jax.semantics.latent_models import LatentModel, model_of_direction
from aligned_jax.semantics.locality import LocalityScores, Moved, locality_scores
from aligned_jax.semantics.responses import (
    SlopeAgreement,
    attribute_agreement,
    judged,
    responses,
    slope_agreement,
)
from aligned_jax.semantics.statistics import LatentStatistics, latent_statistics
from aligned_jax.semantics.style_gradients import style_gradients
from aligned_jax.semantics.text import RelevanceIndex, channel_changes, relevance, text_change

__all__ = [
    "Channel",
    "ChannelScores",
    "Direction",
    "EffectMaps",
    "Interval",
    "LatentModel",
    "LatentStatistics",
    "LocalityScores",
    "Moved",
    "PartVotes",
    "RelevanceIndex",
    "SlopeAgreement",
    "Space",
    "Survey",
    "attribute_agreement",
    "attribute_relevance",
    "by_layer",
    "by_resolution",
    "channel_changes",
    "channel_scores",
    "effect_maps",
    "effects",
    "intervals",
    "judged",
    "latent_statistics",
    "locality_scores",
    "model_of_direction",
    "part_votes",
    "permuted",
    "random_channels",
    "relevance",
    "responses",
    "shifted",
    "slope_agreement",
    "style_gradients",
    "survey",
    "text_change",
    "visible_channels",
]
