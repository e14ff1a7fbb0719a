"""Random noise of films that moves and comes back to where it began."""

import functools
from collections.abc import Callable
from dataclasses import dataclass

import jax
import numpy as np

from aligned_jax.config import GeneratorConfig
from aligned_jax.latents import noise_fields

_KEPT = 16  # cells whose fields stay in memory


@dataclass(frozen=True, eq=False)
class NoiseLoop:
    """Random noise that goes round a circle through two fields, so that a film of it closes.

    At every place it is standard normal, as cos^2 + sin^2 = 1. At 0 it is the field that random
    noise of the same seed has in every frame of the cell.

    Attributes:
      config: of the network.
      seed: of the noise.
    """

    config: GeneratorConfig
    seed: int

    def at(self, cell: int, turns: np.ndarray) -> dict[str, np.ndarray]:
        """Fields of some frames of a cell, which has noise of its own.

        Args:
          cell: its number.
          turns: of each frame, share of the circle, [n].

        Returns:
          float32 [n, R, R] by layer.
        """
        first, second = self._ends(cell)
        angle = 2 * np.pi * turns
        cosine, sine = (f(angle).astype(np.float32)[:, None, None] for f in (np.cos, np.sin))
        return {layer: cosine * first[layer] + sine * second[layer] for layer in first}

    @functools.cached_property
    def _ends(self) -> Callable[[int], list[dict[str, np.ndarray]]]:
        """The two fields [1, R, R] by layer of a cell; those of a few cells are kept."""
        key = jax.random.key(self.seed)
        keys = key, jax.random.fold_in(key, 2**32 - 1)

        @functools.lru_cache(_KEPT)
        def ends(cell: int) -> list[dict[str, np.ndarray]]:
            fields = (noise_fields(self.config, one, np.asarray([cell], np.uint32)) for one in keys)
            return [{layer: np.asarray(value) for layer, value in one.items()} for one in fields]

        return ends
