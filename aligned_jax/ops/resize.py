"""Resizing as the published scores do it; none of these is the usual antialiased one.

Each resize is a matrix along either axis. The matrices are made with numpy
from the sizes alone and so are constants of a compiled program.
"""

from collections.abc import Callable

import jax.numpy as jnp
import numpy as np
from jax import lax

from aligned_jax.types import Array


def half_pixel(images: Array, size: int) -> Array:
    """Bilinear, pixel centres at i + 1/2, borders repeated: [N, H, W, C] to [N, S, S, C]."""
    return _along_both(images, size, lambda old: (np.arange(size) + 0.5) * old / size - 0.5)


def anchored(images: Array, size: int) -> Array:
    """Bilinear, source position i * old / new, as TensorFlow 1 and NVIDIA's metrics do."""
    return _along_both(images, size, lambda old: np.arange(size) * (old / size))


def corner_to_corner(images: Array, size: int) -> Array:
    """Bilinear, the corner pixels kept where they are, as PyTorch's `align_corners`."""
    return _along_both(images, size, lambda old: np.arange(size) * (old - 1) / max(size - 1, 1))


def area(images: Array, size: int) -> Array:
    """Mean over the pixels from floor(i * old / new) to ceil((i + 1) * old / new)."""

    def matrix(old: int) -> np.ndarray:
        start = np.arange(size) * old // size
        end = -(-(np.arange(1, size + 1) * old) // size)
        inside = (np.arange(old) >= start[:, None]) & (np.arange(old) < end[:, None])
        return inside / (end - start)[:, None]

    return _apply(images, matrix(images.shape[1]), matrix(images.shape[2]))


def _along_both(images: Array, size: int, positions: Callable[[int], np.ndarray]) -> Array:
    height, width = images.shape[1:3]
    if height == width == size:
        return images
    return _apply(images, _linear(positions(height), height), _linear(positions(width), width))


def _linear(positions: np.ndarray, old: int) -> np.ndarray:
    """[new, old]: weights of linear interpolation, positions kept inside."""
    positions = np.clip(positions, 0, old - 1)
    low = np.minimum(positions.astype(int), max(old - 2, 0))
    high, rest = np.minimum(low + 1, old - 1), positions - low
    matrix = np.zeros((len(positions), old))
    rows = np.arange(len(positions))
    matrix[rows, low] += 1 - rest
    matrix[rows, high] += rest
    return matrix


def _apply(images: Array, rows: np.ndarray, columns: np.ndarray) -> Array:
    dtype = images.dtype
    return jnp.einsum(
        "nhwc,ih,jw->nijc",
        images,
        jnp.asarray(rows, dtype),
        jnp.asarray(columns, dtype),
        precision=lax.Precision.HIGHEST,
    )
