"""The warp as seven taps an axis on the pixels of the image itself.

The warp of `gather` continues the image x by reflection, doubles it with the 12-tap filter, and
samples that bilinearly. All of it is separable and linear. Along one axis of n pixels, continued
by m0 before and m1 behind, let f be the filter with gain 2, u a position in doubled samples,
k = floor(u) and phi = u - k. The sample there is

    (1 - phi) d[k] + phi d[k + 1],   d[2 m + q] = sum_t f[q - 2 t + 5] x[m + t],   q in {0, 1},

where d is zero beyond 2 (-m0) ... 2 (n + m1) - 1. With m = k >> 1 and q = k & 1, both sums read
x[m - 3] ... x[m + 3] only, since the taps of d[k + 1] are those of d[2 m + (q + 1)]:

    sample = sum_t w[t] x[reflect(m + t)],   t = -3 ... 3,
    w[t] = c0 f[q - 2 t + 5] + c1 f[q - 2 t + 6],

where c0 = 1 - phi and c1 = phi, each zero where its d is, f is zero beyond its ends, and w[t] is
zero unless -m0 <= m + t < n + m1. Reflection without repeated edges maps i to |i|, and that to
2 (n - 1) - |i| beyond the last pixel; it needs at most one step, as m0, m1 <= n - 1. It brings
pixels never farther apart: a range of positions needs no wider range of pixels inside the image.

The place of a point of the result's grid, at twice its density, is linear in its row and column:
u = 2 (a x + b y + s) + n - 1 for pixels (x, y) from the centre of the result.

Functions work on numbers of any floating type and of any shape, inside kernels as well.
"""

from typing import Any

import jax.numpy as jnp

from aligned_jax.augment.geometry import REACH, SYM6
from aligned_jax.ops import setup_filter
from aligned_jax.types import Array

FILTER = setup_filter(SYM6)  # [12], sums to 1
SPREAD = 3  # taps on either side of the middle one


def grid_size(size: int) -> int:
    """Points of the grid along an axis of `size` pixels, with what the last filter reads beyond."""
    return 2 * size + 4 * REACH - 2


def coordinate(index: Array, size: int, dtype: Any = jnp.float32) -> Array:
    """Pixels from the centre of the result to point `index` (int) of its grid."""
    return (index + (2 - size)).astype(dtype) / 2 - REACH


def position(a: Array, b: Array, shift: Array, x: Array, y: Array, size: int) -> Array:
    """Where (x, y) comes from on an axis of `size` pixels, in doubled samples from the first."""
    return 2 * ((a * x + b * y) + shift) + (size - 1)


def taps(u: Array, size: int, before: Array, behind: Array) -> tuple[list[Array], list[Array]]:
    """Pixels and weights that make the sample at each position.

    Args:
      u: positions, floating, any shape.
      size: pixels n of the axis.
      before, behind: margins int32, 0 to n - 1, that broadcast to `u`.

    Returns:
      Seven arrays of pixels, int32, and seven of weights, dtype of `u`. Where two taps fall on
      the same pixel, each has the sum of both weights: add a pixel once, not twice. Pixels
      outside 0 ... n - 1 have weight 0.
    """
    low, high = -2 * before, 2 * (size + behind) - 1
    # Far places must not overflow integers; two samples beyond the margins all weights are zero.
    floor = jnp.clip(jnp.floor(u), (low - 2).astype(u.dtype), (high + 2).astype(u.dtype))
    k = floor.astype(jnp.int32)
    zero = jnp.zeros_like(u)
    first = jnp.where((k >= low) & (k <= high), jnp.maximum(1 - jnp.abs(u - floor), 0), zero)
    next_ = jnp.where(
        (k + 1 >= low) & (k + 1 <= high), jnp.maximum(1 - jnp.abs(u - (floor + 1)), 0), zero
    )
    middle, odd = k >> 1, (k & 1) == 1
    pixels, weights = [], []
    for t in range(-SPREAD, SPREAD + 1):
        even_w, odd_w = (
            first * _gain(q - 2 * t + 5) + next_ * _gain(q - 2 * t + 6) for q in (0, 1)
        )
        pixel = middle + t
        inside = (pixel >= -before) & (pixel < size + behind)
        weights.append(jnp.where(inside, jnp.where(odd, odd_w, even_w), zero))
        pixels.append(reflected(pixel, size))
    return pixels, [_added(pixels, weights, pixel) for pixel in pixels]


def reflected(pixel: Array, size: int) -> Array:
    """Pixels -(n - 1) ... 2 (n - 1) of the continued image as those of the image."""
    pixel = jnp.abs(pixel)
    return jnp.where(pixel > size - 1, 2 * (size - 1) - pixel, pixel)


def spread(pixels: list[Array], weights: list[Array], at: Array) -> Array:
    """Weights by pixel: those of each point for the pixels `at`, which broadcast to the points."""
    result = jnp.zeros(jnp.broadcast_shapes(at.shape, pixels[0].shape), weights[0].dtype)
    for pixel, weight in zip(pixels, weights, strict=True):
        result = jnp.where(pixel == at, weight, result)
    return result


def _gain(tap: int) -> float:
    """A tap of the filter that doubles: gain 2 on an axis; 0 beyond its ends."""
    return 2 * float(FILTER[tap]) if 0 <= tap < len(FILTER) else 0.0


def _added(pixels: list[Array], weights: list[Array], pixel: Array) -> Array:
    """The sum of the weights of all taps on `pixel`."""
    zero = jnp.zeros_like(weights[0])
    terms = [jnp.where(p == pixel, w, zero) for p, w in zip(pixels, weights, strict=True)]
    return sum(terms[1:], terms[0])
