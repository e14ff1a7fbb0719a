"""The controller that chooses the augmentation probability while training.

Augmentation grows as long as the discriminator is too sure of the real images,
measured by the mean sign of its outputs on them, and shrinks otherwise (Karras
et al. 2020, section 3).
"""

from typing import NamedTuple

import jax.numpy as jnp

from aligned_jax.augment.options import AdaConfig
from aligned_jax.types import Array


class AdaState(NamedTuple):
    """float32 scalars: the probability, and what was seen since its last update."""

    p: Array
    sign_sum: Array
    sign_count: Array


def init_state(config: AdaConfig) -> AdaState:
    """The state of a run before its first iteration: p as configured, and no signs seen yet."""
    return AdaState(jnp.float32(config.p), jnp.float32(0), jnp.float32(0))


def update(state: AdaState, config: AdaConfig, iterations: Array | int, batch: int) -> AdaState:
    """State after an iteration; p moves after every `config.interval`-th.

    p moves by batch * interval / (kimg * 1000) towards the target; never below
    0, but without an upper limit, as in the official implementation. Nothing
    seen since the last update leaves it as it is.

    Args:
      state: with the signs of the iteration's real images added.
      config: static.
      iterations: completed iterations, this one included.
      batch: images in a global batch.
    """
    if config.mode != "ada":
        return init_state(config)
    due = iterations % config.interval == 0
    seen = state.sign_count > 0
    mean = state.sign_sum / jnp.maximum(state.sign_count, 1)
    step = jnp.where(seen, jnp.sign(mean - config.target), jnp.float32(0))
    step *= batch * config.interval / (config.kimg * 1000)
    moved = AdaState(jnp.maximum(state.p + step, 0), jnp.float32(0), jnp.float32(0))
    return AdaState(*(jnp.where(due, new, old) for new, old in zip(moved, state, strict=True)))
