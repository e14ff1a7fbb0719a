"""Convolution with anti-aliased up- or downsampling."""

from collections.abc import Sequence

import numpy as np

from aligned_jax.ops.strided_conv import conv_down, conv_up, convolve
from aligned_jax.ops.upfirdn2d import padding_with_room, upfirdn2d
from aligned_jax.types import Array


def conv2d_resample(
    x: Array,
    weight: Array,
    f: np.ndarray | None = None,
    up: int = 1,
    down: int = 1,
    padding: int | Sequence[int] = 0,
    groups: int = 1,
    flip_weight: bool = True,
    flip_filter: bool = False,
) -> Array:
    """Upsample with `f`, convolve with `weight`, downsample with `f`.

    The steps are reordered where that saves work; results agree to rounding.

    Args:
      x: [N, H, W, I].
      weight: [kh, kw, I / groups, O], dtype of `x`.
      f: filter from `setup_filter`, used only where up or down exceed 1.
      up, down: integer factors.
      padding: with respect to the upsampled image: one number, (x, y), or
        (left, right, top, bottom).
      groups: number of channel groups that do not mix.
      flip_weight: True correlates; False turns the kernel by 180 degrees
        (true convolution), as layers with upsampling do.
      flip_filter: correlate with `f` instead of convolving.

    Returns:
      [N, H * up / down, W * up / down, O] when `padding` is half the kernel.
    """
    kh, kw = weight.shape[:2]
    sides = padding_with_room(
        padding, f, up=up if up > 1 else None, down=down if down > 1 else None
    )
    kernel = weight if flip_weight else weight[::-1, ::-1]
    if up == 1 and down == 1:
        px0, px1, py0, py1 = sides
        return convolve(x, kernel, ((py0, py1), (px0, px1)), groups)
    if up == 1 and kh == 1 and kw == 1:
        x = upfirdn2d(x, f, down=down, padding=sides, flip_filter=flip_filter)
        return convolve(x, kernel, groups=groups)
    if up == 1:
        x = upfirdn2d(x, f, padding=sides, flip_filter=flip_filter)
        return conv_down(x, kernel, down, groups)
    if kh == 1 and kw == 1:
        x = convolve(x, kernel, groups=groups)
        x = upfirdn2d(x, f, up, padding=sides, gain=up**2, flip_filter=flip_filter)
    else:
        # The transposed convolution skips the inserted zeros. It covers kh - 1 samples
        # before and kh - up behind the image, which the filter's padding then leaves out.
        x = conv_up(x, kernel, up, groups)
        px0, px1, py0, py1 = sides
        sides = (px0 - kw + 1, px1 - kw + up, py0 - kh + 1, py1 - kh + up)
        x = upfirdn2d(x, f, padding=sides, gain=up**2, flip_filter=flip_filter)
    if down > 1:
        x = upfirdn2d(x, f, down=down, flip_filter=flip_filter)
    return x
