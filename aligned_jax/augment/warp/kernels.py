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

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
from jax import lax
from jax.experimental import pallas as pl

from aligned_jax.augment.warp.taps import coordinate, position, spread, taps
from aligned_jax.augment.warp.windows import (
    CHANNELS,
    FIELDS,
    GROUP,
    LANES,
    POINTS,
    SIDE,
    STRIDE,
    TILE,
    Tiling,
)
from aligned_jax.types import Array

_BOTH_FIRST, _PLAIN, _BOTH_SECOND = (((i,), (j,)) for i, j in ((0, 0), (1, 0), (1, 1)))
Body = Callable[[Array, Array, Array, Array], None]


def sample_kernel(
    plan_ref: Any,
    geometry_ref: Any,
    table_ref: Any,
    layout_ref: Any,
    result_ref: Any,
    points_ref: Any,
    *,
    tiling: Tiling,
    channels: int,
    interpret: bool,
) -> None:
    """The points of a step from the table of their sample; see `calls.sample`."""
    positions = _positions(geometry_ref, tiling)
    points_ref[...] = jnp.zeros(points_ref.shape, jnp.float32)

    first = pl.program_id(2) * GROUP

    @pl.when(_anything(plan_ref, first))
    def tiles() -> None:
        columns, rows = (taps(*of_axis) for of_axis in positions)

        def one(tile: Any) -> None:
            def window(block: Array, row: Array, left: Array, top: Array) -> None:
                v = table_ref[0, block, pl.ds(pl.multiple_of(row * STRIDE, STRIDE), SIDE), :]
                a = _weights(rows, tile, row, top)  # [32, 256]
                b = _weights(columns, tile, block, left)
                (v1, v2, v3), (a1, a2, a3) = _parts(v), _parts(a)
                r = _product(
                    jnp.concatenate([v1, v2, v3]), jnp.concatenate([a1, a1, a1]), _BOTH_FIRST
                )
                r += _product(
                    jnp.concatenate([v1, v2, v1]), jnp.concatenate([a2, a2, a3]), _BOTH_FIRST
                )
                for c in range(channels):  # r is [128, 256]
                    found = (r[c * SIDE : (c + 1) * SIDE] * b).sum(0, keepdims=True)
                    points_ref[c, pl.ds(tile, 1), :] += found

            _over_windows(plan_ref, first + tile, tiling, window)

        _each_tile(one, interpret)

    own = _own_row()
    lines = [
        jnp.concatenate([own * points_ref[c, t : t + 1, :] for t in range(GROUP)], axis=1)
        for c in range(channels)
    ]
    parts = jnp.concatenate(_parts(jnp.concatenate(lines)))  # [3 * C * 16, 2048]
    y = _recombined(_product(parts, layout_ref[...], _PLAIN), channels * TILE)
    for c in range(channels):
        result_ref[0, c] = y[c * TILE : (c + 1) * TILE]


def transposed_kernel(
    plan_ref: Any,
    geometry_ref: Any,
    numbers_ref: Any,
    layout_ref: Any,
    result_ref: Any,
    points_ref: Any,
    *,
    tiling: Tiling,
    channels: int,
    interpret: bool,
) -> None:
    """Adds what the numbers at a step's points pull back to the table; see `calls.transposed`."""

    @pl.when((pl.program_id(1) == 0) & (pl.program_id(2) == 0))
    def begin() -> None:
        result_ref[...] = jnp.zeros(result_ref.shape, jnp.float32)

    positions = _positions(geometry_ref, tiling)
    parts = _parts(jnp.concatenate([numbers_ref[0, c] for c in range(channels)]))
    numbers, own = jnp.concatenate(parts), jnp.concatenate([_own_row()] * channels)

    def laid_out(tile: Any) -> None:
        own_lanes = layout_ref[pl.ds(tile * POINTS, POINTS), :]
        y = _recombined(_product(numbers, own_lanes, _BOTH_SECOND), channels * TILE) * own
        for c in range(channels):
            line = y[c * TILE : (c + 1) * TILE].sum(0, keepdims=True)
            points_ref[c, pl.ds(tile, 1), :] = line

    _each_tile(laid_out, interpret)
    rest = [jnp.zeros((LANES - channels * SIDE, POINTS), jnp.float32)] * (channels < CHANNELS)

    first = pl.program_id(2) * GROUP

    @pl.when(_anything(plan_ref, first))
    def tiles() -> None:
        columns, rows = (taps(*of_axis) for of_axis in positions)

        def one(tile: Any) -> None:
            def window(block: Array, row: Array, left: Array, top: Array) -> None:
                a = _weights(rows, tile, row, top)  # [32, 256]
                b = _weights(columns, tile, block, left)
                bg = [b * points_ref[c, pl.ds(tile, 1), :] for c in range(channels)]
                (a1, a2, a3), (b1, b2, b3) = _parts(a), _parts(jnp.concatenate(bg + rest))
                d1 = _product(jnp.concatenate([a1, a2, a3]), b1, _BOTH_SECOND)
                d2 = _product(jnp.concatenate([a1, a2]), b2, _BOTH_SECOND)
                d3 = _product(a1, b3, _BOTH_SECOND)
                small = d1[2 * SIDE :] + d2[SIDE:] + d3
                d = (small + (d1[SIDE : 2 * SIDE] + d2[:SIDE])) + d1[:SIDE]  # [32, 128]
                result_ref[0, block, pl.ds(pl.multiple_of(row * STRIDE, STRIDE), SIDE), :] += d

            _over_windows(plan_ref, first + tile, tiling, window)

        _each_tile(one, interpret)


