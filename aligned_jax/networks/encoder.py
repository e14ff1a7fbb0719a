"""Encoders of images: pSp (Richardson et al. 2021) and e4e (Tov et al. 2021).

Names are those of the official files, without `encoder.`.
"""

import flax.linen as nn
import jax.numpy as jnp

from aligned_jax import ops
from aligned_jax.config.encoder import EncoderConfig
from aligned_jax.networks.irse import backbone
from aligned_jax.networks.layers import Dense
from aligned_jax.networks.plain import BatchMoments, Conv
from aligned_jax.ops import resize
from aligned_jax.types import Array

# Rows from these on look at the finer maps of the pyramid.
MIDDLE, FINE = 3, 7
_SLOPE = 0.01


class Head(nn.Module):
    """A square map [N, 2^k, 2^k, C] to [N, latent_dim] ("map2style")."""

    latent_dim: int

    @nn.compact
    def __call__(self, x: Array) -> Array:
        width, number = x.shape[-1], 0
        while x.shape[1] > 1:
            x = Conv(width, (3, 3), 2, (1, 1), True, name=f"convs.{2 * number}")(x)
            x = nn.leaky_relu(x, _SLOPE)
            number += 1
        return Dense(width, self.latent_dim, name="linear")(x[:, 0, 0])


class Encoder(nn.Module):
    """Images [N, R, R, C] in [-1, 1] to latents [N, D], or [N, L, D] in a space with rows.

    Variables: `params`, and `stats`: the moments of normalisations, which
    training moves (`moments` given, `stats` mutable), and `latent_avg`, the origin
    from which w is counted: the generator's mean of w. Latents in Z have a mean
    square of one, as the mapping network sees them.
    """

    config: EncoderConfig
    moments: BatchMoments | None = None

    @nn.compact
    def __call__(self, images: Array, active: Array | int | None = None) -> Array:
        """Latents of images.

        Args:
          images: float32 of the config's size.
          active: rows that have deltas of their own, the first included; later ones
            equal the first. None is all. For e4e's progressive training.
        """
        config = self.config
        maps = backbone(images, config.stages, self.moments)
        if config.has_rows:
            latents = self._rows(maps)
            if config.deltas:
                latents = _added(latents, config.rows if active is None else active)
        else:
            pooled = maps[-1].mean(axis=(1, 2))
            latents = Dense(pooled.shape[-1], config.latent_dim, name="linear")(pooled)
        if config.space.startswith("z"):
            return ops.normalize_2nd_moment(latents)
        origin = self.variable("stats", "latent_avg", jnp.zeros, config.latent_shape)
        return latents + origin.value[None]

    def _rows(self, maps: list[Array]) -> Array:
        """What each row's head finds in its map: [N, L, D]."""
        coarse = maps[3]
        middle = self._finer(coarse, maps[2], "latlayer1")
        fine = self._finer(middle, maps[1], "latlayer2")
        rows = []
        for row in range(self.config.rows):
            x = coarse if row < MIDDLE else middle if row < FINE else fine
            rows.append(Head(self.config.latent_dim, name=f"styles.{row}")(x))
        return jnp.stack(rows, axis=1)

    def _finer(self, coarse: Array, fine: Array, name: str) -> Array:
        """A level of the feature pyramid, twice as large as the one before."""
        lateral = Conv(coarse.shape[-1], (1, 1), use_bias=True, name=name)(fine)
        return resize.corner_to_corner(coarse, fine.shape[1]) + lateral


def _added(rows: Array, active: Array | int) -> Array:
    """The first row, and its sums with the others as far as those are active."""
    numbers = jnp.arange(rows.shape[1])[None, :, None]
    deltas = jnp.where((numbers > 0) & (numbers < active), rows, 0)
    return rows[:, :1] + deltas
