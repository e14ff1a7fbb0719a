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
    Segment,
    Survey,
    attribute_relevance,
    part_votes,
    survey,
)
from aligned_jax.semantics.editing import (
    Channel,
    effects,
    random_channels,
    shifted,
    style_deviations,
    visible_channels,
)
from aligned_jax.semantics.effect_maps import EffectMaps, effect_maps
from aligned_jax.semantics.locality import LocalityScores, Moved, locality_scores
from aligned_jax.semantics.responses import (
    Judge,
    SlopeAgreement,
    attribute_agreement,
    judged,
    responses,
    slope_agreement,
)
from aligned_jax.semantics.statistics import LatentStatistics, latent_statistics
from aligned_jax.semantics.style_gradients import style_gradients

__all__ = [
    "Channel",
    "ChannelScores",
    "EffectMaps",
    "Interval",
    "Judge",
    "LatentStatistics",
    "LocalityScores",
    "Moved",
    "PartVotes",
    "Segment",
    "SlopeAgreement",
    "Survey",
    "attribute_agreement",
    "attribute_relevance",
    "by_layer",
    "by_resolution",
    "channel_scores",
    "effect_maps",
    "effects",
    "intervals",
    "judged",
    "latent_statistics",
    "locality_scores",
    "part_votes",
    "permuted",
    "random_channels",
    "responses",
    "shifted",
    "slope_agreement",
    "style_deviations",
    "style_gradients",
    "survey",
    "visible_channels",
]
