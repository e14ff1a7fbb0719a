"""e4e's discriminator of latents, and the pool of older latents that it learns from."""

from typing import NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
from jax import lax

from aligned_jax.networks.plain import Linear
from aligned_jax.types import Array, Variables

_LAYERS = 4
_SLOPE = 0.2


class LatentCritic(nn.Module):
    """Latents in W [N, D] to logits [N, 1]; positive means the mapping network's own."""

    @nn.compact
    def __call__(self, w: Array) -> Array:
        width = w.shape[-1]
        for i in range(_LAYERS - 1):
            w = nn.leaky_relu(Linear(width, name=f"mlp.{2 * i}")(w), _SLOPE)
        return Linear(1, name=f"mlp.{2 * (_LAYERS - 1)}")(w)


def init_critic(width: int, key: Array) -> Variables:
    """Variables {params} of an untrained critic of latents [N, width]."""
    return LatentCritic().init(key, jnp.zeros((1, width)))


class Pool(NamedTuple):
    """Latents seen before: `latents` [P, D], of which the first `count` are there."""

    latents: Array
    count: Array  # type: ignore[assignment]  # int32; it hides tuple.count, which nobody calls


def empty_pool(size: int, width: int) -> Pool:
    """A pool that will hold `size` latents."""
    return Pool(jnp.zeros((size, width)), jnp.int32(0))


def replay(pool: Pool, w: Array, key: Array) -> tuple[Array, Pool]:
    """Latents [N, D] to learn from in the place of `w` [N, D], and the pool afterwards.

    Until the pool is full, latents go in and come out as they are. Then each, by
    turns of a coin, is either returned or changes places with one of the pool.
    """
    size = pool.latents.shape[0]
    if not size:
        return w, pool

    def one(pool: Pool, row: tuple[Array, Array]) -> tuple[Pool, Array]:
        latent, key = row
        coin, which = jax.random.split(key)
        full = pool.count >= size
        swap = full & (jax.random.uniform(coin) > 0.5)
        place = jnp.where(full, jax.random.randint(which, (), 0, size), pool.count)
        old = pool.latents[place]
        kept = jnp.where(swap | ~full, latent, old)
        latents = pool.latents.at[place].set(kept)
        count = jnp.minimum(pool.count + 1, size)
        return Pool(latents, count), jnp.where(swap, old, latent)

    pool, chosen = lax.scan(one, pool, (w, jax.random.split(key, w.shape[0])))
    return chosen, pool
