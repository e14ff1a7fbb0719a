"""Perceptual path length (Karras et al., 2019, section 4.1; 2020, appendix E)."""

from collections.abc import Callable
from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np

from aligned_jax.errors import ConfigError, UserError
from aligned_jax.latents import lerp
from aligned_jax.types import Array

# The side of images that distances are taken of; larger ones are averaged down.
_SIDE = 256


@dataclass(frozen=True)
class PathOptions:
    """Which steps are measured; the defaults are the official `ppl2_wend`.

    Attributes:
      space: "w" steps along straight lines between mapped latents, "z" along
        great circles before the mapping.
      sampling: "end" steps from the end points alone, "full" from anywhere between.
      epsilon: length of a step, as a fraction of the way.
      crop: only rows 3/8 to 7/8 and columns 1/4 to 3/4 are looked at, where a face is.
    """

    space: str = "w"
    sampling: str = "end"
    epsilon: float = 1e-4
    crop: bool = False

    def __post_init__(self) -> None:
        wrong = []
        if self.space not in ("w", "z"):
            wrong.append(f"space is {self.space!r}; it can be w or z")
        if self.sampling not in ("end", "full"):
            wrong.append(f"sampling is {self.sampling!r}; it can be end or full")
        if not 1e-6 <= self.epsilon <= 1:
            wrong.append(f"epsilon is {self.epsilon}; it must lie between 1e-6 and 1")
        if wrong:
            raise ConfigError("; ".join(wrong))


def path_distances(
    mapping: Callable[[Array], Array],
    synthesis: Callable[[Array], Array],
    distance: Callable[[Array, Array], Array],
    z0: Array,
    z1: Array,
    u: Array,
    options: PathOptions = PathOptions(),
) -> Array:
    """Perceptual distance over epsilon squared for each pair of end points, [N].

    Args:
      mapping: from z [n, z_dim] to W+ [n, L, w_dim].
      synthesis: from W+ [2 N, L, w_dim] to images [2 N, H, W, C] in [-1, 1]. The
        first N rows and the last N are the two ends of the steps; the same noise
        should be used for both.
      distance: of images [N, h, w, 1, 3 or 4] in [-1, 1], unclipped, to [N]; squared
        differences of features, as LPIPS is.
      z0, z1: end points [N, z_dim], standard normal.
      u: uniform numbers in [0, 1), [N]; where on the way, with sampling "full".
    """
    t = (u if options.sampling == "full" else jnp.zeros_like(u))[:, None]
    count, step = len(z0), options.epsilon
    if options.space == "w":
        ws = mapping(jnp.concatenate([z0, z1]))
        ends = [lerp(ws[:count], ws[count:], at[:, :, None]) for at in (t, t + step)]
        ws = jnp.concatenate(ends)
    else:
        ws = mapping(jnp.concatenate([arc(z0, z1, t), arc(z0, z1, t + step)]))
    images = _seen(synthesis(ws), options.crop)
    return distance(images[:count], images[count:]) / step**2


def path_length(distances: np.ndarray) -> tuple[float, int]:
    """Mean of the distances between the 1st and 99th percentile, and how many those are.

    The percentiles are distances that occur (the lower and the higher
    neighbour), and count.
    """
    distances = np.asarray(distances)
    if not len(distances) or not np.isfinite(distances).all():
        raise UserError("path lengths need at least one distance, and all of them finite")
    low = np.percentile(distances, 1, method="lower")
    high = np.percentile(distances, 99, method="higher")
    kept = distances[(distances >= low) & (distances <= high)]
    return float(kept.mean(dtype=np.float64)), len(kept)


def arc(a: Array, b: Array, t: Array) -> Array:
    """Unit vectors at t on the great circle from a to b, [N, D]; t is [N, 1]."""
    a, b = _unit(a), _unit(b)
    cosine = jnp.sum(a * b, axis=1, keepdims=True)
    angle = t * jnp.arccos(cosine)
    across = _unit(b - cosine * a)
    return _unit(a * jnp.cos(angle) + across * jnp.sin(angle))


def _unit(a: Array) -> Array:
    return a / jnp.linalg.norm(a, axis=1, keepdims=True)


def _seen(images: Array, crop: bool) -> Array:
    """What a distance sees: cropped, averaged down."""
    factor = images.shape[1] // _SIDE
    if crop:
        eighth = images.shape[1] // 8
        images = images[:, eighth * 3 : eighth * 7, eighth * 2 : eighth * 6]
    if factor > 1:
        n, height, width, channels = images.shape
        shape = n, height // factor, factor, width // factor, factor, channels
        images = images.reshape(shape).mean(axis=(2, 4))
    return images
