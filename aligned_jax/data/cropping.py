"""Squares of photographs, turned or beyond their edges, as pictures of a network's size."""

import math

import numpy as np
from PIL import Image, ImageFilter

from aligned_jax.data.pictures import resized
from aligned_jax.data.placements import Placement
from aligned_jax.errors import UserError

# As in FFHQ, in sides of the square.
_MARGIN, _FADE, _BLUR = 0.1, 0.3, 0.02
_LEAST_MARGIN = 3  # pixels


def cropped(image: Image.Image, placement: Placement, resolution: int) -> Image.Image:
    """The square of a photograph, antialiased.

    Beyond the edges the photograph goes on mirrored, more and more blurred and fading to its
    median colour, as in FFHQ (there the blur begins within the photograph, here at its edge).
    Upright squares of whole pixels are cut out and resized (Lanczos); all others are sampled
    densely (bicubic) and then resized.

    Args:
      image: the photograph, of mode L, RGB or RGBA, turned as its camera says.
      placement: of the square, in a photograph of this size.
      resolution: of the result, in pixels.

    Raises:
      UserError: for a photograph of another size.
    """
    if image.size != placement.size:
        raise UserError(
            f"{image.width}x{image.height} pixels are not the {placement.size[0]}x"
            f"{placement.size[1]} of the photograph"
        )
    if box := placement.whole_box:
        return resized(image.crop(box), resolution, resolution)
    if image.mode == "RGBA":  # what is transparent has no colour
        return _sampled(image.convert("RGBa"), placement, resolution).convert("RGBA")
    return _sampled(image, placement, resolution)


def _sampled(image: Image.Image, placement: Placement, resolution: int) -> Image.Image:
    # Averaged to two to four times the pixels of the result a side: photographs may be large.
    shrink = max(1, int(placement.side / resolution / 2))
    if shrink > 1:
        image = image.reduce(shrink)
    side, corners = placement.side / shrink, placement.corners / shrink
    margin = max(math.ceil(_MARGIN * side), _LEAST_MARGIN)
    low = np.floor(corners.min(axis=0)).astype(int) - margin
    high = np.ceil(corners.max(axis=0)).astype(int) + margin
    canvas = _extended(image, low, high, side)
    count = resolution * math.ceil(side / resolution)
    (a, d), (b, e) = (np.asarray(v) / shrink / count for v in (placement.across, placement.down))
    c, f = corners[0] - low
    sampled = canvas.transform(
        (count, count), Image.Transform.AFFINE, (a, b, c, d, e, f), Image.Resampling.BICUBIC
    )
    return resized(sampled, resolution, resolution)


def _extended(image: Image.Image, low: np.ndarray, high: np.ndarray, side: float) -> Image.Image:
    """The part of a picture from `low` to `high`, (x, y), which may lie beyond its edges."""
    size = np.asarray(image.size)
    first, last = np.maximum(low, 0), np.minimum(high, size)
    part = image.crop((int(first[0]), int(first[1]), int(last[0]), int(last[1])))
    before, after = first - low, high - last
    if not (before.any() or after.any()):
        return part
    pixels = np.asarray(part)
    pads = [(int(before[axis]), int(after[axis])) for axis in (1, 0)]
    flat = [(0, 0)] * (pixels.ndim - 2)
    pixels = np.pad(pixels, [*pads, *flat], mode="reflect")
    mirrored = _rgba(pixels) if part.mode == "RGBa" else Image.fromarray(pixels)
    blurred = np.asarray(mirrored.filter(ImageFilter.GaussianBlur(_BLUR * side)), np.float32)
    beyond = _beyond(pixels.shape[:2], pads, _FADE * side)  # [H, W]
    beyond = beyond.reshape(*beyond.shape, *[1] * (pixels.ndim - 2))
    values = pixels.astype(np.float32)
    values += (blurred - values) * np.clip(3 * beyond, 0, 1)
    values += (np.median(values, axis=(0, 1)) - values) * np.clip(beyond, 0, 1)
    faded = np.rint(values).astype(np.uint8)
    return _rgba(faded) if part.mode == "RGBa" else Image.fromarray(faded)


def _beyond(shape: tuple[int, int], pads: list[tuple[int, int]], least: float) -> np.ndarray:
    """How far a pixel lies beyond the picture, 0 in it, 1 as far as it is extended or `least`.

    Args:
      shape: height and width with what is added.
      pads: pixels that are added above and below, left and right.
      least: pixels.
    """
    shares = []
    for length, (before, after) in zip(shape, pads, strict=True):
        place = np.arange(length)
        start = (before - place) / max(before, least)
        end = (place - (length - 1 - after)) / max(after, least)
        shares.append(np.maximum(np.maximum(start, end), 0).astype(np.float32))
    return np.maximum(shares[0][:, None], shares[1][None])


def _rgba(pixels: np.ndarray) -> Image.Image:
    """An image of mode RGBa of its four channels uint8 [H, W, 4]."""
    height, width = pixels.shape[:2]
    return Image.frombytes("RGBa", (width, height), np.ascontiguousarray(pixels).tobytes())
