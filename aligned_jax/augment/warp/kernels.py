"""Kernels for TPUs that sample an image at the grid of a warp, and the transpose of that.

One step computes GROUP tiles side by side. Let a window be V[i, (c, j)], pixels of rows i and
columns j of channels c; A[i, p] and B[j, p] the weights of its rows and columns for the points p
of a tile (see `taps`). Then

    samples[c, p] = sum_j B[j, p] R[(c, j), p],   R = V^T A,

and, for numbers g[c, p] at the points, the transpose adds A (B g)^T to the window. Tiles that read
more than a window add up several (see `windows`).

Windows come from a table [N, blocks, H, 128] in which lane c * 32 + j of block b is pixel
8 b + j of channel c: no slice of it cuts lanes. The table of one sample stays in the memory of the
core while its tiles are computed. Points come as rows of 256; for the result they are laid out as
16 rows of 128 columns by a product with a matrix of zeros and ones.

Products are exact to float32: each factor is the sum of three bfloat16, and the six products of
parts that matter are laid along the summed axis, so that they take two passes of the matrix unit.
"""

import functools
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.experimental import pallas as pl
from jax.experimental.pallas import tpu as pltpu

from aligned_jax.augment.warp.taps import coordinate, position, spread, taps
from aligned_jax.augment.warp.windows import (
    FIELDS,
    GROUP,
    POINTS,
    SIDE,
    STRIDE,
    TILE,
    Tiling,
    plan,
)
from aligned_jax.types import Array

LANES = GROUP * TILE
MOST_CHANNELS = LANES // SIDE
_NUMBERS = 10  # of a sample's geometry
_FACTOR, _SECOND, _BOTH_SECOND = (((i,), (j,)) for i, j in ((0, 0), (1, 0), (1, 1)))
Body = Callable[[Array, Array, Array, Array], None]


def memory(height: int, width: int) -> int:
    """Bytes of a core's memory that the kernels need: two tables, and what a step works on."""
    return 2 * Tiling(height, width).blocks * height * LANES * 4 + 7 * 2**20


def sample(
    images: Array, linear: Array, shift: Array, margins: Array, interpret: bool = False
) -> Array:
    """Planar images at the points of the grid, as `gather.sample_by_gather` without its last axis.

    Args:
      images: float32 [N, C, H, W]; C <= 4, H and W multiples of 8 and at least 32.
      linear, shift: the inverse map, float32 [N, 2, 2] and [N, 2].
      margins: int32 [N, 2, 2].
      interpret: run the kernel step by step on any device, slowly.

    Returns:
      float32 [N, C, *Tiling(H, W).grid]; what lies beyond the grid is of no meaning.
    """
    count, channels, height, width = images.shape
    tiling = Tiling(height, width)
    table = table_of(images)
    return _call(
        functools.partial(_sample_kernel, tiling=tiling, channels=channels),
        (plan(linear, shift, margins, tiling), _geometry(linear, shift, margins), table),
        _whole(table.shape),
        (count, channels, *tiling.grid),
        _part(channels),
        tiling,
        channels,
        interpret,
    )


def transposed(
    numbers: Array,
    linear: Array,
    shift: Array,
    margins: Array,
    shape: tuple[int, int],
    interpret: bool = False,
) -> Array:
    """The transpose of `sample`: numbers [N, C, *grid] to images [N, C, *shape]."""
    count, channels = numbers.shape[:2]
    tiling = Tiling(*shape)
    table = (count, tiling.blocks, tiling.height, LANES)
    result = _call(
        functools.partial(_transposed_kernel, tiling=tiling, channels=channels),
        (plan(linear, shift, margins, tiling), _geometry(linear, shift, margins), numbers),
        _part(channels),
        table,
        _whole(table),
        tiling,
        channels,
        interpret,
    )
    images = jax.ShapeDtypeStruct((count, channels, *shape), jnp.float32)
    return jax.linear_transpose(table_of, images)(result)[0]


def table_of(images: Array) -> Array:
    """Planar images [N, C, H, W] as overlapping blocks of columns [N, blocks, H, 128]."""
    count, channels, height, width = images.shape
    starts = range(0, width - SIDE + 1, STRIDE)
    blocks = jnp.stack([images[..., s : s + SIDE] for s in starts], axis=1)  # [N, b, C, H, 32]
    blocks = blocks.swapaxes(2, 3).reshape(count, len(starts), height, channels * SIDE)
    return jnp.pad(blocks, ((0, 0), (0, 0), (0, 0), (0, LANES - channels * SIDE)))


def _geometry(linear: Array, shift: Array, margins: Array) -> Array:
    """What places a sample's points: linear, shift, margins before and behind; [N, 1, 10]."""
    count = linear.shape[0]
    parts = linear.reshape(count, 4), shift, margins.reshape(count, 4).astype(jnp.float32)
    return jnp.concatenate(parts, axis=1)[:, None]


def _whole(shape: Sequence[int]) -> pl.BlockSpec:
    """A sample's table, the same in all of its steps."""
    return pl.BlockSpec((1, *shape[1:]), lambda n, row, group: (n, 0, 0, 0))


