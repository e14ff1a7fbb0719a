"""Which pixels each tile of the result reads: windows, and how often to move them.

The grid of the result is cut into tiles of TILE x TILE points, and a window is SIDE x SIDE pixels
of the image whose first row and column are multiples of STRIDE. A tile begins with the window that
holds its first pixel. If its pixels reach farther, which happens where the image is shrunk more
than about threefold, it passes over the windows beside it, none of which overlap: every pixel is
met once, whatever the map. The points of a tile are a parallelogram in the image, so that
its four corners tell the range of positions along either axis.

Were a corner's position rounded otherwise here than in the kernel, a tap might be left out whose
place is within that rounding of the next sample: its weight is as small, since weights are
continuous.
"""

from typing import NamedTuple

import jax.numpy as jnp

from aligned_jax.augment.warp.taps import SPREAD, coordinate, grid_size, position, reflected
from aligned_jax.types import Array

TILE = 16  # points along a side of a tile
POINTS = TILE * TILE
GROUP = 8  # tiles side by side that one step of a kernel computes: 128 columns
SIDE = 32  # pixels along a side of a window: four channels of them are 128 numbers
STRIDE = 8
LANES = GROUP * TILE
CHANNELS = LANES // SIDE  # at most
FIELDS = 4  # numbers of a tile in a plan


class Tiling(NamedTuple):
    """Sizes that follow from the image's.

    Attributes:
      height, width: of the image, each at least SIDE and a multiple of STRIDE.
    """

    height: int
    width: int

    @property
    def rows(self) -> int:
        """Rows of tiles."""
        return -(-grid_size(self.height) // TILE)

    @property
    def groups(self) -> int:
        """Groups of tiles in a row; the last one may hold tiles beyond the grid."""
        return -(-grid_size(self.width) // (TILE * GROUP))

    @property
    def blocks(self) -> int:
        """Columns at which a window may begin."""
        return (self.width - SIDE) // STRIDE + 1

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns of the grid of points, filled up to whole groups of tiles."""
        return self.rows * TILE, self.groups * GROUP * TILE


def memory(height: int, width: int) -> int:
    """Bytes of a core's memory that the kernels need: two tables, and what a step works on."""
    return 2 * Tiling(height, width).blocks * height * LANES * 4 + 7 * 2**20


def plan(linear: Array, shift: Array, margins: Array, tiling: Tiling) -> Array:
    """The windows of every tile.

    Args:
      linear, shift: the inverse map, float32 [N, 2, 2] and [N, 2].
      margins: int32 [N, 2, 2], [[left, top], [right, bottom]] of each sample.
      tiling: sizes.

    Returns:
      int32 [N, rows, 4, tiles in a row]: the first window's column and row in strides, and how
      many windows to pass over, across and down; tiles that see nothing pass over none.
    """
    fields = []
    for axis, size in ((0, tiling.width), (1, tiling.height)):
        before, behind = (margins[:, side, axis, None, None] for side in (0, 1))
        low, high = _span(linear[:, axis], shift[:, axis], tiling, size)  # [N, rows, tiles]
        first, last = pixels_of(low, high, size, before, behind)
        begin = jnp.minimum(first // STRIDE, (size - SIDE) // STRIDE)
        passes = -((begin * STRIDE - last - 1) // SIDE)
        fields.append((begin, jnp.where(last < first, 0, passes)))
    (column, across), (row, down) = fields
    whole = jnp.arange(tiling.groups * GROUP) * TILE < grid_size(tiling.width)
    across = jnp.where(whole[None, None, :], across, 0)
    return jnp.stack([column, row, across, down], axis=2).astype(jnp.int32)


def pixels_of(
    low: Array, high: Array, size: int, before: Array, behind: Array
) -> tuple[Array, Array]:
    """First and last pixel of the image that samples at positions low ... high read; int32.

    The last one comes before the first where they read none.
    """
    start, end = -2 * before, 2 * (size + behind) - 1  # of the samples that are not zero
    ends = (start - 2).astype(low.dtype), (end + 2).astype(low.dtype)
    k, other_k = (jnp.clip(jnp.floor(u), *ends).astype(jnp.int32) for u in (low, high))
    first = jnp.maximum((k >> 1) - SPREAD, -before)
    last = jnp.minimum((other_k >> 1) + SPREAD, size - 1 + behind)
    one, other = reflected(first, size), reflected(last, size)
    # A range that holds an edge of the image turns there.
    lowest = jnp.where((first <= 0) & (last >= 0), 0, jnp.minimum(one, other))
    highest = jnp.where((first <= size - 1) & (last >= size - 1), size - 1, jnp.maximum(one, other))
    empty = (other_k + 1 < start) | (k > end)
    return jnp.where(empty, 0, lowest), jnp.where(empty, -1, highest)


def _span(linear: Array, shift: Array, tiling: Tiling, size: int) -> tuple[Array, Array]:
    """Lowest and highest position of every tile's points [N, rows, tiles in a row].

    `linear` is float32 [N, 2], `shift` [N] and `size` that of one axis of the image.
    """
    ends = [
        [coordinate(jnp.arange(count) * TILE + end, length) for end in (0, TILE - 1)]
        for count, length in ((tiling.groups * GROUP, tiling.width), (tiling.rows, tiling.height))
    ]
    a, b, s = (v[:, None, None] for v in (linear[:, 0], linear[:, 1], shift))
    corners = jnp.stack(
        [
            position(a, b, s, x[None, None, :], y[None, :, None], size)
            for x in ends[0]
            for y in ends[1]
        ]
    )
    return corners.min(0), corners.max(0)
