"""Arithmetic on networks: `parent + 0.7*(dog - parent) + 0.3*(cat - parent)`.

An expression is reduced to one exact rational coefficient for each network
before any array is touched, so that identities hold bit for bit.
"""

import ast
import keyword
import re
import warnings
from collections.abc import Mapping
from fractions import Fraction

import jax
import jax.numpy as jnp

from aligned_jax.errors import UserError
from aligned_jax.types import Array, PyTree, Tree
from aligned_jax.weights.components import Leaf
from aligned_jax.weights.structure import combine

MAX_LENGTH = 2000
MAX_DEPTH = 200
MAX_COEFFICIENT = 10**6
# Bounds digits and exponent before the number is built: 1e999999999 is cheap to write.
_NUMBER = re.compile(r"(?:\d{1,12}(?:\.\d{0,12})?|\.\d{1,12})(?:e[+-]?\d{1,2})?", re.IGNORECASE)
_CONSTANT = ""  # key of the part of an expression that multiplies no network

_Linear = dict[str, Fraction]


def arithmetic(expression: str, networks: Mapping[str, Tree]) -> Tree:
    """The linear combination of `networks` that `expression` describes.

    Args:
      expression: network names, numbers, + - * / and parentheses, e.g.
        "parent + 0.7*(dog - parent)".
      networks: networks of equal structure by name.

    Returns:
      A network structured like the first one named in the expression.

    All weights follow the same combination, `w_avg` and noise maps included.
    With coefficients that sum to 1, weights on which all networks agree stay
    as they are, so aligned networks keep the noise maps they share.
    Coefficients are exact: `a + 1*(b - a)` is b and `a + 0*(b - a)` is a, bit
    for bit. Coefficients that do not sum to 1 are allowed, though such a
    network rarely draws anything; `parse` tells. Jit-able and differentiable
    in the networks.

    Raises:
      UserError: for anything but a linear combination, names that were not
        given, and networks that are not used.
      ConfigError: if the networks do not fit, with every difference.
    """
    coefficients = parse(expression)
    _check_names(coefficients, networks)
    exact = tuple(coefficients.values())

    def total(_: Leaf, *values: Array) -> Array:
        terms = [(c, value) for c, value in zip(exact, values, strict=True) if c]
        if not terms:
            return jnp.zeros_like(values[0])
        if len(terms) == 1 and terms[0][0] == 1:
            return terms[0][1]
        weights = (sum(c for c, _ in terms), *(c for c, _ in terms[1:]))
        return _weighted(tuple(map(float, weights)), *(value for _, value in terms))

    chosen = {name: networks[name] for name in coefficients}
    return combine(total, chosen, base=next(iter(chosen)))


