"""Interpolation of weights between aligned networks (StyleAlign, figures 24 to 27)."""

import math
import numbers
from collections.abc import Iterable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from aligned_jax.errors import UserError
from aligned_jax.types import Array, PyTree, Tree
from aligned_jax.weights.components import Leaf, select
from aligned_jax.weights.structure import combine

Scalar = float | Array
Names = str | Iterable[str]
Resolutions = str | int | Iterable[str | int]


def interpolate(
    a: Tree,
    b: PyTree,
    weight: Scalar | Mapping[str, Scalar] | Mapping[int, Scalar],
    components: Names | None = None,
    resolutions: Resolutions | None = None,
) -> Tree:
    """(1 - weight) * a + weight * b, structured like `a`.

    Args:
      a, b: networks of equal structure.
      weight: one scalar, or {component: scalar}, or {resolution: scalar}.
        0 gives the values of `a` and 1 those of `b`, bit for bit; outside of
        [0, 1] it extrapolates. May be traced; the gradient with respect to it
        is right at 0 and 1 too.
      components, resolutions: what to blend, as in `reset`; the rest, and what
        a mapping of weights leaves out, stays as in `a`.

    `w_avg` blends along with the mapping, which truncation in a blend needs.
    Noise maps blend along with `noise`: aligned networks share them and keep
    them unchanged, while a blend of unrelated maps has a smaller deviation.
    Where `a` and `b` are equal the result is equal to them at any weight.

    Raises:
      UserError: for unknown names, an empty choice, overlapping keys, or a
        weight that is no finite number.
      ConfigError: if the networks do not fit, with every difference.
    """
    weights = _weights(a, weight, components, resolutions)

    def blend(leaf: Leaf, start: Array, end: Array) -> Array:
        return lerp(start, end, weights[leaf]) if leaf in weights else start

    return combine(blend, {"a": a, "b": b}, base="a")


def lerp(a: Array, b: Array, weight: Scalar) -> Array:
    """(1 - weight) * a + weight * b in the dtype of `a`; exactly a at 0, b at 1, a where a == b."""
    a, b = jnp.asarray(a), jnp.asarray(b)
    return _compiled_lerp(a, b, jnp.asarray(weight).astype(a.dtype))


def check_scalar(name: str, value: Any) -> None:
    """Raises UserError unless `value` is one finite real number or a traced scalar."""
    number = isinstance(value, numbers.Real | np.ndarray | jax.Array)
    if (
        not number
        or np.ndim(value)
        or not (isinstance(value, jax.core.Tracer) or math.isfinite(value))
    ):
        raise UserError(f"{name} is {value!r:.80}; it must be one finite number")


@jax.custom_jvp
def _lerp(a: Array, b: Array, weight: Array) -> Array:
    blend = (1 - weight) * a + weight * b
    # Selecting keeps the endpoints exact, signs of zero included; equal values
    # stay as they are because (1 - weight) + weight need not round to 1.
    return jnp.where(weight == 1, b, jnp.where((weight == 0) | (a == b), a, blend))


@_lerp.defjvp
def _lerp_jvp(primals: tuple[Array, ...], tangents: tuple[Array, ...]) -> tuple[Array, Array]:
    # Differentiating the selection would lose the gradient where it selects.
    a, b, weight = primals
    da, db, dweight = tangents
    return _lerp(a, b, weight), (b - a) * dweight + (1 - weight) * da + weight * db


_compiled_lerp = jax.jit(_lerp)


def _weights(
    network: PyTree,
    weight: Scalar | Mapping[str, Scalar] | Mapping[int, Scalar],
    components: Names | None,
    resolutions: Resolutions | None,
) -> dict[Leaf, Scalar]:
    """The weight of every leaf that changes."""
    if not isinstance(weight, Mapping):
        check_scalar("weight", weight)
        return dict.fromkeys(select(network, components, resolutions), weight)
    kinds = {isinstance(key, numbers.Integral) or str(key).strip().isdigit() for key in weight}
    if len(kinds) != 1:
        raise UserError(
            f"weights are given for {', '.join(map(str, weight)) or 'nothing'}; "
            "give them all by component or all by resolution"
        )
    by_resolution = kinds.pop()
    if (resolutions if by_resolution else components) is not None:
        kind = "resolutions" if by_resolution else "components"
        raise UserError(f"the weights already name the {kind}; leave out {kind}")
    result: dict[Leaf, Scalar] = {}
    for key, value in weight.items():
        check_scalar(f"weight of {key}", value)
        choice = (components, key) if by_resolution else ([str(key)], resolutions)
        chosen = select(network, *choice)
        if chosen & result.keys():
            raise UserError(f"the weights name {key} more than once; give one weight to each part")
        result.update(dict.fromkeys(chosen, value))
    return result
