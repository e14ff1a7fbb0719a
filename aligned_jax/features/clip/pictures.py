"""What CLIP sees of a picture: one function for files, arrays and gradients.

The shorter side is resized to the network's size by bicubic interpolation with antialias, the
middle is cut out, and colours are normalised. Without antialias embeddings of the same picture
differ (cosine about 0.94); by 8-bit numbers in between, small changes would vanish.
"""

import jax
import jax.numpy as jnp
import numpy as np

from aligned_jax.errors import UserError
from aligned_jax.features.clip.config import ClipConfig
from aligned_jax.networks.plain import channels
from aligned_jax.types import AnyArray, Array

_BRIGHT = 16.0  # no generator draws floats as large; 0 to 255 are


def preprocess(images: AnyArray, config: ClipConfig) -> Array:
    """Normalised pictures, differentiable where images are floats.

    As in Pillow, rows and columns are resized one after the other and clipped after each; those
    of 8-bit pictures are rounded as well, so that their numbers are Pillow's.

    Args:
      images: [N, H, W, C] of any size, uint8 or floats in [-1, 1]; one channel, three, or four
        with opacity, which are seen over white.
      config: whose image_size, mean and std count.

    Returns:
      float32 [N, S, S, 3].

    Raises:
      UserError: for another shape, or floats that seem to be 0 to 255.
    """
    colours = _colours(images)
    size = config.image_size
    height, width = colours.shape[1:3]
    short = min(height, width)
    steps = 255 if images.dtype == np.uint8 else 0
    x = _resized(colours, 2, size if width == short else size * width // short, steps)
    x = _resized(x, 1, size if height == short else size * height // short, steps)
    top, left = ((extent - size) // 2 for extent in x.shape[1:3])
    x = x[:, top : top + size, left : left + size]
    mean, std = (jnp.asarray(values, jnp.float32) for values in (config.mean, config.std))
    return (x - channels(mean, x)) / channels(std, x)


def _resized(x: Array, axis: int, size: int, steps: int) -> Array:
    """In [0, 1], an axis resized by Keys' cubic (a = -1/2), as Pillow's BICUBIC; 0 steps: any."""
    if x.shape[axis] == size:
        return x
    shape = tuple(size if k == axis else extent for k, extent in enumerate(x.shape))
    precision = jax.lax.Precision.HIGHEST
    x = jax.image.resize(x, shape, "cubic", antialias=True, precision=precision)
    x = jnp.clip(x, 0, 1)
    return jnp.round(x * steps) / steps if steps else x


def _colours(images: AnyArray) -> Array:
    """float32 [N, H, W, 3] in [0, 1]."""
    if images.ndim != 4 or images.shape[-1] not in (1, 3, 4) or 0 in images.shape:
        raise UserError(f"CLIP takes pictures [N, H, W, 1, 3 or 4], got shape {list(images.shape)}")
    if images.dtype == np.uint8:
        x = jnp.asarray(images, jnp.float32) / 255
    else:
        if isinstance(images, np.ndarray) and np.abs(images).max() > _BRIGHT:
            raise UserError(
                f"pictures hold numbers up to {np.abs(images).max():g}; give uint8, or floats "
                "in [-1, 1]"
            )
        x = jnp.clip((jnp.asarray(images, jnp.float32) + 1) / 2, 0, 1)
    if x.shape[-1] == 4:
        x = x[..., :3] * x[..., 3:] + 1 - x[..., 3:]
    return jnp.broadcast_to(x, (*x.shape[:3], 3))
