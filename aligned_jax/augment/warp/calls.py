"""The kernels at work on whole batches: what they are given, and in which pieces."""

import functools
from collections.abc import Callable, Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jax.experimental import pallas as pl
from jax.experimental.pallas import tpu as pltpu

from aligned_jax.augment.warp import kernels
from aligned_jax.augment.warp.windows import (
    FIELDS,
    GROUP,
    LANES,
    POINTS,
    SIDE,
    STRIDE,
    TILE,
    Tiling,
    memory,
    plan,
)
from aligned_jax.types import Array

_NUMBERS = 10  # of a sample's geometry


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
        functools.partial(
            kernels.sample_kernel, tiling=tiling, channels=channels, interpret=interpret
        ),
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
        functools.partial(
            kernels.transposed_kernel, tiling=tiling, channels=channels, interpret=interpret
        ),
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


def _layout() -> Array:
    """Zeros and ones [2048, 128]: the column of each point of a group of tiles."""
    point = np.arange(GROUP * POINTS)
    column = (point // POINTS) * TILE + point % TILE
    return jnp.asarray(column[:, None] == np.arange(LANES), jnp.bfloat16)
