"""Labels of a child's domain that nobody gave: carried over from its parent (figures 7 and 29)."""

from aligned_jax.zero_shot.decisions import (
    NEGATIVE,
    NEUTRAL,
    POSITIVE,
    THRESHOLDS,
    Threshold,
    decided,
    standardised,
    threshold_of,
)
from aligned_jax.zero_shot.figures import (
    Figures,
    chance_of_labels,
    chance_of_values,
    judged_by,
    label_figures,
    mirror_figures,
    value_figures,
    verdict,
)

__all__ = [
    "NEGATIVE",
    "NEUTRAL",
    "POSITIVE",
    "THRESHOLDS",
    "Figures",
    "Threshold",
    "chance_of_labels",
    "chance_of_values",
    "decided",
    "judged_by",
    "label_figures",
    "mirror_figures",
    "standardised",
    "threshold_of",
    "value_figures",
    "verdict",
]
