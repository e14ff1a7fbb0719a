"""Array types and the shape letters used in comments and docstrings.

N batch, H height, W width, C channels, L rows of W+, D width of a latent,
K labels. Images are float32 [N, H, W, C] in [-1, 1].
"""

from collections.abc import Mapping
from typing import Any, TypeVar

import jax
import numpy as np

__all__ = ["AnyArray", "AnyStyles", "Array", "PyTree", "Styles", "Variables"]

Array = jax.Array
# What public functions take where NumPy arrays do as well.
AnyArray = Array | np.ndarray
PyTree = Any
# A result that is structured like an argument: a Network gives a Network.
Tree = TypeVar("Tree")
# Flax variable collections: {"params": ..., "noise": ..., "stats": ...}.
Variables = Mapping[str, Any]
# Layer name ("b64.conv0") to style vectors [N, C], in order of evaluation.
Styles = dict[str, Array]
AnyStyles = Mapping[str, Array] | Mapping[str, np.ndarray]
