"""A direction in a latent space: what moves, in which unit, and where it comes from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

Space = Literal["z", "w", "s"]


@dataclass(frozen=True, eq=False)
class Direction:
    """Where to go in a latent space.

    A step of strength a adds a * sigma * vector. Scores of latents are x @ vector + intercept,
    positive on the side that the direction leads to.

    Attributes:
      space: "z", "w" or "s".
      vectors: float32 arrays by name: {"z": [D]}; {"w": [D] or [L, D]}; or, in S,
        {layer: [C]} of the style layers that move. As one vector it has unit length in z and w.
        In s a number is a shift in units of the style, and sigma is 1.
      sigma: standard deviation of x @ vector over the parent's latents at psi 1.
      network: `networks.fingerprint` of the variables of the network it was found in; "" if
        not known.
      intercept: see above; None where there is no boundary.
      layers: rows of W+, or of Z+, in which it is recommended; None for all.
      found: how: method, psi, number of latents, label, what was asked for, figures of merit;
        JSON-able.
    """

    space: Space
    vectors: Mapping[str, np.ndarray]
    sigma: float
    network: str
    intercept: float | None = None
    layers: tuple[int, ...] | None = None
    found: Mapping[str, Any] = field(default_factory=dict)