def parse(expression: str) -> dict[str, Fraction]:
    """{network: coefficient} of a linear expression, in order of first appearance.

    Decimal numbers are taken exactly, 0.7 as 7/10. Nothing is evaluated: the
    syntax tree may hold names, numbers, + - * / and parentheses only.

    Raises:
      UserError: for other syntax, products of networks, a number added to
        networks, division by zero or by a network, or numbers out of bounds.
    """
    text = " ".join(expression.split())
    if len(text) > MAX_LENGTH:
        raise UserError(f"the expression has {len(text)} characters; at most {MAX_LENGTH} are read")
    if "#" in text:  # Python would leave out the rest as a comment
        raise UserError(f"cannot read the expression {text!r:.200}: it holds a #")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Python's own advice on style, such as "1if"
            tree = ast.parse(text, mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        reason = getattr(error, "msg", None) or "it cannot be parsed"
        raise UserError(f"cannot read the expression {text!r:.200}: {reason}") from None
    form = _linear(tree.body, text, 0)
    constant = form.pop(_CONSTANT, Fraction(0))
    if not form:
        raise UserError(f"the expression {text!r:.200} names no network")
    if constant:
        small = abs(constant) <= MAX_COEFFICIENT  # a larger one may be none that floats can hold
        number = f"{float(constant):g}" if small else f"beyond {MAX_COEFFICIENT}"
        raise UserError(
            f"the expression {text!r:.200} adds the number {number} to networks; "
            "numbers can only multiply or divide them"
        )
    large = [name for name, value in form.items() if abs(value) > MAX_COEFFICIENT]
    if large:
        raise UserError(f"the coefficient of {', '.join(large)} is beyond {MAX_COEFFICIENT}")
    return form


def _linear(node: ast.expr, text: str, depth: int) -> _Linear:
    """Coefficients of a syntax tree, by network name."""
    if depth > MAX_DEPTH:
        raise UserError(f"the expression nests, or chains, more than {MAX_DEPTH} operations")
    match node:
        case ast.Name(id=name):
            return {name: Fraction(1)}
        case ast.Constant():
            return {_CONSTANT: _number(_source(node, text))}
        case ast.UnaryOp(op=ast.UAdd() | ast.USub(), operand=operand):
            sign = Fraction(-1 if isinstance(node.op, ast.USub) else 1)
            return _scaled(_linear(operand, text, depth + 1), sign)
        case ast.BinOp(op=ast.Add() | ast.Sub() | ast.Mult() | ast.Div()):
            left = _linear(node.left, text, depth + 1)
            right = _linear(node.right, text, depth + 1)
            return _binary(node, left, right, text)
    raise UserError(
        f"{_source(node, text)!r:.80} is not allowed in an expression; "
        "it may hold network names, numbers, + - * / and parentheses"
    )


def _binary(node: ast.BinOp, left: _Linear, right: _Linear, text: str) -> _Linear:
    if isinstance(node.op, ast.Add | ast.Sub):
        sign = Fraction(1 if isinstance(node.op, ast.Add) else -1)
        signed = _scaled(right, sign)
        return {
            name: left.get(name, Fraction(0)) + signed.get(name, Fraction(0))
            for name in dict.fromkeys([*left, *signed])
        }
    number = right.get(_CONSTANT) if set(right) == {_CONSTANT} else None
    if isinstance(node.op, ast.Div):
        if number is None:
            raise UserError(f"{_source(node, text)!r:.80} divides by a network")
        if number == 0:
            raise UserError(f"{_source(node, text)!r:.80} divides by zero")
        return _scaled(left, 1 / number)
    if number is not None:
        return _scaled(left, number)
    if set(left) == {_CONSTANT}:
        return _scaled(right, left[_CONSTANT])
    raise UserError(
        f"{_source(node, text)!r:.80} multiplies networks; only sums and multiples are linear"
    )


def _scaled(form: _Linear, factor: Fraction) -> _Linear:
    return {name: value * factor for name, value in form.items()}


def _number(literal: str) -> Fraction:
    if not _NUMBER.fullmatch(literal):
        raise UserError(
            f"{literal!r:.80} is not a number that can be used here; write a decimal number of "
            "at most 12 digits on either side of the point, like 0.7 or 1e-3"
        )
    return Fraction(literal)


def _source(node: ast.expr, text: str) -> str:
    return ast.get_source_segment(text, node) or text


def _check_names(coefficients: Mapping[str, Fraction], networks: Mapping[str, PyTree]) -> None:
    unknown = [name for name in coefficients if name not in networks]
    unused = [name for name in networks if name not in coefficients]
    odd = [name for name in unused if not name.isidentifier() or keyword.iskeyword(name)]
    problems = []
    if unknown:
        given = ", ".join(networks) or "none"
        problems.append(f"no network called {', '.join(unknown)}; those given are {given}")
    if unused:
        problems.append(f"not used in the expression: {', '.join(unused)}")
    if odd:
        problems.append(
            f"{', '.join(odd)} cannot be written in an expression; "
            "names are letters, digits and _, and start with a letter"
        )
    if problems:
        raise UserError("; ".join(problems))


@jax.jit
def _weighted(weights: tuple[float, ...], first: Array, *others: Array) -> Array:
    """Sum of the networks, with weights (sum of all coefficients, coefficient of others...).

    Written around the first network, because then equal weights stay exactly
    equal when the coefficients sum to 1.
    """
    total = weights[0] * first
    for weight, other in zip(weights[1:], others, strict=True):
        total = total + weight * (other - first)
    return total
