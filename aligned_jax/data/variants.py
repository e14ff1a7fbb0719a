"""Shifts, flips and outlines of uint8 images: how local alignment is, and edge maps.

StyleAlign, figures 15 and 37.
"""

import numpy as np
from PIL import Image, ImageFilter

from aligned_jax.data.options import Variant


def apply_variant(image: np.ndarray, variant: Variant) -> np.ndarray:
    """A changed image, uint8 [H, W, C]; the input itself where nothing changes."""
    if variant.edges:
        image = outlines(image, variant.edges)
    if variant.upside_down:
        image = image[::-1]
    height, width, _ = image.shape
    rows = _sources(height, round(variant.shift_y * height), variant.fill)
    columns = _sources(width, round(variant.shift_x * width), variant.fill)
    if rows is not None:
        image = _taken(image, rows, 0)
    if columns is not None:
        image = _taken(image, columns, 1)
    return image


def outlines(image: np.ndarray, blur: float) -> np.ndarray:
    """An edge map: where colours change, dark on white.

    Args:
      image: uint8 [H, W, C]; the fourth of four channels, opacity, stays as it is.
      blur: standard deviation of the Gaussian blur in pixels, 0 or more.

    Returns:
      uint8 [H, W, C], all colours alike: 255 less twice the length of the gradient of the colour
      that changes most (central differences), blurred.
    """
    colours = image[..., :3].astype(np.float32)
    down, right = np.gradient(colours, axis=(0, 1))  # [H, W, colours] each
    slope = np.hypot(down, right).max(axis=-1)
    lines = Image.fromarray((255 - np.clip(2 * slope, 0, 255)).astype(np.uint8))
    drawn = np.asarray(lines.filter(ImageFilter.GaussianBlur(blur)))[..., None]
    return np.concatenate([drawn.repeat(colours.shape[-1], axis=-1), image[..., 3:]], axis=-1)


def mirrored(image: np.ndarray) -> np.ndarray:
    """Left and right exchanged, uint8 [H, W, C]."""
    return image[:, ::-1]


def _sources(size: int, shift: int, fill: str) -> np.ndarray | None:
    """For every place the place it is filled from, -1 for black; None without a shift."""
    if shift == 0:
        return None
    places = np.arange(size) - shift
    if fill == "edge":
        return places.clip(0, size - 1)
    if fill == "black":
        return np.where((places >= 0) & (places < size), places, -1)
    # Mirrored at the border pixel, which is not repeated: c b a b c.
    period = max(2 * (size - 1), 1)
    places = places % period
    return np.minimum(places, period - places)


def _taken(image: np.ndarray, places: np.ndarray, axis: int) -> np.ndarray:
    image = image.take(places.clip(0), axis)
    black = places < 0
    image[(black, slice(None)) if axis == 0 else (slice(None), black)] = 0
    return image
