"""The warp, in the form that suits the device: by windows on TPUs, by gathering elsewhere.

Windows of pixels are dense products, which CPUs would take a dozen times as long for as for the
gather. The kernels are written for the memories and units of TPUs and are lowered for nothing
else; GPUs gather well. On a TPU, for 16 images of 256 pixels and their gradient, the compiler
counts 3.5 TB by gathering, 4.3 s of a v5e's bandwidth. By windows it counts 1 GB and estimates
1.7 ms beside the kernels, of which it makes no estimate.
"""

from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from aligned_jax.augment.geometry import Affine
from aligned_jax.augment.warp.gather import warp_by_gather
from aligned_jax.augment.warp.taps import FILTER
from aligned_jax.augment.warp.windows import CHANNELS, SIDE, STRIDE, memory
from aligned_jax.types import Array
from aligned_jax.utils.text import counted

# Of a core whose kind nobody knows, as where programs are compiled for devices that are not there.
_MEMORY = 64 * 2**20
# Seconds a pixel for gathering and its gradient: bytes that the compiler counts, over bandwidth.
_SLOWLY = 4.3 / (16 * 256**2)


def warp(images: Array, inverse: Affine, margins: Array) -> Array:
    """Images resampled at the places that `inverse` names.

    The image is continued by reflection, doubled with the sym6 filter, sampled bilinearly and
    halved with the turned filter (Karras et al. 2020, "Training generative adversarial networks
    with limited data", appendix B.2). Both forms are that in float32; positions may be rounded
    differently, which moves results by some 1e-5.

    Args:
      images: float32 [N, H, W, C].
      inverse: where each place of the result comes from, in pixels from the centre.
      margins: int32 [2, 2], [[left, top], [right, bottom]], 0 to the size minus one: how far
        images are seen continued; zero beyond.

    Returns:
      float32 [N, H, W, C].
    """
    fit = jax.default_backend() == "tpu" and not _obstacles(images.shape[1:])
    return (warp_by_windows if fit else warp_by_gather)(images, inverse, margins)


def warp_by_windows(
    images: Array, inverse: Affine, margins: Array, interpret: bool = False
) -> Array:
    """What `warp` promises by products of tiles with windows; C <= 4, H, W >= 32, multiples of 8.

    On other devices than TPUs the gather is lowered in place of the kernels. With `interpret`
    kernels run anywhere, for tests.
    """
    from aligned_jax.augment.warp import linear  # kernels take a while to import

    count, height, width, _ = images.shape
    each = jnp.broadcast_to(margins[None], (count, 2, 2))
    planar = images.transpose(0, 3, 1, 2)
    points = linear.sample(planar, inverse.linear, inverse.shift, each, interpret)
    down, across = (
        _halving(n, points) for n, points in zip((height, width), points.shape[2:], strict=True)
    )
    exact = lax.Precision.HIGHEST
    points = jnp.einsum("ncvu,xu->ncvx", points, across, precision=exact)
    return jnp.einsum("ncvx,yv->nyxc", points, down, precision=exact)


def notice(image_shape: Sequence[int], rows: int) -> list[str]:
    """For people who train on a TPU: a sentence if images (H, W, C) must be gathered; else nothing.

    Args:
      image_shape: (H, W, C).
      rows: images that a device augments at a time.
    """
    if jax.default_backend() != "tpu" or not (why := _obstacles(image_shape)):
        return []
    height, width, _ = image_shape
    seconds = _SLOWLY * rows * height * width
    return [
        f"augmentation gathers the pixels that it moves one by one, since {' and '.join(why)}: "
        f"on a TPU, by what its compiler counts, some {seconds:.2g} s for {counted(rows, 'image')} "
        "and the gradient, far longer than by the kernels for images that suit them; augment "
        "without geometric transforms (color, cutout), or train at a lower resolution"
    ]


def _obstacles(image_shape: Sequence[int]) -> list[str]:
    """Why the kernels do not take images (H, W, C); nothing if they do."""
    height, width, channels = image_shape
    wrong = []
    if channels > CHANNELS:
        wrong.append(f"the kernel takes up to {CHANNELS} channels, the images have {channels}")
    if min(height, width) < SIDE or height % STRIDE or width % STRIDE:
        wrong.append(
            f"the kernel takes sizes from {SIDE} px in steps of {STRIDE}, the images are "
            f"{height}x{width}"
        )
    elif (needed := memory(height, width)) > (given := _memory()):
        wrong.append(
            f"the kernel needs {needed / 2**20:.0f} MiB of a core's own memory for images of "
            f"{height}x{width}, of which there are {given / 2**20:.0f}"
        )
    return wrong


def _memory() -> int:
    """Bytes of vector memory of a core of the device at hand."""
    from jax.experimental.pallas import tpu

    try:
        return tpu.get_tpu_info().vmem_capacity_bytes
    except ValueError:  # no TPU, or a kind that came after this
        return _MEMORY


def _halving(size: int, points: int) -> np.ndarray:
    """The last filter as a matrix [size, points]; what lies beyond the grid has no part in it."""
    matrix = np.zeros((size, points), np.float32)
    for pixel, row in enumerate(matrix):
        row[2 * pixel : 2 * pixel + len(FILTER)] = FILTER
    return matrix
