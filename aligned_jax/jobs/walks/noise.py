"""Random noise of films, which stays as it is or moves in a loop."""

from collections.abc import Mapping

import jax
import numpy as np

from aligned_jax.config import GeneratorConfig
from aligned_jax.latents import noise_fields


def noise_loop(
    config: GeneratorConfig, seed: int, cell: int, turns: np.ndarray
) -> dict[str, np.ndarray]:
    """Random noise that goes round a circle through two fields, so that a film of it closes.

    At every place it is standard normal, as cos^2 + sin^2 = 1. At 0 it is the field that random
    noise of the same seed has in every frame of the cell.

    Args:
      config: of the network.
      seed: of the noise.
      cell: number of the cell, which has noise of its own.
      turns: of each frame, share of the circle, [n].

    Returns:
      float32 [n, R, R] by layer.
    """
    first, second = _ends(config, seed, cell)
    angle = 2 * np.pi * turns
    cosine, sine = (f(angle).astype(np.float32)[:, None, None] for f in (np.cos, np.sin))
    return {layer: cosine * first[layer] + sine * second[layer] for layer in first}


def _ends(
    config: GeneratorConfig, seed: int, cell: int
) -> tuple[Mapping[str, np.ndarray], Mapping[str, np.ndarray]]:
    number = np.asarray([cell], np.uint32)
    key = jax.random.key(seed)
    first, second = (
        {layer: np.asarray(field) for layer, field in noise_fields(config, one, number).items()}
        for one in (key, jax.random.fold_in(key, 2**32 - 1))
    )
    return first, second
