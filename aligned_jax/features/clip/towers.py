"""The two transformers of CLIP, with OpenAI's names of their parameters.

Joined with dots, the names of modules are those of OpenAI's and open_clip's files, but that
"attn.in_proj_weight" is "attn.in_proj.weight" here. Dense weights are [in, out], kernels HWIO.
"""

import flax.linen as nn
import jax
import jax.numpy as jnp

from aligned_jax.features.clip.config import ClipConfig, TowerConfig
from aligned_jax.networks.plain import HIGHEST, Conv, Linear, channels
from aligned_jax.types import Array

_NARROW = nn.initializers.normal(0.02)
_NARROWER = nn.initializers.normal(0.01)


class LayerNorm(nn.Module):
    """Each row to mean 0 and variance 1, then scaled and shifted: weight [C], bias [C]."""

    epsilon: float

    @nn.compact
    def __call__(self, x: Array) -> Array:
        size = x.shape[-1:]
        weight = self.param("weight", nn.initializers.ones, size)
        bias = self.param("bias", nn.initializers.zeros, size)
        centred = x - x.mean(axis=-1, keepdims=True)
        variance = jnp.square(centred).mean(axis=-1, keepdims=True)
        x = centred * jax.lax.rsqrt(variance + jnp.float32(self.epsilon))
        return x * channels(weight, x) + channels(bias, x)


class ResidualAttention(nn.Module):
    """A layer of a transformer, [N, T, width] to the same; `causal` hides later tokens."""

    config: TowerConfig
    causal: bool

    @nn.compact
    def __call__(self, x: Array) -> Array:
        config = self.config
        y = LayerNorm(config.epsilon, name="ln_1")(x)
        y = Linear(3 * config.width, name="attn.in_proj")(y)
        q, k, v = jnp.split(y, 3, axis=-1)
        y = _attention(q, k, v, config.heads, self.causal)
        x = x + Linear(config.width, name="attn.out_proj")(y)
        y = LayerNorm(config.epsilon, name="ln_2")(x)
        y = _ACTIVATION[config.activation](Linear(config.hidden, name="mlp.c_fc")(y))
        return x + Linear(config.width, name="mlp.c_proj")(y)


def _attention(q: Array, k: Array, v: Array, heads: int, causal: bool) -> Array:
    """Values [N, T, width] weighted by the softmax of q.k over the root of a head's width."""
    n, t, width = q.shape
    q, k, v = (x.reshape(n, t, heads, width // heads) for x in (q, k, v))
    scores = jnp.einsum("nqhd,nkhd->nhqk", q, k, precision=HIGHEST)
    scores = scores * jnp.float32((width // heads) ** -0.5)
    if causal:
        seen = jnp.tril(jnp.ones((t, t), bool))[None, None]
        scores = jnp.where(seen, scores, jnp.float32(-jnp.inf))
    weights = jax.nn.softmax(scores, axis=-1)
    return jnp.einsum("nhqk,nkhd->nqhd", weights, v, precision=HIGHEST).reshape(n, t, width)


def _quick_gelu(x: Array) -> Array:
    return x * jax.nn.sigmoid(jnp.float32(1.702) * x)


def _gelu(x: Array) -> Array:
    return jax.nn.gelu(x, approximate=False)


_ACTIVATION = {"quick_gelu": _quick_gelu, "gelu": _gelu}


def _layers(config: TowerConfig, x: Array, causal: bool) -> Array:
    for i in range(config.layers):
        x = ResidualAttention(config, causal, name=f"transformer.resblocks.{i}")(x)
    return x


class TextTower(nn.Module):
    """Tokens int32 [N, T] to [N, embedding]: the place of the first end token is read."""

    config: ClipConfig

    @nn.compact
    def __call__(self, tokens: Array) -> Array:
        config, tower = self.config, self.config.text
        table = self.param("token_embedding.weight", _NARROW, (config.vocabulary, tower.width))
        places = self.param("positional_embedding", _NARROWER, (config.context, tower.width))
        x = table[tokens] + places[None, : tokens.shape[1]]
        x = LayerNorm(tower.epsilon, name="ln_final")(_layers(tower, x, causal=True))
        end = (tokens == config.end_token).argmax(axis=1)
        x = jnp.take_along_axis(x, end[:, None, None], axis=1)[:, 0]
        shape = (tower.width, config.embedding)
        return jnp.matmul(x, self.param("text_projection", _NARROW, shape), precision=HIGHEST)


class ImageTower(nn.Module):
    """Normalised pictures [N, S, S, 3] to [N, embedding]: the place of the class is read."""

    config: ClipConfig

    @nn.compact
    def __call__(self, pixels: Array) -> Array:
        config, tower = self.config, self.config.image
        patch, width = config.patch_size, tower.width
        x = Conv(width, (patch, patch), stride=patch, name="conv1")(pixels)
        x = x.reshape(x.shape[0], -1, width)
        first = self.param("class_embedding", _NARROW, (width,))
        first = jnp.broadcast_to(first, (x.shape[0], 1, width))
        count = (config.image_size // patch) ** 2 + 1
        places = self.param("positional_embedding", _NARROW, (count, width))
        x = jnp.concatenate([first, x], axis=1) + places[None]
        x = _layers(tower, LayerNorm(tower.epsilon, name="ln_pre")(x), causal=False)
        x = LayerNorm(tower.epsilon, name="ln_post")(x[:, 0])
        return jnp.matmul(
            x, self.param("proj", _NARROW, (width, config.embedding)), precision=HIGHEST
        )
