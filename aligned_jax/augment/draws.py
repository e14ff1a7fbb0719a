"""The random numbers of one augmented batch, apart from what is done with them.

Every number depends on the key and on the global index of its sample alone, so
a batch split over devices is augmented as it would be in one piece. A transform
keeps its numbers whichever others are enabled.
"""

import itertools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from aligned_jax.augment.options import AugmentConfig
from aligned_jax.types import Array

# How many parameters and gates a transform draws for a sample; both rotations
# (before and after anisotropic scaling) belong to "rotate".
_UNIFORM = {
    "xflip": 1,
    "rotate90": 1,
    "xint": 2,
    "rotate_pre": 1,
    "rotate_post": 1,
    "lumaflip": 1,
    "hue": 1,
    "cutout": 2,
}
_NORMAL = {
    "scale": 1,
    "aniso": 1,
    "xfrac": 2,
    "brightness": 1,
    "contrast": 1,
    "saturation": 1,
    "imgfilter": 4,
    "noise": 1,
}
# One gate for each band of the filter; everything else is applied as a whole.
_GATES = dict.fromkeys(_UNIFORM | _NORMAL, 1) | {"imgfilter": 4}


class Draw(NamedTuple):
    """The random numbers that one transform takes for N samples.

    `value` is uniform in [0, 1) or standard normal, float32 [N] or, with k
    parameters, [N, k]. `gate` is uniform, [N] ([N, 4] for the image filter):
    the transform is applied where gate < strength * p. `field`, of the noise
    alone, is standard normal [N, H, W, C]; that of others is never read.
    """

    value: Array
    gate: Array
    field: Any = None


Draws = dict[str, Draw]


def draw(
    key: Array, config: AugmentConfig, sample_index: Array, image_shape: Sequence[int]
) -> Draws:
    """Random numbers for the samples with global indices `sample_index`, int [N].

    `image_shape` is (H, W, C) of the images, needed for the noise alone. The
    key must differ between steps, and between real and generated images.
    """
    keys = jax.vmap(jax.random.fold_in, (None, 0))(key, sample_index)  # [N]
    values = _columns(keys, 0, jax.random.uniform, _UNIFORM)
    values |= _columns(keys, 1, jax.random.normal, _NORMAL)
    gates = _columns(keys, 2, jax.random.uniform, _GATES)
    draws = {name: Draw(values[name], gates[name]) for name in _names(config)}
    if "noise" in draws:
        shape = tuple(image_shape)
        field = jax.vmap(lambda k: jax.random.normal(jax.random.fold_in(k, 3), shape, jnp.float32))
        draws["noise"] = draws["noise"]._replace(field=field(keys))
    return draws


def chosen(draw: Draw, probability: Array | float, value: Array, neutral: float = 0.0) -> Array:
    """`value` [N] or [N, k] where the gate [N] is below `probability`, else `neutral`."""
    gate = draw.gate if value.ndim == 1 else draw.gate[:, None]
    return jnp.where(gate < probability, value, jnp.float32(neutral))


def _columns(
    keys: Array, part: int, sample: Callable[..., Array], sizes: dict[str, int]
) -> dict[str, Array]:
    """[N] or [N, size] numbers by name: one call of `sample` for each of `keys` [N]."""
    total = sum(sizes.values())
    numbers = jax.vmap(lambda k: sample(jax.random.fold_in(k, part), [total], jnp.float32))(keys)
    ends = itertools.accumulate(sizes.values())
    return {
        name: numbers[:, end - 1] if size == 1 else numbers[:, end - size : end]
        for (name, size), end in zip(sizes.items(), ends, strict=True)
    }


def _names(config: AugmentConfig) -> list[str]:
    """Names of the draws that the enabled transforms need, in order of application."""
    twice = {"rotate": ("rotate_pre", "rotate_post")}
    return [part for name in config.enabled for part in twice.get(name, (name,))]