def _part(channels: int) -> pl.BlockSpec:
    """The points of a step."""
    return pl.BlockSpec((1, channels, TILE, LANES), lambda n, row, group: (n, 0, row, group))


def _call(
    kernel: Callable[..., None],
    operands: tuple[Array, Array, Array],
    given: pl.BlockSpec,
    shape: tuple[int, ...],
    result: pl.BlockSpec,
    tiling: Tiling,
    channels: int,
    interpret: bool,
) -> Array:
    """A kernel at all groups of tiles; `operands` are plan, geometry and what it reads."""
    tiles = tiling.groups * GROUP
    of_row = pl.BlockSpec(
        (1, 1, FIELDS, tiles), lambda n, row, group: (n, row, 0, 0), memory_space=pltpu.SMEM
    )
    of_sample = pl.BlockSpec(
        (1, 1, _NUMBERS), lambda n, row, group: (n, 0, 0), memory_space=pltpu.SMEM
    )
    layout = pl.BlockSpec((GROUP * POINTS, LANES), lambda n, row, group: (0, 0))
    return pl.pallas_call(
        kernel,
        grid=(shape[0], tiling.rows, tiling.groups),
        in_specs=[of_row, of_sample, given, layout],
        out_specs=result,
        out_shape=jax.ShapeDtypeStruct(shape, jnp.float32),
        scratch_shapes=[pltpu.VMEM((channels, GROUP, POINTS), jnp.float32)],
        compiler_params=pltpu.CompilerParams(
            dimension_semantics=("parallel", "arbitrary", "arbitrary"),
            vmem_limit_bytes=memory(tiling.height, tiling.width),
        ),
        interpret=interpret,
    )(*operands, _layout())


def _sample_kernel(
    plan_ref: Any,
    geometry_ref: Any,
    table_ref: Any,
    layout_ref: Any,
    result_ref: Any,
    points_ref: Any,
    *,
    tiling: Tiling,
    channels: int,
) -> None:
    columns, rows = _taps_of_step(geometry_ref, tiling)
    points_ref[...] = jnp.zeros(points_ref.shape, jnp.float32)
    for tile in range(GROUP):

        def window(block: Array, row: Array, left: Array, top: Array, tile: int = tile) -> None:
            v = table_ref[0, block, pl.ds(pl.multiple_of(row * STRIDE, STRIDE), SIDE), :]
            a = _weights(rows, tile, row, top)  # [32, 256]
            b = _weights(columns, tile, block, left)
            (v1, v2, v3), (a1, a2, a3) = _parts(v), _parts(a)
            r = _product(jnp.concatenate([v1, v2, v3]), jnp.concatenate([a1, a1, a1]), _FACTOR)
            r += _product(jnp.concatenate([v1, v2, v1]), jnp.concatenate([a2, a2, a3]), _FACTOR)
            for c in range(channels):  # r is [128, 256]
                found = (r[c * SIDE : (c + 1) * SIDE] * b).sum(0, keepdims=True)
                points_ref[c, tile : tile + 1, :] += found

        _over_windows(plan_ref, tile, tiling, window)
    own = _own_row()
    lines = [
        jnp.concatenate([own * points_ref[c, t : t + 1, :] for t in range(GROUP)], axis=1)
        for c in range(channels)
    ]
    parts = jnp.concatenate(_parts(jnp.concatenate(lines)))  # [3 * C * 16, 2048]
    y = _recombined(_product(parts, layout_ref[...], _SECOND), channels * TILE)
    for c in range(channels):
        result_ref[0, c] = y[c * TILE : (c + 1) * TILE]


def _transposed_kernel(
    plan_ref: Any,
    geometry_ref: Any,
    numbers_ref: Any,
    layout_ref: Any,
    result_ref: Any,
    points_ref: Any,
    *,
    tiling: Tiling,
    channels: int,
) -> None:
    @pl.when((pl.program_id(1) == 0) & (pl.program_id(2) == 0))
    def begin() -> None:
        result_ref[...] = jnp.zeros(result_ref.shape, jnp.float32)

    columns, rows = _taps_of_step(geometry_ref, tiling)
    parts = _parts(jnp.concatenate([numbers_ref[0, c] for c in range(channels)]))
    numbers, own = jnp.concatenate(parts), jnp.concatenate([_own_row()] * channels)
    for tile in range(GROUP):
        own_lanes = layout_ref[tile * POINTS : (tile + 1) * POINTS, :]
        y = _recombined(_product(numbers, own_lanes, _BOTH_SECOND), channels * TILE) * own
        for c in range(channels):
            line = y[c * TILE : (c + 1) * TILE].sum(0, keepdims=True)
            points_ref[c, tile : tile + 1, :] = line
    rest = [jnp.zeros((LANES - channels * SIDE, POINTS), jnp.float32)] * (channels < MOST_CHANNELS)
    for tile in range(GROUP):

        def window(block: Array, row: Array, left: Array, top: Array, tile: int = tile) -> None:
            a = _weights(rows, tile, row, top)  # [32, 256]
            b = _weights(columns, tile, block, left)
            bg = [b * points_ref[c, tile : tile + 1, :] for c in range(channels)]
            (a1, a2, a3), (b1, b2, b3) = _parts(a), _parts(jnp.concatenate(bg + rest))
            d1 = _product(jnp.concatenate([a1, a2, a3]), b1, _BOTH_SECOND)
            d2 = _product(jnp.concatenate([a1, a2]), b2, _BOTH_SECOND)
            d3 = _product(a1, b3, _BOTH_SECOND)
            small = d1[2 * SIDE :] + d2[SIDE:] + d3
            d = (small + (d1[SIDE : 2 * SIDE] + d2[:SIDE])) + d1[:SIDE]  # [32, 128]
            result_ref[0, block, pl.ds(pl.multiple_of(row * STRIDE, STRIDE), SIDE), :] += d

        _over_windows(plan_ref, tile, tiling, window)


