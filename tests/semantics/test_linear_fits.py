"""Linear fits of latents, against scikit-learn's own and against planted truths."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from aligned_jax.errors import UserError
from aligned_jax.semantics import linear_fits


@pytest.fixture(scope="module")
def rows():
    """600 rows of unequal widths around no zero, and a planted direction."""
    random = np.random.default_rng(0)
    return random.standard_normal((600, 6)) * [1, 2, 5, 0.1, 1, 1] + 3


TRUTH = np.asarray([2.0, 0.5, 0.0, 10.0, -1.0, 0.0])


def cosine(a, b):
    return a @ b / np.linalg.norm(a) / np.linalg.norm(b)


def planted(rows, noise=0.0):
    offset = (rows @ TRUTH).mean() + 1
    return rows @ TRUTH - offset + noise * np.random.default_rng(1).standard_normal(len(rows))


def test_logistic_regression_is_that_of_scikit_learn(rows):
    positive = planted(rows, 1.0) > 0
    weights, intercept = linear_fits.fit_binary(rows, positive, strength=0.3)
    mean, spread = rows.mean(axis=0), rows.std(axis=0)
    own = LogisticRegression(C=0.3, max_iter=5000).fit((rows - mean) / spread, positive)
    expected = own.decision_function((rows - mean) / spread)
    np.testing.assert_allclose(rows @ weights + intercept, expected, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("fit", [linear_fits.fit_binary, linear_fits.fit_wide])
def test_a_boundary_keeps_its_intercept_and_sign(rows, fit):
    values = planted(rows)
    weights, intercept = fit(rows, values > 0)
    scores = rows @ weights + intercept
    assert cosine(weights * rows.std(axis=0), TRUTH * rows.std(axis=0)) > 0.97
    assert ((scores > 0) == (values > 0)).mean() > 0.95
    # Without the intercept the boundary lies elsewhere.
    assert ((rows @ weights > 0) == (values > 0)).mean() < 0.8


def test_the_regulariser_is_chosen_or_given(rows):
    positive = planted(rows[:60], 3.0) > 0
    found = {
        strength: np.linalg.norm(linear_fits.fit_binary(rows[:60], positive, strength)[0])
        for strength in (0.001, 1.0)
    }
    assert found[0.001] < found[1.0] / 5
    chosen = linear_fits.best_strength(rows[:60], positive)
    first, second = (linear_fits.fit_binary(rows[:60], positive, s)[0] for s in (None, chosen))
    np.testing.assert_array_equal(first, second)
    noise = np.random.default_rng(5).random(60) > 0.5
    assert linear_fits.best_strength(rows[:60], noise) < linear_fits.best_strength(
        rows[:60], planted(rows[:60]) > 0
    )


def test_support_vectors_see_the_tails_alone(rows):
    values = planted(rows, 0.5)
    weights, _ = linear_fits.fit_tails(rows, values)
    assert cosine(weights * rows.std(axis=0), TRUTH * rows.std(axis=0)) > 0.95
    middle = np.argsort(values)[100:500]
    other = values.copy()
    other[middle] = other[middle][::-1]
    np.testing.assert_array_equal(linear_fits.fit_tails(rows, other)[0], weights)
    assert (linear_fits.fit_tails(rows, values, 0.5)[0] != weights).any()
    with pytest.raises(UserError, match="share above 0 and at most"):
        linear_fits.fit_tails(rows, values, 0.6)


@pytest.mark.parametrize("fit", [linear_fits.fit_ridge, linear_fits.fit_distance])
def test_values_come_back_in_their_unit(rows, fit):
    values = planted(rows, 0.5)
    weights, intercept = fit(rows, values)
    errors = rows @ weights + intercept - values
    assert errors.std() < 0.35 * values.std() and abs(errors.mean()) < 0.1 * values.std()


def test_many_numbers_at_once(rows):
    outputs = rows @ np.random.default_rng(2).standard_normal((6, 3)) + [1, 2, 3]
    matrix, offset = linear_fits.fit_rows(rows, outputs)
    assert matrix.shape == (6, 3) and offset.shape == (3,)
    np.testing.assert_allclose(rows @ matrix + offset, outputs, atol=0.1)


def test_what_cannot_be_fitted():
    def refused(words, check, values):
        with pytest.raises(UserError, match=words):
            check("glasses", np.asarray(values))

    refused("all 3 examples are of a single class, yes", linear_fits.check_classes, [True] * 3)
    refused("all 1 example are of a single class, no", linear_fits.check_classes, [False])
    refused("1 yes and 3 no; a model needs 2 examples", linear_fits.check_classes,
            [True, False, False, False])  # fmt: skip
    refused("all 4 scores are equal", linear_fits.check_varies, [2.0] * 4)
    refused("3 examples; a model needs 4", linear_fits.check_varies, [1.0, 2.0, 3.0])
    refused("not finite", linear_fits.check_varies, [1.0, 2.0, 3.0, np.nan])


def test_without_scikit_learn(monkeypatch):
    linear_fits.check_scikit_learn()
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"aligned_jax\[semantics\]"):
        linear_fits.check_scikit_learn()
