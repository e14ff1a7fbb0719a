"""The sampling of planar images as a linear operation that JAX can differentiate, map and place.

Sampling S is linear in the images, so that its derivative along them is S of their tangent, what
pulls back is S^T, and the transpose of that is S again: both kernels are all that derivatives of
any order need, gradients of gradients (R1) included. A primitive with these rules may be
differentiated forwards and backwards, under `jax.vmap` too, where the mapped axis is just more
samples; what it is made of is decided when a program is lowered for a device: kernels on TPUs, the
gather elsewhere.
"""

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jax.extend.core import Primitive
from jax.interpreters import ad, batching, mlir

from aligned_jax.augment.geometry import Affine
from aligned_jax.augment.warp import calls
from aligned_jax.augment.warp.gather import sample_by_gather
from aligned_jax.augment.warp.taps import grid_size
from aligned_jax.augment.warp.windows import Tiling
from aligned_jax.types import Array


def sample(
    images: Array, linear: Array, shift: Array, margins: Array, interpret: bool = False
) -> Array:
    """As `calls.sample`, differentiable any number of times in `images`, `linear` and `shift`.

    With `interpret` the kernels run on any device.
    """
    shape = images.shape[2:]
    return _sample.bind(
        images, linear, shift, margins, shape=shape, back=False, interpret=interpret
    )


def _computed(
    x: Array,
    linear: Array,
    shift: Array,
    margins: Array,
    *,
    shape: tuple[int, int],
    back: bool,
    interpret: bool,
) -> Array:
    """Sampling, or `back` its transpose, by the kernels."""
    if back:
        return calls.transposed(x, linear, shift, margins, shape, interpret)
    return calls.sample(x, linear, shift, margins, interpret)


def _gathered(
    x: Array,
    linear: Array,
    shift: Array,
    margins: Array,
    *,
    shape: tuple[int, int],
    back: bool,
    interpret: bool,
) -> Array:
    """Sampling, or `back` its transpose, by the gather; by the interpreted kernels if so asked."""
    if interpret:
        return _computed(x, linear, shift, margins, shape=shape, back=back, interpret=interpret)
    points = tuple(grid_size(n) for n in shape)
    filled = Tiling(*shape).grid
    beyond = [(0, 0), *((0, f - p) for f, p in zip(filled, points, strict=True))]

    def one(image: Array, linear: Array, shift: Array, margins: Array) -> Array:
        """[C, H, W] to [C, *grid]; every sample has margins of its own."""
        inverse = Affine(linear[None], shift[None])
        found = sample_by_gather(image.transpose(1, 2, 0)[None], inverse, margins)[0]
        return jnp.pad(found.transpose(2, 0, 1), beyond)

    def all_of(images: Array) -> Array:
        return jax.vmap(one)(images, linear, shift, margins)

    if not back:
        return all_of(x)
    images = jax.ShapeDtypeStruct((*x.shape[:2], *shape), x.dtype)
    return jax.linear_transpose(all_of, images)(x)[0]


def _shaped(x: Any, *_: Any, shape: tuple[int, int], back: bool, interpret: bool) -> Any:
    result = shape if back else Tiling(*shape).grid
    return x.update(shape=(*x.shape[:2], *result))


def _jvp(primals: Sequence[Array], tangents: Sequence[Any], **how: Any) -> tuple[Array, Any]:
    """Along images it is the operation itself; along the map, which is rare, the gather's."""
    x, linear, shift, margins = primals
    result, along = _sample.bind(*primals, **how), []
    if type(tangents[0]) is not ad.Zero:
        along.append(_sample.bind(tangents[0], linear, shift, margins, **how))
    if any(type(t) is not ad.Zero for t in tangents[1:3]):
        moved = tuple(ad.instantiate_zeros(t) for t in tangents[1:3])
        how = how | {"interpret": False}
        along.append(
            jax.jvp(lambda a, s: _gathered(x, a, s, margins, **how), (linear, shift), moved)[1]
        )
    return result, sum(along[1:], along[0])


def _transpose(
    cotangent: Any, x: Any, linear: Array, shift: Array, margins: Array, *, back: bool, **how: Any
) -> list[Any]:
    if type(cotangent) is ad.Zero:
        return [ad.Zero(x.aval), None, None, None]
    return [_sample.bind(cotangent, linear, shift, margins, back=not back, **how), None, None, None]


def _mapped(operands: Sequence[Array], axes: Sequence[int | None], **how: Any) -> tuple[Array, int]:
    """The mapped axis is laid into that of the samples."""
    size = next(x.shape[axis] for x, axis in zip(operands, axes, strict=True) if axis is not None)
    whole = [
        jnp.broadcast_to(x[None], (size, *x.shape)) if axis is None else jnp.moveaxis(x, axis, 0)
        for x, axis in zip(operands, axes, strict=True)
    ]
    flat = [x.reshape(-1, *x.shape[2:]) for x in whole]
    result = _sample.bind(*flat, **how)
    return result.reshape(size, -1, *result.shape[1:]), 0


_sample = Primitive("warp_sample")
_sample.def_impl(
    jax.jit(
        lambda *operands, **how: _sample.bind(*operands, **how),
        static_argnames=("shape", "back", "interpret"),
    )
)
_sample.def_abstract_eval(_shaped)
ad.primitive_jvps[_sample] = _jvp
ad.primitive_transposes[_sample] = _transpose
batching.primitive_batchers[_sample] = _mapped
mlir.register_lowering(_sample, mlir.lower_fun(_gathered, multiple_results=False))
mlir.register_lowering(_sample, mlir.lower_fun(_computed, multiple_results=False), platform="tpu")
