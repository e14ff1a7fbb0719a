"""Few answers: coordinates that see, questions that tell, and knowing when it is enough."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from aligned_jax.errors import UserError
from aligned_jax.semantics import active_labels
from aligned_jax.semantics.active_labels import NO, NOT_ASKED, UNCLEAR, YES


@pytest.fixture(scope="module")
def population():
    """Latents of 20 numbers, of which 3 show, and pictures in which they do."""
    random = np.random.default_rng(0)
    latents = random.standard_normal((600, 20)) * random.uniform(0.2, 5, 20) + 1
    unit = (latents - latents.mean(axis=0)) / latents.std(axis=0)
    pictures = unit[:, :3] @ random.standard_normal((3, 30)) * 3
    pictures += 0.05 * unit @ random.standard_normal((20, 30))
    truth = unit[:, 0] + unit[:, 1] > 0.8
    return latents, pictures, truth


@pytest.fixture(scope="module")
def coordinates(population):
    return active_labels.visible_coordinates(*population[:2])


def asked(coordinates, truth, count, seed=0):
    """Answers of somebody who knows the truth."""
    answers = np.full(len(truth), NOT_ASKED)
    while (left := count - (answers != NOT_ASKED).sum()) > 0:
        places = active_labels.next_examples(coordinates, answers, min(6, left), seed)
        answers[places] = truth[places]
    return answers


def worth(population, coordinates, answers, visible=True):
    latents, _, truth = population
    known = answers >= 0
    weights, intercept = active_labels.fit_answers(
        "label", latents[known], coordinates if visible else None, answers[known] == YES
    )
    return roc_auc_score(truth, latents @ weights + intercept)


def test_what_shows_is_long(population, coordinates):
    latents = population[0]
    found = coordinates.of(latents)
    seen = np.abs(np.corrcoef(latents.T, found.T)[:20, 20:])
    longest = np.argsort(-found.std(axis=0))[:3]
    assert seen[:3, longest].max(axis=0).min() > 0.5
    assert found[:, longest].std(axis=0).min() > 5 * np.sort(found.std(axis=0))[:-3].max()
    weights = np.random.default_rng(1).standard_normal(found.shape[1])
    plain, intercept = coordinates.plain((weights, 0.3))
    np.testing.assert_allclose(latents @ plain + intercept, found @ weights + 0.3, rtol=1e-8)


def test_pictures_that_never_change_decide_nothing(population):
    still = active_labels.visible_coordinates(population[0], np.ones((600, 4)))
    assert np.isfinite(still.of(population[0])).all()


@pytest.fixture(scope="module")
def answers(population, coordinates):
    """30 answers, asked for in rounds of 6."""
    return asked(coordinates.of(population[0]), population[2], 30)


@pytest.mark.slow
def test_few_answers_reach_what_many_do(population, coordinates, answers):
    truth = population[2]
    every = worth(population, coordinates, truth.astype(int))
    few = worth(population, coordinates, answers)
    assert every - few < 0.05
    first = np.where(np.arange(600) < 30, truth.astype(int), NOT_ASKED)
    assert worth(population, coordinates, first, visible=False) < few - 0.02


@pytest.mark.slow
def test_rare_labels_are_looked_for(population, coordinates):
    latents = population[0]
    unit = (latents - latents.mean(axis=0)) / latents.std(axis=0)
    rare = unit[:, 0] > 1.65
    answers = asked(coordinates.of(latents), rare, 30)
    assert rare.mean() < 0.08 and (answers == YES).sum() >= 8


@pytest.mark.slow
def test_questions_do_not_come_twice_and_depend_on_the_answers(population, coordinates, answers):
    found = coordinates.of(population[0])
    answers = answers.copy()
    answers[np.flatnonzero(answers == NOT_ASKED)[:3]] = UNCLEAR
    chosen = active_labels.next_examples(found, answers, 50)
    assert len(set(chosen)) == 50 and (answers[chosen] == NOT_ASKED).all()
    turned = answers.copy()
    turned[np.flatnonzero(answers == YES)[::2]] = NO
    assert active_labels.next_examples(found, turned, 50) != chosen
    empty = np.full(len(found), NOT_ASKED)
    first, second = (active_labels.next_examples(found, empty, 5, seed) for seed in (0, 1))
    assert first != second
    assert sorted(active_labels.next_examples(found[:4], empty[:4], 9)) == [0, 1, 2, 3]


@pytest.mark.slow
def test_questions_near_the_boundary(population, coordinates, answers):
    found = coordinates.of(population[0])
    known = answers >= 0
    weights, intercept = active_labels.fit_coordinates(found[known], answers[known] == YES)
    scores = np.abs(found @ weights + intercept)
    chosen = active_labels.next_examples(found, answers, 6)
    assert (scores[chosen] < np.median(scores)).sum() >= 4


@pytest.mark.slow
def test_cross_validation_says_when_there_are_enough(population, coordinates, answers):
    found, truth = coordinates.of(population[0]), population[2]
    empty = np.full(len(truth), NOT_ASKED)
    assert active_labels.cross_validated(found, empty) is None
    some = answers.copy()
    for kind in (YES, NO):
        some[np.flatnonzero(answers == kind)[4:]] = NOT_ASKED
    few = active_labels.cross_validated(found, some)
    assert not few.enough and "4 yes and 4 no; 10 of each are needed at least" in few.says
    many = active_labels.cross_validated(found, answers)
    assert many.enough and many.low <= many.auc <= many.high and many.agreement > 0.97
    noise = np.random.default_rng(3).random(len(truth)) > 0.5
    senseless = np.where(np.arange(len(truth)) < 60, noise.astype(int), NOT_ASKED)
    told = active_labels.cross_validated(found, senseless)
    assert not told.enough and "cannot be foreseen" in told.says and told.low <= 0.5


def test_the_area_is_that_of_scikit_learn():
    random = np.random.default_rng(0)
    positive, scores = random.random(50) > 0.4, random.integers(0, 9, 50).astype(float)
    auc, low, high = active_labels.auc_interval(positive, scores + positive)
    assert auc == pytest.approx(roc_auc_score(positive, scores + positive), abs=1e-12)
    assert 0.05 < high - low < 0.5 and low < auc < high
    assert active_labels.auc_interval(positive, scores, seed=1)[1:] != (low, high)


def test_a_single_kind_of_answer(population, coordinates):
    with pytest.raises(UserError, match="single class, yes"):
        active_labels.fit_answers("x", population[0][:3], coordinates, np.ones(3, bool))
