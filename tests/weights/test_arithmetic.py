"""Expressions on networks: exact coefficients, bitwise identities, clear refusals."""

import warnings
from fractions import Fraction

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from aligned_jax.errors import UserError
from aligned_jax.weights import arithmetic, interpolate, parse_expression
from aligned_jax.weights.components import entries
from tests.helpers import same_bits
from tests.weights.small_generators import pair, random_variables, small

F = Fraction


@pytest.mark.slow
@pytest.mark.parametrize(
    ("expression", "coefficients"),
    [
        ("a", {"a": 1}),
        ("-a", {"a": -1}),
        ("+a - -b", {"a": 1, "b": 1}),
        ("a + 0.7*(b - a)", {"a": F(3, 10), "b": F(7, 10)}),
        ("a + 1*(b - a)", {"a": 0, "b": 1}),
        ("(a+b)/2", {"a": F(1, 2), "b": F(1, 2)}),
        ("a/3 + b*2/3", {"a": F(1, 3), "b": F(2, 3)}),
        ("p + 0.7*(dog - p) + 0.3*(cat - p)", {"p": 0, "dog": F(7, 10), "cat": F(3, 10)}),
        ("(1 - .25)*a + 2.5e-1*b", {"a": F(3, 4), "b": F(1, 4)}),
        ("2*(3*(a - b)) / (1 + 1)", {"a": 3, "b": -3}),
        (" a\n +\tb ", {"a": 1, "b": 1}),
        ("a + 1 - 1", {"a": 1}),
        ("b - a", {"b": 1, "a": -1}),
    ],
)
def test_parse(expression, coefficients):
    parsed = parse_expression(expression)
    assert parsed == coefficients
    assert list(parsed) == list(coefficients)
    assert all(isinstance(value, Fraction) for value in parsed.values())


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("a * b", "'a \\* b' multiplies networks"),
        ("a * (b - b + 1)", "multiplies networks"),
        ("1 / a", "'1 / a' divides by a network"),
        ("a / a", "divides by a network"),
        ("a / (2 - 2)", "divides by zero"),
        ("a + 0.5", "adds the number 0.5 to networks"),
        ("a + b + 1e99*1e99*1e99*1e99", "adds the number beyond 1000000 to"),
        ("(a + 1) * 2", "adds the number 2 to networks"),
        ("1 + 2", "names no network"),
        ("", "cannot read the expression"),
        ("a +", "cannot read the expression 'a \\+'"),
        ("0.7dog", "cannot read the expression"),
        ("a b", "cannot read the expression"),
        ("a\0b", "cannot read the expression"),
        ("a#b", "cannot read the expression 'a#b': it holds a #"),
        ("a\n# + b", "it holds a #"),
        ("(" * 300 + "a" + ")" * 300, "cannot read the expression"),
        ("a ** 2", "'a \\*\\* 2' is not allowed"),
        ("a % 2", "is not allowed"),
        ("a // 2", "is not allowed"),
        ("~a", "is not allowed"),
        ("abs(a)", "'abs\\(a\\)' is not allowed"),
        ("a.variables", "is not allowed"),
        ("a[0]", "is not allowed"),
        ("[a]", "is not allowed"),
        ("a if b else a", "is not allowed"),
        ("(lambda: a)()", "is not allowed"),
        ("a := b", "cannot read the expression"),
        ("__import__('os').system('true') * a", "is not allowed"),
        ("'text' * a", "is not a number"),
        ("True * a", "is not a number"),
        ("None + a", "is not a number"),
        ("2j * a", "'2j' is not a number"),
        ("0x10 * a", "'0x10' is not a number"),
        ("1_000 * a", "'1_000' is not a number"),
        ("1e999999999 * a", "is not a number"),
        ("1e-999999999 * a", "is not a number"),
        ("1234567890123 * a", "is not a number"),
        ("1e7 * a", "coefficient of a is beyond 1000000"),
        ("a" + "+a" * 1000, "2001 characters; at most 2000"),
        ("a" + "+a" * 300, "more than 200 operations"),
        ("-" * 300 + "a", "more than 200 operations"),
        ("-" * 1990 + "a", "more than 200 operations|cannot read"),
    ],
)
def test_parse_refuses(expression, message):
    with pytest.raises(UserError, match=message):
        parse_expression(expression)