def _each_tile(body: Callable[[Any], None], interpret: bool) -> None:
    """`body` of every tile of a step; interpreted, in a loop, which compiles faster."""
    if interpret:
        lax.fori_loop(0, GROUP, lambda tile, _: body(tile), None)
        return
    for tile in range(GROUP):
        body(tile)


def _row(x: Array, tile: Any) -> Array:
    """Row `tile` of [8, 256], as [1, 256]."""
    if isinstance(tile, int):
        return x[tile : tile + 1]
    return lax.dynamic_slice_in_dim(x, tile, 1)


def _anything(plan_ref: Any, first: Array) -> Array:
    """Whether any of the step's tiles, from `first` on, sees anything."""
    passes = [plan_ref[0, 0, 2, first + t] * plan_ref[0, 0, 3, first + t] for t in range(GROUP)]
    return sum(passes[1:], passes[0]) > 0


def _positions(geometry_ref: Any, tiling: Tiling) -> list[tuple[Array, int, Array, Array]]:
    """What `taps` takes, for x and for y: positions [8, 256] of the step's points, size, margins.

    Taps are worked out in a branch of their own, whose compiler cannot come by another rounding of
    the same position for each of their uses: pixels and weights of one point would not fit.
    """
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
        result.append((u, size, before.astype(jnp.int32), behind.astype(jnp.int32)))
    return result


def _over_windows(plan_ref: Any, index: Array, tiling: Tiling, body: Body) -> None:
    """`body(block, row, left, top)` for the windows of tile `index` of a row.

    `block` and `row` begin the window, in strides; pixels left of `left` and above `top` are
    those of other windows, since the last ones are moved back into the image.
    """
    column, row, across, down = (plan_ref[0, 0, field, index] for field in range(FIELDS))
    step, last_row = SIDE // STRIDE, (tiling.height - SIDE) // STRIDE

    def one(number: Array, _: None) -> None:
        # Not `//` and `%`, which do not compile ahead of time.
        i, j = lax.div(number, across), lax.rem(number, across)
        block = jnp.minimum(column + j * step, tiling.blocks - 1)
        line = jnp.minimum(row + i * step, last_row)
        body(block, line, column * STRIDE + j * SIDE, row * STRIDE + i * SIDE)

    lax.fori_loop(0, across * down, one, None)


def _weights(of: tuple[list[Array], list[Array]], tile: Any, begin: Array, first: Array) -> Array:
    """Weights of the 32 pixels from stride `begin` on for a tile's points; 0 before `first`."""
    pixels, weights = ([_row(v, tile) for v in part] for part in of)
    at = lax.broadcasted_iota(jnp.int32, (SIDE, POINTS), 0) + begin * STRIDE
    return spread(pixels, weights, jnp.where(at >= first, at, -1))


def _own_row() -> Array:
    """[16, 256]: 1 where a point is in a row of its tile."""
    row = lax.broadcasted_iota(jnp.int32, (TILE, POINTS), 0)
    point = lax.broadcasted_iota(jnp.int32, (TILE, POINTS), 1)
    return (lax.shift_right_logical(point, 4) == row).astype(jnp.float32)


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
