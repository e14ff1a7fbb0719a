"""Random numbers of a training step.

Every number is a function of the run's key, the iteration, the loss term and
the row of the global batch, never of the device that happens to compute it.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from aligned_jax.config import GeneratorConfig
from aligned_jax.latents import style_layers
from aligned_jax.types import Array

# Loss terms in the order of a full iteration; their place here is part of their key.
TERMS = ("Gmain", "Greg", "Dmain", "Dreg")
# Purposes within a term.
_Z, _Z_MIX, _CUTOFF, _NOISE, _PL_NOISE, _AUGMENT_FAKE, _AUGMENT_REAL = range(7)


class Draws(NamedTuple):
    """What one loss term draws for N rows; a term uses what it needs."""

    z: Array  # [N, z_dim]
    z_mix: Array | None  # [N, z_dim], or None without style mixing
    cutoff: Array | None  # int32, rows of W+ that keep z; one for the whole batch
    noise: str | dict[str, Array]  # fields [N, H, W] by layer, or a mode of the generator
    pl_noise: Array  # [N, H, W, C]
    augment_fake: Array  # key of all rows, read where the networks augment
    augment_real: Array  # likewise, of the real images


def term_key(key: Array, step: Array, term: str) -> Array:
    """Key of one loss term in iteration `step`, from the raw words of the run's key."""
    key = jax.random.wrap_key_data(key, impl="threefry2x32")
    return jax.random.fold_in(jax.random.fold_in(key, step), TERMS.index(term))


def draw(key: Array, rows: Array, config: GeneratorConfig, mixing: float) -> Draws:
    """Draws of one loss term, whose key is `key`, for rows [N] (int32) of the global batch.

    `mixing` is the probability that rows of W+ from a cutoff on come from a
    second latent; 0 leaves the second latent out.
    """

    def normal(purpose: int, *shape: int) -> Array:
        return normal_rows(jax.random.fold_in(key, purpose), rows, *shape)

    size = (config.img_resolution, config.img_resolution, config.img_channels)
    return Draws(
        z=normal(_Z, config.z_dim),
        z_mix=normal(_Z_MIX, config.z_dim) if mixing else None,
        cutoff=draw_cutoff(jax.random.fold_in(key, _CUTOFF), config.num_ws, mixing)
        if mixing
        else None,
        noise=noise_rows(config, jax.random.fold_in(key, _NOISE), rows),
        pl_noise=normal(_PL_NOISE, *size),
        augment_fake=jax.random.fold_in(key, _AUGMENT_FAKE),
        augment_real=jax.random.fold_in(key, _AUGMENT_REAL),
    )


def draw_cutoff(key: Array, num_ws: int, mixing: float) -> Array:
    """Rows that keep the first latent: 1 to num_ws - 1 with probability `mixing`, else all."""
    which, whether = jax.random.split(key)
    cutoff = jax.random.randint(which, (), 1, num_ws)
    return jnp.where(jax.random.uniform(whether) < mixing, cutoff, num_ws)


def normal_rows(key: Array, rows: Array, *shape: int) -> Array:
    """Standard normal [N, *shape], each row of the key and its number in `rows` [N] alone."""
    keys = jax.vmap(jax.random.fold_in, (None, 0))(key, rows)
    return jax.vmap(lambda k: jax.random.normal(k, shape))(keys)


def noise_rows(config: GeneratorConfig, key: Array, rows: Array) -> str | dict[str, Array]:
    """Noise fields [N, H, W] of all layers, cut from one draw a row; "none" if none is used."""
    if not config.synthesis.use_noise:
        return "none"
    sizes = {s.name: s.resolution for s in style_layers(config) if s.kind == "conv"}
    numbers = normal_rows(key, rows, sum(r * r for r in sizes.values()))
    fields, start = {}, 0
    for name, r in sizes.items():
        fields[name] = numbers[:, start : start + r * r].reshape(-1, r, r)
        start += r * r
    return fields
