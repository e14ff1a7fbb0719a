"""The averaged generator (Progressive GAN, section 4.1; StyleGAN2-ADA, appendix C)."""

import math

import jax
import jax.numpy as jnp

from aligned_jax.types import Array, Variables


def ema_rate(
    images_seen: Array, batch_size: int, ema_kimg: float, ema_rampup: float | None
) -> Array:
    """How far one iteration moves the average towards the present generator.

    One minus the coefficient 0.5 ** (batch_size / half-life), computed without
    the cancellation that would cost float32 half its digits.

    Args:
      images_seen: real images shown before this iteration, an integer scalar.
      batch_size: images of this iteration, over all devices.
      ema_kimg: half-life of the average in thousands of images; 0 copies.
      ema_rampup: bound of the half-life as a fraction of `images_seen`, so that
        a young average follows quickly (the first one is a copy), or None.

    Returns:
      float32 scalar in [0, 1].
    """
    half_life = jnp.float32(ema_kimg * 1000)
    if ema_rampup is not None:
        half_life = jnp.minimum(half_life, images_seen.astype(jnp.float32) * ema_rampup)
    return -jnp.expm1(-math.log(2) * batch_size / jnp.maximum(half_life, 1e-8))


def update_ema(average: Variables, present: Variables, rate: Array) -> Variables:
    """Blends parameters by `rate`; noise maps and the mean of w are copied outright."""

    def blend(old: Array, new: Array) -> Array:
        # Anchored at the nearer end, so that rates 0 and 1 are exact.
        near_new = new - (1 - rate) * (new - old)
        return jnp.where(rate < 0.5, old + rate * (new - old), near_new)

    return {**present, "params": jax.tree.map(blend, average["params"], present["params"])}
