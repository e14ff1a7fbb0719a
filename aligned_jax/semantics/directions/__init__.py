"""Directions in Z, W and S: whether they fit a network, how they are found, what they are worth."""

from aligned_jax.semantics.directions.fit import (
    SPACES,
    check_direction,
    deviation,
    unit,
    vector_shapes,
)

__all__ = ["SPACES", "check_direction", "deviation", "unit", "vector_shapes"]