def _taps_of_step(geometry_ref: Any, tiling: Tiling) -> list[tuple[list[Array], list[Array]]]:
    """Taps of the step's points along x and y: seven pixels and weights [8, 256] of each."""
    first_row, first_tile = pl.program_id(1) * TILE, pl.program_id(2) * GROUP
    tile = first_tile + lax.broadcasted_iota(jnp.int32, (GROUP, POINTS), 0)
    point = lax.broadcasted_iota(jnp.int32, (GROUP, POINTS), 1)
    x = coordinate(tile * TILE + (point & (TILE - 1)), tiling.width)
    y = coordinate(first_row + lax.shift_right_logical(point, 4), tiling.height)
    result = []
    for axis, size in ((0, tiling.width), (1, tiling.height)):
        a, b, s, before, behind = (
            geometry_ref[0, 0, i] for i in (2 * axis, 2 * axis + 1, 4 + axis, 6 + axis, 8 + axis)
        )
        u = position(a, b, s, x, y, size)
        result.append(taps(u, size, before.astype(jnp.int32), behind.astype(jnp.int32)))
    return result


def _over_windows(plan_ref: Any, tile: int, tiling: Tiling, body: Body) -> None:
    """`body(block, row, left, top)` for the windows of a tile.

    `block` and `row` begin the window, in strides; pixels left of `left` and above `top` are
    those of other windows, since the last ones are moved back into the image.
    """
    index = pl.program_id(2) * GROUP + tile
    column, row, across, down = (plan_ref[0, 0, field, index] for field in range(FIELDS))
    step, last_row = SIDE // STRIDE, (tiling.height - SIDE) // STRIDE

    def one(number: Array, _: None) -> None:
        # Not `//` and `%`, which do not compile ahead of time.
        i, j = lax.div(number, across), lax.rem(number, across)
        block = jnp.minimum(column + j * step, tiling.blocks - 1)
        line = jnp.minimum(row + i * step, last_row)
        body(block, line, column * STRIDE + j * SIDE, row * STRIDE + i * SIDE)

    lax.fori_loop(0, across * down, one, None)


def _weights(of: tuple[list[Array], list[Array]], tile: int, begin: Array, first: Array) -> Array:
    """Weights of the 32 pixels from stride `begin` on for a tile's points; 0 before `first`."""
    pixels, weights = ([v[tile : tile + 1] for v in part] for part in of)
    at = lax.broadcasted_iota(jnp.int32, (SIDE, POINTS), 0) + begin * STRIDE
    return spread(pixels, weights, jnp.where(at >= first, at, -1))


def _own_row() -> Array:
    """[16, 256]: 1 where a point is in a row of its tile."""
    row = lax.broadcasted_iota(jnp.int32, (TILE, POINTS), 0)
    point = lax.broadcasted_iota(jnp.int32, (TILE, POINTS), 1)
    return (lax.shift_right_logical(point, 4) == row).astype(jnp.float32)


def _layout() -> Array:
    """Zeros and ones [2048, 128]: the column of each point of a group of tiles."""
    point = np.arange(GROUP * POINTS)
    column = (point // POINTS) * TILE + point % TILE
    return jnp.asarray(column[:, None] == np.arange(LANES), jnp.bfloat16)


def _parts(x: Array) -> tuple[Array, Array, Array]:
    """Three bfloat16 arrays, large to small, whose sum is the float32 `x`."""
    one = x.astype(jnp.bfloat16)
    rest = x - one.astype(jnp.float32)
    two = rest.astype(jnp.bfloat16)
    return one, two, (rest - two.astype(jnp.float32)).astype(jnp.bfloat16)


def _recombined(x: Array, rows: int) -> Array:
    """The sum of three parts that lie one below the other, small ones first."""
    return (x[2 * rows :] + x[rows : 2 * rows]) + x[:rows]


def _product(x: Array, y: Array, axes: Any) -> Array:
    return lax.dot_general(x, y, (axes, ((), ())), preferred_element_type=jnp.float32)
