"""The warp of one image in float64, step by step as it is defined, from float32 maps."""

import numpy as np

from aligned_jax.augment.geometry import SYM6
from aligned_jax.ops import setup_filter

FILTER = setup_filter(SYM6).astype(np.float64)


def warp(images, linear, shift, margins):
    """[N, H, W, C] like `aligned_jax.augment.warp`; margins [2, 2] of the batch."""
    maps = zip(np.float64(images), np.float64(linear), np.float64(shift), strict=True)
    return np.stack([_warp(image, a, s, np.asarray(margins)) for image, a, s in maps])


def _warp(image, linear, shift, margins):
    height, width, _ = image.shape
    image = _doubled(_doubled(image, *margins[:, 1]).swapaxes(0, 1), *margins[:, 0]).swapaxes(0, 1)
    down, across = ((np.arange(2 * n + 10) + 2 - n) / 2 - 3 for n in (height, width))
    x, y = (
        2 * (linear[i, 0] * across[None, :] + linear[i, 1] * down[:, None] + shift[i]) + size - 1
        for i, size in ((0, width), (1, height))
    )
    x, y = x + 2 * margins[0, 0], y + 2 * margins[0, 1]
    left, top = np.floor(x).astype(int), np.floor(y).astype(int)
    result = 0
    for dx in (0, 1):
        for dy in (0, 1):
            j, i = left + dx, top + dy
            inside = (i >= 0) & (i < image.shape[0]) & (j >= 0) & (j < image.shape[1])
            weight = (1 - abs(x - j)) * (1 - abs(y - i)) * inside
            i, j = np.clip(i, 0, image.shape[0] - 1), np.clip(j, 0, image.shape[1] - 1)
            result = result + image[i, j] * weight[..., None]
    halving = [np.zeros((n, 2 * n + 10)) for n in (height, width)]
    for matrix in halving:
        for i, row in enumerate(matrix):
            row[2 * i : 2 * i + 12] = FILTER
    return np.einsum("yv,vuc,xu->yxc", halving[0], result, halving[1])


def _doubled(image, before, behind):
    """Continued by reflection along the first axis, at twice the density."""
    image = np.pad(image, ((before, behind), (0, 0), (0, 0)), mode="reflect")
    length = 2 * len(image)
    spread = np.zeros((length + 11, *image.shape[1:]))
    spread[6 : 6 + length : 2] = image
    return sum(2 * FILTER[11 - t] * spread[t : t + length] for t in range(12))
