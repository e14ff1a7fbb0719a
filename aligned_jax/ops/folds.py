"""Maps with few channels, held so that they fill the lanes of a TPU.

A TPU keeps the last axis of an array in groups of 128 lanes: a map of 32 channels occupies four
times its size, and so does everything that reads or writes it. A row fold moves neighbouring rows
of a map into its channels, where 4 rows of 32 channels fill a group. A convolution of the map is a
convolution of the folded one, with a larger kernel that holds the same numbers and zeros. It costs
little, since the products of few channels leave most of the matrix unit idle, and less if the
blocks of the result lie half a block off those of its source: then three taps along the
height meet two blocks instead of three.

Upsampling is part of the kernel: a transposed convolution by two and the filter that follows it
are one convolution at the low resolution, whose outputs are the four phases of the high one. XLA
multiplies the zeros that a transposed convolution inserts, so this costs no more products than the
first step alone, and spares maps of odd sizes. It holds for maps of any width, folded or not.
"""

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import lax

from aligned_jax.ops.upfirdn2d import separated
from aligned_jax.types import Array


class RowFold(NamedTuple):
    """How a map lies in blocks of rows: block b holds `rows` rows from rows * b - offset on.

    Folded so, a map [N, H, W, C] is [N, B, W, rows * C], row by row within the channels. Rows
    outside of the map may hold anything; whoever reads them takes them for zeros.
    """

    rows: int = 1
    offset: int = 0

    def blocks(self, height: int) -> int:
        """The number B of blocks that hold `height` rows."""
        return -(-(height + self.offset) // self.rows)


FLAT = RowFold()  # a map as it is


def fold_rows(x: Array, fold: RowFold) -> Array:
    """[N, H, W, C] to [N, B, W, rows * C], zeros outside of the map."""
    n, height, width, channels = x.shape
    rows, blocks = fold.rows, fold.blocks(height)
    after = blocks * rows - height - fold.offset
    x = jnp.pad(x, ((0, 0), (fold.offset, after), (0, 0), (0, 0)))
    x = x.reshape(n, blocks, rows, width, channels).transpose(0, 1, 3, 2, 4)
    return x.reshape(n, blocks, width, rows * channels)


def unfold_rows(x: Array, fold: RowFold, height: int) -> Array:
    """[N, B, W, rows * C] to [N, H, W, C]: the inverse of `fold_rows`."""
    n, blocks, width, lanes = x.shape
    x = x.reshape(n, blocks, width, fold.rows, lanes // fold.rows).transpose(0, 1, 3, 2, 4)
    x = x.reshape(n, blocks * fold.rows, width, lanes // fold.rows)
    return x[:, fold.offset : fold.offset + height]


def rows_inside(fold: RowFold, height: int, channels: int) -> np.ndarray | None:
    """bool [1, B, 1, rows * channels]: which numbers are the map's; None if all of them are."""
    row = np.arange(fold.blocks(height) * fold.rows) - fold.offset
    if fold.offset == 0 and len(row) == height:
        return None
    mask = ((row >= 0) & (row < height)).reshape(1, -1, 1, fold.rows)
    return np.repeat(mask, channels, axis=3)


def per_row(values: Array, rows: int) -> Array:
    """[..., C] to [..., rows * C]: the same numbers for each row of a block, or for each phase."""
    return values if rows == 1 else jnp.tile(values, (1,) * (values.ndim - 1) + (rows,))


def convolve_folded(
    x: Array,
    weight: Array,
    source: RowFold,
    target: RowFold,
    up: int = 1,
    down: int = 1,
    f: np.ndarray | None = None,
) -> Array:
    """`conv2d_resample` of a square folded map, padded by half a kernel; in phases if it grows.

    With `up` above 1 the kernel is turned, as by `flip_weight=False` there, and the result holds
    `up * source.rows` rows in a block, or groups of `target.rows` of them, for each of `up`
    columns: `spread` moves them to where they belong. Kernel and filter are composed in float32.

    Args:
      x: [N, B, W, source.rows * I], any floating dtype; outside of the map it must be zero.
      weight: [k, k, I, O] float32, k odd.
      source, target: folds of `x` and of the result. `target.rows` divides `up * source.rows`,
        and `source.rows` divides `down * target.rows`.
      up, down: integer factors, one of them 1; `down` divides W.
      f: the filter, an outer product or one-dimensional; it counts only if a factor exceeds 1.

    Returns:
      [N, B', W / down, T * up * target.rows * O], dtype of `x`, channels in the order (group of
      rows, column, row, O), T = up * source.rows / target.rows, or 1 if `down` exceeds 1.
    """
    size, width = weight.shape[0], x.shape[2]
    factors = separated(f) if f is not None and max(up, down) > 1 else None
    tall, wide = (np.ones(1), np.ones(1)) if factors is None else factors
    groups = up * source.rows // target.rows if down == 1 else 1
    whole = RowFold(groups * target.rows, target.offset)
    rows = _table(size, tall, up, down, source, whole)
    columns = _table(size, wide, up, down, RowFold(down), RowFold(up))
    kernel = jnp.einsum(
        "aqtpk,brcl,klio->abrqitcpo",
        rows.counts.reshape(*rows.counts.shape[:2], groups, target.rows, size),
        columns.counts,
        weight if up == 1 else weight[::-1, ::-1],
        precision=lax.Precision.HIGHEST,
    )
    x = _gather(x, down)
    kernel = kernel.reshape(*kernel.shape[:2], x.shape[3], -1).astype(x.dtype)
    stride = down * whole.rows // (up * source.rows)
    below = stride * (whole.blocks(width * up // down) - 1) + len(kernel) - x.shape[1]
    right = kernel.shape[1] - 1 - columns.before
    return lax.conv_general_dilated(
        x,
        kernel,
        window_strides=(stride, 1),
        padding=((rows.before, below - rows.before), (columns.before, right)),
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
    )


def spread(x: Array, tall: int, wide: int) -> Array:
    """[N, B, W, tall * wide * C] to [N, tall * B, wide * W, C].

    The inverse of a space-to-depth transform: channels count (row, column, C).
    """
    if tall == wide == 1:
        return x
    n, height, width, lanes = x.shape
    x = x.reshape(n, height, width, tall, wide, lanes // (tall * wide)).transpose(0, 1, 3, 2, 4, 5)
    return x.reshape(n, tall * height, wide * width, -1)


def _gather(x: Array, wide: int) -> Array:
    """[N, B, wide * W, C] to [N, B, W, wide * C]: the inverse of `spread` along the width."""
    n, height, width, lanes = x.shape
    return x if wide == 1 else x.reshape(n, height, width // wide, wide * lanes)


def fold_field(field: Array, fold: RowFold, tall: int, wide: int, channels: int) -> Array:
    """A field [N, H, W, 1] for all channels of a result of `convolve_folded`.

    Args:
      field: of the result's size, in its dtype.
      fold, tall, wide: of the result: `target`, and what `spread` is given.
      channels: O, for each of which the field is repeated.

    Returns:
      [N, B, W / wide, tall * wide * fold.rows * channels].
    """
    n, _, width, _ = field.shape
    x = fold_rows(field, RowFold(tall * fold.rows, fold.offset))
    x = x.reshape(n, -1, width // wide, wide, tall, fold.rows).transpose(0, 1, 2, 4, 3, 5)
    x = x.reshape(n, -1, width // wide, tall * wide * fold.rows)
    # A product with zeros and ones is exact and, unlike a repetition, shuffles no lanes.
    every = np.kron(np.eye(x.shape[3]), np.ones((1, channels)))
    return jnp.matmul(x, jnp.asarray(every, x.dtype), precision=lax.Precision.HIGHEST)


class _Table(NamedTuple):
    """What the taps of a kernel count along one axis, resampling included.

    `counts` is float32 [D, source.rows, target.rows, size]: for the number in row q of block d of
    the D blocks that a block of the result reads, its row p, and tap k. `before` of the D blocks
    lie before the one that begins where the result's does.
    """

    counts: np.ndarray
    before: int


def _table(
    size: int, taps: np.ndarray, up: int, down: int, source: RowFold, target: RowFold
) -> _Table:
    # Sample i of the result is the sum over m and k of x[m] w[k] f[up * m - down * i - k + first],
    # where f are the turned taps times `up`.
    room = (len(taps) + up - 1) // 2 if up > 1 else (len(taps) - down + 1) // 2
    first = size // 2 + (room if max(up, down) > 1 else 0)
    reach = len(taps) + size + down * target.rows
    d, q, p, k = np.ogrid[-reach : reach + 1, : source.rows, : target.rows, :size]
    m, i = source.rows * d - source.offset + q, p - target.offset
    t = up * m - down * i - k + first
    turned = taps[::-1] * up
    counts = np.where((t >= 0) & (t < len(taps)), turned[np.clip(t, 0, len(taps) - 1)], 0.0)
    used = np.flatnonzero(np.abs(counts).sum(axis=(1, 2, 3)))
    low, high = min(used[0], reach), max(used[-1], reach)
    return _Table(counts[low : high + 1].astype(np.float32), int(reach - low))