def test_odd_text_never_warns_or_evaluates():
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        for text in ("1if a else b", "2(a)", "'\\d'*a", "0or a", "a is 1"):
            with pytest.raises(UserError):
                parse_expression(text)
    assert not seen


@pytest.mark.parametrize(
    ("expression", "result"),
    [
        ("a", "a"),
        ("a + 1*(b - a)", "b"),
        ("a + 0*(b - a)", "a"),
        ("a + 0.3*(b - a) + 0.7*(b - a)", "b"),
        ("(3*a - a)/2 + 0*b", "a"),
        ("b - a + a", "b"),
    ],
)
def test_identities_are_bitwise(expression, result):
    a, b = pair()
    named = {"a": a, "b": b} if "b" in expression else {"a": a}
    for tree in named.values():
        tree["params"]["synthesis"]["b4"]["const"].fill(-0.0)
    b["params"]["mapping"]["fc0"]["weight"].fill(np.inf)
    assert same_bits(arithmetic(expression, named), named[result])


def test_networks_that_agree_stay_as_they_are():
    a, _ = pair()
    named = {"a": a, "b": jax.tree.map(np.copy, a), "c": jax.tree.map(np.copy, a)}
    assert same_bits(arithmetic("a + 0.7*(b - a) + 0.1*(c - a)", named), a)
    assert same_bits(arithmetic("(a + b + c)/3", named), a)


def test_buffers_and_weights_follow_the_same_combination():
    a, b = pair()
    c = random_variables(small(), 3)
    named = {"p": a, "dog": b, "cat": c}
    result = entries(arithmetic("2*p + 0.75*(dog - p) - cat/3", named))
    for path, (_, value) in result.items():
        x, y, z = (np.float64(entries(tree)[path][1]) for tree in (a, b, c))
        np.testing.assert_allclose(value, 1.25 * x + 0.75 * y - z / 3, rtol=1e-5, atol=3e-6)


def test_order_of_names_is_irrelevant_and_half_way_is_the_mean():
    a, b = pair(small(8))
    mean = arithmetic("(a + b)/2", {"b": b, "a": a})
    for path, (_, value) in entries(interpolate(a, b, 0.5)).items():
        np.testing.assert_allclose(entries(mean)[path][1], value, rtol=1e-6, atol=1e-6)


@pytest.mark.slow
def test_zero_and_negation():
    a, b = pair(small(8))
    zeros = arithmetic("0*a + 0*b", {"a": a, "b": b})
    assert all(not np.any(value) for value in jax.tree.leaves(zeros))
    assert same_bits(arithmetic("-a", {"a": a}), jax.tree.map(np.negative, a))


@pytest.mark.slow
def test_jit_and_gradient():
    a, b = pair(small(8))

    def combined(x, y):
        return arithmetic("x + 0.75*(y - x)", {"x": x, "y": y})

    def total(x, y):
        return sum(jnp.sum(value) for value in jax.tree.leaves(combined(x, y)))

    assert jax.tree.structure(jax.jit(combined)(a, b)) == jax.tree.structure(a)
    # Where the networks agree the gradient must still reach both.
    for other in (b, a):
        by_x, by_y = jax.jit(jax.grad(total, argnums=(0, 1)))(a, other)
        assert all(np.all(value == 0.25) for value in jax.tree.leaves(by_x))
        assert all(np.all(value == 0.75) for value in jax.tree.leaves(by_y))


@pytest.mark.parametrize(
    ("expression", "names", "message"),
    [
        ("a + dog", ["a", "b"], "no network called dog; those given are a, b; not used .*: b$"),
        ("x + y", [], "no network called x, y; those given are none"),
        ("a", ["a", "b"], "^not used in the expression: b$"),
        ("a - dog", ["a", "dog-512"], "dog-512 cannot be written in an expression"),
        ("a", ["a", "class"], "class cannot be written"),
    ],
)
def test_names(expression, names, message):
    networks = dict.fromkeys(names, random_variables(small(8), 0))
    with pytest.raises(UserError, match=message):
        arithmetic(expression, networks)
