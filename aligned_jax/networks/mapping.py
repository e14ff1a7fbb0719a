"""Mapping network: z and label to w (StyleGAN, section 2)."""

import flax.linen as nn
import jax.numpy as jnp

from aligned_jax import ops
from aligned_jax.config import MappingConfig
from aligned_jax.networks.layers import Dense
from aligned_jax.types import Array


class Mapping(nn.Module):
    """Multi-layer perceptron on normalised z and separately normalised label embedding.

    Besides the parameters it owns the running mean `stats/w_avg` [w_dim] when
    `config.w_avg_beta` is set. Applying the network never changes the mean.
    """

    config: MappingConfig
    z_dim: int
    c_dim: int
    w_dim: int

    def setup(self) -> None:
        config = self.config
        embed = (config.embed_features or self.w_dim) if self.c_dim else 0
        if self.c_dim:
            self.embed = Dense(self.c_dim, embed)
        hidden = config.layer_features or self.w_dim
        widths = [self.z_dim + embed] + [hidden] * (config.num_layers - 1) + [self.w_dim]
        for i in range(config.num_layers):
            layer = Dense(widths[i], widths[i + 1], config.activation, config.lr_multiplier)
            setattr(self, f"fc{i}", layer)
        if config.w_avg_beta is not None:
            self.w_avg = self.variable("stats", "w_avg", jnp.zeros, (self.w_dim,))

    def __call__(self, z: Array | None, c: Array | None = None) -> Array:
        """w [N, w_dim] for z [N, z_dim] and labels c [N, c_dim]; either may have no columns."""
        parts = []
        if self.z_dim and z is not None:
            parts.append(ops.normalize_2nd_moment(z))
        if self.c_dim and c is not None:
            parts.append(ops.normalize_2nd_moment(self.embed(c)))
        x = jnp.concatenate(parts, axis=1)
        for i in range(self.config.num_layers):
            x = getattr(self, f"fc{i}")(x)
        return x
