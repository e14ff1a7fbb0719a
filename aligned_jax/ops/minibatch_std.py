"""Minibatch standard deviation (Progressive GAN, section 3)."""

import jax.numpy as jnp

from aligned_jax.errors import ConfigError
from aligned_jax.types import Array


def minibatch_std(x: Array, group_size: int | None = 4, num_channels: int = 1) -> Array:
    """Appends channels that say how much the samples of a group differ.

    Sample n shares its group with n + N/G, n + 2N/G, ... (strided, as in the
    official networks). A batch smaller than the group forms one group.

    Args:
      x: [N, H, W, C].
      group_size: G, or None for the whole batch.
      num_channels: F, the number of statistics; must divide C.

    Returns:
      [N, H, W, C + F].

    Raises:
      ConfigError: if the batch is empty or the group size does not divide it.
    """
    n, h, w, c = x.shape
    group = n if group_size is None else min(group_size, n)
    if n == 0:
        raise ConfigError("an empty batch has no minibatch standard deviation; give images")
    if n % group:
        raise ConfigError(
            f"a batch of {n} cannot be split into groups of {group} for the minibatch standard "
            f"deviation; use a multiple of {group}, or fewer than {group} samples"
        )
    y = x.reshape(group, n // group, h, w, num_channels, c // num_channels)  # [G, M, H, W, F, c]
    y = jnp.sqrt(jnp.var(y, axis=0) + 1e-8)  # [M, H, W, F, c]
    y = y.mean(axis=(1, 2, 4))[:, None, None, :]  # [M, 1, 1, F]
    y = jnp.tile(y, (group, h, w, 1))  # [N, H, W, F]
    return jnp.concatenate([x, y], axis=-1)
