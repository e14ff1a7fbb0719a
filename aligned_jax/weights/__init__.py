"""Weight surgery on aligned generators: pure functions over pytrees.

    half = weights.interpolate(parent, child, 0.5)
    toon = weights.swap(parent, child, 16)

A network is a variables dictionary `{params, noise, stats}` or a `Network`.
Results are structured like the stated base network; arrays that an operation
does not change are passed through, not copied.
"""

# The functions deliberately take the place of the modules of the same name.
from aligned_jax.weights.arithmetic import arithmetic
from aligned_jax.weights.arithmetic import parse as parse_expression
from aligned_jax.weights.compare import Change, compare, table, totals
from aligned_jax.weights.components import (
    COMPONENTS,
    GROUPS,
    Leaf,
    components_of,
    count,
    leaf_of,
    parse_components,
    parse_resolutions,
    resolutions_of,
)
from aligned_jax.weights.interpolate import interpolate
from aligned_jax.weights.reset import reset
from aligned_jax.weights.resize import Resized, resize
from aligned_jax.weights.structure import differences
from aligned_jax.weights.swap import swap

__all__ = [
    "COMPONENTS",
    "GROUPS",
    "Change",
    "Leaf",
    "Resized",
    "arithmetic",
    "compare",
    "components_of",
    "count",
    "differences",
    "interpolate",
    "leaf_of",
    "parse_components",
    "parse_expression",
    "parse_resolutions",
    "reset",
    "resize",
    "resolutions_of",
    "swap",
    "table",
    "totals",
]
