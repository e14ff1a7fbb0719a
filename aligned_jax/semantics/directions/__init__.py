"""Directions in Z, W and S: whether they fit a network, how they are found, what they are worth."""

from aligned_jax.semantics.directions.features import Features
from aligned_jax.semantics.directions.fit import (
    SPACES,
    check_direction,
    deviation,
    unit,
    vector_shapes,
)
from aligned_jax.semantics.directions.labelled import (
    METHODS,
    Boundary,
    Method,
    bootstrap_cosines,
    choose_examples,
    condition,
    fit_boundary,
)
from aligned_jax.semantics.directions.merits import Merits, measure
from aligned_jax.semantics.directions.unlabelled import Factors, closed_form, principal_components

__all__ = [
    "METHODS",
    "SPACES",
    "Boundary",
    "Factors",
    "Features",
    "Merits",
    "Method",
    "bootstrap_cosines",
    "check_direction",
    "choose_examples",
    "closed_form",
    "condition",
    "deviation",
    "fit_boundary",
    "measure",
    "principal_components",
    "unit",
    "vector_shapes",
]
