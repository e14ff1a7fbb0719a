"""Sixty answers of an oracle that sees pictures do what 5,000 labels do, in a zoo network."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

import aligned_jax as aj
from aligned_jax import jobs
from aligned_jax.jobs.seed_labels import pool as pools
from aligned_jax.jobs.seed_labels.session import LabelSession
from aligned_jax.semantics.active_labels import visible_coordinates
from aligned_jax.semantics.linear_fits import fit_binary

pytestmark = pytest.mark.slow
POOL, LABELLED, EVERY = 2000, 5000, 6000
# What the oracles look at: rows and columns of 16 blocks, their sign, and the share of yes.
ORACLES = {
    "dark top": ((slice(3, 6), slice(5, 11)), -1, 0.5),
    "rare dark top": ((slice(3, 6), slice(5, 11)), -1, 0.12),
    "wide head": ((slice(4, 12), slice(2, 4)), -1, 0.5),
}


@pytest.fixture(scope="module")
def network():
    return aj.load("zoo:personas64")


@pytest.fixture(scope="module")
def drawn(network):
    """W of 6,000 seeds, and what is seen of them, [6000, 16, 16, 3]."""
    ws, seen = pools.drawn_rows(network, range(EVERY), 1.0, None, 50)
    return ws, seen.reshape(EVERY, 16, 16, 3)


@pytest.mark.parametrize("name", ORACLES)
def test_sixty_answers_are_worth_thousands(network, drawn, name):
    ws, seen = drawn
    (rows, columns), sign, share = ORACLES[name]
    level = sign * seen[:, rows, columns].mean(axis=(1, 2, 3))
    truth = level > np.quantile(level, 1 - share)
    coordinates = visible_coordinates(ws[:POOL], seen[:POOL].reshape(POOL, -1))
    pool = pools.SeedPool(network, np.arange(POOL), ws[:POOL], "w", coordinates, 1.0, None)
    session = LabelSession(name, pool, jobs.SeedAnswers(), {})
    for _ in range(60):
        session.answer(session.current, "yes" if truth[session.current] else "no")
    along = session.answers.along(pool.seeds)
    model = pools_model(name, pool, along)
    weights, intercept = fit_binary(ws[:LABELLED], truth[:LABELLED])
    unseen = slice(LABELLED, EVERY)
    many = roc_auc_score(truth[unseen], ws[unseen] @ weights + intercept)
    few = roc_auc_score(truth[unseen], ws[unseen] @ model[0] + model[1])
    assert many - few < 0.05, f"{name}: {few:.3f} of {many:.3f}"


def pools_model(name, pool, along):
    from aligned_jax.semantics.active_labels import fit_answers

    known = along >= 0
    return fit_answers(name, pool.latents[known], pool.coordinates, along[known] == 1)
