"""Arithmetic of matrix products and convolutions in a traced program, by type and precision."""

import math
from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

import jax.numpy as jnp
from jax import lax
from jax.extend.core import ClosedJaxpr, Jaxpr, JaxprEqn

# Passes of a matrix unit that multiplies bfloat16, for a product of float32 numbers.
PASSES = {lax.Precision.DEFAULT: 1, lax.Precision.HIGH: 3, lax.Precision.HIGHEST: 6}


class Kind(NamedTuple):
    """Type of the numbers that are multiplied, and passes of a matrix unit."""

    dtype: str
    passes: int


def product_flops(program: Any) -> Counter[Kind]:
    """FLOPs of the products of a jaxpr. What loops repeat counts once, kernels nothing.

    Taps that fall into zeros between the samples of an image are not counted, those in its margin
    are.
    """
    found: Counter[Kind] = Counter()
    for eqn in _equations(program):
        count = _COUNTED.get(eqn.primitive.name)
        if count is not None:
            found[_kind(eqn)] += count(eqn)
    return found


def _equations(program: Any) -> Iterator[JaxprEqn]:
    body = program.jaxpr if isinstance(program, ClosedJaxpr) else program
    for eqn in body.eqns:
        if eqn.primitive.name == "pallas_call":
            continue
        yield eqn
        for value in eqn.params.values():
            for inner in value if isinstance(value, list | tuple) else [value]:
                if isinstance(inner, ClosedJaxpr | Jaxpr):
                    yield from _equations(inner)


def _kind(eqn: JaxprEqn) -> Kind:
    dtype = eqn.invars[0].aval.dtype
    asked = eqn.params["precision"] or (lax.Precision.DEFAULT,)
    precision = asked[0] if isinstance(asked, tuple) else asked
    return Kind(str(dtype), PASSES[precision] if dtype == jnp.float32 else 1)


def _of_convolution(eqn: JaxprEqn) -> int:
    kernel, result = eqn.invars[1].aval.shape, eqn.outvars[0].aval.shape
    outputs = eqn.params["dimension_numbers"].rhs_spec[0]
    each = math.prod(kernel) // kernel[outputs]
    return 2 * math.prod(result) * each // math.prod(eqn.params["lhs_dilation"])


def _of_product(eqn: JaxprEqn) -> int:
    (contracted, _), _ = eqn.params["dimension_numbers"]
    shape = eqn.invars[0].aval.shape
    return 2 * math.prod(eqn.outvars[0].aval.shape) * math.prod(shape[axis] for axis in contracted)


_COUNTED = {"conv_general_dilated": _of_convolution, "dot_general": _of_product}
