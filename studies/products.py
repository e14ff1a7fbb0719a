"""Products as accelerators make them, imitated on a CPU, and in float64 as the measure.

A function is traced to its program, derivatives included, and the program is computed step by
step; matrix products and convolutions are replaced by those of a machine at the precision that
each of them asks for. Sums are float32, as in matrix units, but in the order of the CPU.
"""

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.extend.core import ClosedJaxpr, JaxprEqn, Literal

from aligned_jax.types import Array, PyTree

# Mantissa bits of what matrix units read; exponents are those of float32.
_BFLOAT16, _TF32 = 7, 10
_EXPONENT = 8
# Which parts of the operands are multiplied, the smallest products first.
_ONE = ((0, 0),)
_THREE = ((1, 0), (0, 1), (0, 0))
_SIX = ((2, 0), (1, 1), (0, 2), *_THREE)
_PRODUCTS = ("dot_general", "conv_general_dilated")


@dataclass(frozen=True)
class Machine:
    """What becomes of the operands of a float32 product, by the precision it asks for.

    `passes` are pairs of parts that are multiplied, () for a product in float32; parts have
    `mantissa` bits.
    """

    mantissa: int
    passes: Mapping[lax.Precision, tuple[tuple[int, int], ...]]


# As documented for `jax.lax.Precision`.
MACHINES = {
    "tpu": Machine(
        _BFLOAT16,
        {
            lax.Precision.DEFAULT: _ONE,
            lax.Precision.HIGH: _THREE,
            lax.Precision.HIGHEST: _SIX,
        },
    ),
    "gpu": Machine(
        _TF32,
        {lax.Precision.DEFAULT: _ONE, lax.Precision.HIGH: _ONE, lax.Precision.HIGHEST: ()},
    ),
}


@dataclass(frozen=True)
class Program:
    """A function traced for arguments of certain shapes; see `traced`."""

    body: ClosedJaxpr
    results: Any  # the structure of what the function returns

    def on(self, machine: Machine, *args: PyTree) -> PyTree:
        """The results with the products of a machine; may be jitted."""
        return self._run(args, lambda eqn, operands: _product(machine, eqn, operands))

    def in_float64(self, *args: PyTree) -> PyTree:
        """The results with every float32 number and constant taken for a float64 one; NumPy."""
        with jax.enable_x64(True):
            return jax.tree.map(np.asarray, self._in_float64(*jax.tree.map(_widened, args)))

    @functools.cached_property
    def _in_float64(self) -> Callable:
        return jax.jit(lambda *args: self._run(args, _bound_in_float64))

    def _run(self, args: PyTree, product: "_Rule") -> PyTree:
        flat = _evaluate(self.body, jax.tree.leaves(args), product)
        return jax.tree.unflatten(self.results, flat)


_Rule = Callable[[JaxprEqn, list[Any]], Any]


def traced(function: Callable, *args: PyTree) -> Program:
    """The program of a function, for arguments of the shapes and types of these."""
    body, results = jax.make_jaxpr(function, return_shape=True)(*args)
    return Program(body, jax.tree.structure(results))


def _evaluate(body: ClosedJaxpr, args: Sequence[Any], rule: _Rule) -> list[Any]:
    """Computes a program step by step, with `rule` for whatever has no program inside."""
    known: dict[Any, Any] = dict(zip(body.jaxpr.constvars, body.consts, strict=True))
    known |= dict(zip(body.jaxpr.invars, args, strict=True))
    for eqn in body.jaxpr.eqns:
        inputs = [v.val if isinstance(v, Literal) else known[v] for v in eqn.invars]
        inner = [v for v in eqn.params.values() if isinstance(v, ClosedJaxpr)]
        if len(inner) > 1 or (inner and len(inner[0].jaxpr.invars) != len(inputs)):
            raise NotImplementedError(f"{eqn.primitive} is no plain call")
        found = _evaluate(inner[0], inputs, rule) if inner else rule(eqn, inputs)
        found = found if isinstance(found, list | tuple) else [found]
        known |= dict(zip(eqn.outvars, found, strict=True))
    return [v.val if isinstance(v, Literal) else known[v] for v in body.jaxpr.outvars]


def _bound(eqn: JaxprEqn, inputs: Sequence[Any], **changed: Any) -> Any:
    return eqn.primitive.bind(*inputs, **{**eqn.params, **changed})


def _product(machine: Machine, eqn: JaxprEqn, inputs: list[Any]) -> Any:
    if eqn.primitive.name not in _PRODUCTS or inputs[0].dtype != jnp.float32:
        return _bound(eqn, inputs)
    asked = eqn.params["precision"] or (lax.Precision.DEFAULT,)
    passes, (x, y) = machine.passes[asked[0]], inputs
    if not passes:
        return _bound(eqn, inputs)
    count = 1 + max(max(pair) for pair in passes)
    first, second = _parts(x, machine.mantissa, count), _parts(y, machine.mantissa, count)
    return sum(_bound(eqn, (first[i], second[k])) for i, k in passes)


def _parts(x: Array, mantissa: int, count: int) -> list[Array]:
    """Numbers of few bits that add up to `x`, the largest first."""
    parts = []
    for _ in range(count):
        parts.append(lax.reduce_precision(x, _EXPONENT, mantissa))
        x = x - parts[-1]
    return parts


def _bound_in_float64(eqn: JaxprEqn, inputs: list[Any]) -> Any:
    changed = {
        name: np.dtype("float64")
        for name, value in eqn.params.items()
        if isinstance(value, np.dtype) and value == np.float32
    }
    return _bound(eqn, [_widened(x) for x in inputs], **changed)


def _widened(x: Any) -> Any:
    return jnp.asarray(x, jnp.float64) if jnp.result_type(x) == jnp.float32 else x
