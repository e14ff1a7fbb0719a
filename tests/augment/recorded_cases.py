"""Draws of the official implementation in our form: recorded ones, and those at a percentile."""

import functools

import jax
import jax.numpy as jnp
import numpy as np

from aligned_jax.augment import AugmentConfig, Draw, draw
from tests.helpers import document, nhwc, reference


@functools.cache
def arrays() -> dict[str, np.ndarray]:
    return reference("augment")


@functools.cache
def meta() -> dict:
    return document(arrays(), "meta_json")


def images(name: str) -> np.ndarray:
    return nhwc(arrays()[name])


def random_case(case: str) -> tuple[AugmentConfig, np.ndarray, dict[str, Draw], float]:
    """Config, images, draws and p of a case with recorded random numbers."""
    settings = meta()["random"][case]
    prefix = f"random/{case}/draw/"
    numbers = {key.removeprefix(prefix): a for key, a in arrays().items() if key.startswith(prefix)}
    draws = {}
    for name in dict.fromkeys(key.split(".")[0] for key in settings["order"]):
        if name == "imgfilter":
            value, gate = (
                np.stack([numbers[f"imgfilter.band{i}.{part}"] for i in range(4)], axis=1)
                for part in ("value", "gate")
            )
            draws[name] = Draw(value, gate)
            continue
        gate = numbers[f"{name}.gate"].reshape(-1)
        value = numbers[
            f"{name}.{ {'noise': 'sigma_value', 'cutout': 'center'}.get(name, 'value') }"
        ]
        value = value.reshape(len(gate), -1) if value.size > len(gate) else value.reshape(-1)
        field = nhwc(numbers["noise.field"]) if name == "noise" else None
        draws[name] = Draw(value, gate, field)
    kwargs = {name: float(value) for name, value in settings["kwargs"].items()}
    return AugmentConfig(**kwargs), images(settings["input"]), draws, settings["p"]


def percentile_draws(q, config, count, field=None):
    """Draws of N samples that apply every enabled transform, all parameters at one percentile.

    To be used with an overall probability of 1. As in the official implementation, normal
    parameters are erfinv(2q - 1), the noise amplitude erfinv(q) (neither is a true
    percentile), and only the first of the two rotations happens.

    Args:
      q: the percentile, in (0, 1).
      config: transforms.
      count: samples N.
      field: [N, H, W, C], the normal field of the noise.
    """
    q = jnp.float32(q)
    normal = {"scale", "aniso", "xfrac", "brightness", "contrast", "saturation", "imgfilter"}
    shapes = draw(jax.random.key(0), config, np.arange(count), (1, 1, 1))
    draws = {}
    for name, (numbers, gates, _) in shapes.items():
        value = q
        if name == "noise":
            value = jax.lax.erf_inv(q)
        elif name in normal:
            value = jax.lax.erf_inv(2 * q - 1)
        gate = jnp.full_like(gates, name == "rotate_post")
        draws[name] = Draw(jnp.full_like(numbers, value), gate, field if name == "noise" else None)
    return draws
