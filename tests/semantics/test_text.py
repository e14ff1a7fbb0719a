"""Arithmetic of directions from words, without any network."""

import numpy as np
import pytest

from aligned_jax.errors import UserError
from aligned_jax.semantics import text
from aligned_jax.semantics.text import RelevanceIndex


def index_of(means, counts=None):
    means = np.asarray(means, np.float32)
    counts = np.ones(len(means)) if counts is None else np.asarray(counts)
    return RelevanceIndex([("b4.conv1", k) for k in range(means.shape[1])], means, counts)


def test_the_mean_counts_every_seed_once():
    index = index_of([[[1, 0]], [[0, 1]]], counts=[3, 1])
    np.testing.assert_allclose(index.mean, [[0.75, 0.25]])
    np.testing.assert_allclose(index.consistency, [np.hypot(0.75, 0.25)])


def test_relevance_is_a_cosine_and_dead_channels_have_none():
    index = index_of([[[2, 0], [0, 0.1], [0, 0]]])
    np.testing.assert_allclose(text.relevance(index, np.asarray([0.6, 0.8])), [0.6, 0.8, 0])
    assert index.alive.tolist() == [True, True, False]


def test_the_automatic_threshold():
    many = np.asarray([0.3, *[0.25] * 21, *[0.12] * 40])
    assert text.automatic_threshold(many) == 0.25
    assert text.automatic_threshold(-many) == 0.25
    assert text.automatic_threshold(3 * many) == 0.75
    # 21 channels are more than 20; 20 are not.
    assert text.automatic_threshold(np.asarray([0.25] * 20 + [0.12])) == 0.12
    weak = np.asarray([0.05, 0.04, 0.03])
    assert text.automatic_threshold(weak) == 0.03
    assert text.automatic_threshold(weak, kept=2) == 0.04
    assert text.automatic_threshold(np.zeros(3)) == 0


def test_agreement_of_seeds():
    random = np.random.default_rng(0)
    change = np.eye(8)[0]
    same = np.repeat(random.standard_normal((1, 30, 8)), 6, axis=0)
    other = random.standard_normal((6, 30, 8))
    assert text.agreement(index_of(same), change) == pytest.approx(1)
    assert abs(text.agreement(index_of(other), change)) < 0.3
    assert np.isnan(text.agreement(index_of(same[:1]), change))


def test_chance_is_small_for_what_channels_do_and_large_for_what_they_do_not():
    random = np.random.default_rng(0)
    means = random.standard_normal((2, 60, 16))
    means[:, 7] = 5 * np.eye(16)[3]
    index = index_of(means)
    meant = text.relevance(index, np.eye(16)[3])
    unmeant = [
        text.relevance(index, x / np.linalg.norm(x)) for x in random.standard_normal((9, 16))
    ]
    assert text.chance(index, meant) < 0.02
    assert np.mean([text.chance(index, x) > 0.05 for x in unmeant]) > 0.8


def test_the_score_rises_towards_the_target():
    target, neutral = np.eye(3)[0], np.eye(3)[1]
    before, after = np.asarray([[0.0, 2.0, 0.0]]), np.asarray([[3.0, 0.0, 0.0]])
    assert text.rises(before, after, target, neutral) == pytest.approx([2])
    assert text.rises(after, before, target, neutral) == pytest.approx([-2])


def test_texts_are_averaged_over_templates_as_unit_vectors():
    def embed(texts):
        table = {"x": [10.0, 0.0], "a x": [0.0, 1.0], "y": [0.0, 3.0], "a y": [0.0, 1.0]}
        return np.asarray([table[one] for one in texts])

    vector = text.text_vector(embed, "x", ("{}", "a {}"))
    np.testing.assert_allclose(vector, [0.5**0.5, 0.5**0.5], rtol=1e-6)
    change = text.text_change(embed, "x", "y", ("{}", "a {}"))
    assert np.linalg.norm(change) == pytest.approx(1) and change[0] > 0 > change[1]
    with pytest.raises(UserError, match="are the same"):
        text.text_change(embed, "y", "y", ("{}", "a {}"))
