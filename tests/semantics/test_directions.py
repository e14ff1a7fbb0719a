"""Directions of planted latents are found again, and agree with scikit-learn and NumPy."""

import sys

import numpy as np
import pytest
from sklearn import linear_model, metrics, svm

from aligned_jax import loading
from aligned_jax.errors import UserError
from aligned_jax.latents import style_layers, z_from_seeds
from aligned_jax.semantics import Direction, directions
from aligned_jax.semantics.directions import merits
from tests.helpers import DATA

WIDTH, COUNT = 12, 600


@pytest.fixture(scope="module")
def planted():
    """Latents, the direction that decides their scores, and scores with noise."""
    random = np.random.default_rng(0)
    normal = random.standard_normal(WIDTH)
    normal /= np.linalg.norm(normal)
    x = random.standard_normal((COUNT, WIDTH)) + 0.3
    scores = x @ normal - 0.5 + 0.3 * random.standard_normal(COUNT)
    return x, normal, scores


@pytest.fixture(scope="module")
def network():
    return loading.load(DATA / "hostile_baseline_ok.pkl")


@pytest.mark.parametrize("tails", [None, 0.1])
@pytest.mark.parametrize("method", directions.METHODS)
@pytest.mark.parametrize("sign", [1, -1])
def test_a_planted_direction_is_found_with_its_sign(planted, method, tails, sign):
    x, normal, scores = planted
    rows, positive = directions.choose_examples(sign * scores, 0.0, tails)
    found = directions.fit_boundary(x[rows], positive, method)
    assert np.linalg.norm(found.normal) == pytest.approx(1)
    assert found.normal @ (sign * normal) > 0.8
    assert ((found.scores(x) > 0) == (sign * scores > 0)).mean() > 0.75


def test_boundaries_are_those_of_scikit_learn(planted):
    x, _, scores = planted
    positive = scores > 0
    models = {
        "svm": svm.SVC(kernel="linear").fit(x, positive),
        "logistic": linear_model.LogisticRegression(max_iter=10_000).fit(x, positive),
    }
    for method, model in models.items():
        found, length = directions.fit_boundary(x, positive, method), np.linalg.norm(model.coef_)
        np.testing.assert_allclose(found.normal, model.coef_[0] / length, atol=1e-7)
        distances = model.decision_function(x) / length
        np.testing.assert_allclose(found.scores(x), distances, atol=1e-6)


def test_the_shift_of_means_is_in_the_middle(planted):
    x, _, scores = planted
    positive = scores > 0
    found = directions.fit_boundary(x, positive, "mean")
    high, low = x[positive].mean(axis=0), x[~positive].mean(axis=0)
    np.testing.assert_allclose(found.normal, (high - low) / np.linalg.norm(high - low))
    assert found.scores(high[None]) == pytest.approx(-found.scores(low[None]))


def test_which_latents_count():
    scores = np.asarray([3.0, -1, 0, 7, 5, -9, 1, 2, -2, 4] * 2) + np.arange(20) / 100
    rows, positive = directions.choose_examples(scores, 0.0, 0.25)
    assert set(scores[rows[positive]].round()) == {7, 5, 4} and positive.sum() == 5
    assert scores[rows[~positive]].max() < scores[rows[positive]].min()
    rows, positive = directions.choose_examples(scores, 2.5, None)
    np.testing.assert_array_equal(rows, np.arange(20))
    np.testing.assert_array_equal(positive, scores > 2.5)


@pytest.mark.parametrize(
    ("scores", "tails", "message"),
    [
        (np.ones(50), None, "all 50 scores are 1; nothing"),
        (np.ones(50), 0.1, "all 50 scores are 1; nothing"),
        (np.arange(1.0, 51), None, "scores are above 0, so that there is a single class"),
        (-np.arange(1.0, 51), None, "scores are not above 0"),
        (np.arange(50.0), 0.02, "1 latents with the attribute and 1 without"),
        (np.arange(50.0), 0.6, "tails are 0.6"),
        (np.r_[np.zeros(40), 1], 0.2, "the highest and the lowest scores are the same"),
        (np.r_[np.nan, np.arange(40.0)], None, "one finite number"),
    ],
)
def test_scores_that_tell_nothing(scores, tails, message):
    with pytest.raises(UserError, match=message):
        directions.choose_examples(scores, 0.0, tails)


def test_sets_that_are_the_same(planted):
    x, _, _ = planted
    positive = np.arange(20) < 10
    with pytest.raises(UserError, match="both kinds of latents are the same"):
        directions.fit_boundary(np.repeat(x[:1], 20, axis=0), positive, "mean")
    with pytest.raises(UserError, match="method is 'nothing'; it is svm, logistic, mean"):
        directions.fit_boundary(x, positive, "nothing")


def test_without_scikit_learn(planted, monkeypatch):
    x, _, scores = planted
    monkeypatch.setitem(sys.modules, "sklearn", None)
    with pytest.raises(UserError, match=r"method svm needs the extra semantics \(pip install"):
        directions.fit_boundary(x, scores > 0, "svm")
    directions.fit_boundary(x, scores > 0, "mean")


@pytest.mark.parametrize("count", [0, 1, 2, 5])
def test_conditioned_directions_are_orthogonal(planted, count):
    x, _, scores = planted
    positive = scores > 0
    before = directions.fit_boundary(x, positive, "logistic")
    others = list(np.random.default_rng(1).standard_normal((count, WIDTH)))
    others += [others[0] * 2] if count == 2 else []  # depends on the first
    after = directions.condition(before, others, x, positive)
    for other in others:
        assert abs(after.normal @ other) / np.linalg.norm(other) < 1e-6
    assert np.linalg.norm(after.normal) == pytest.approx(1)
    assert (after.normal @ before.normal == pytest.approx(1)) == (count == 0)
    assert after.normal @ before.normal > 0
    if count:
        high, low = (x[kind].mean(axis=0)[None] for kind in (positive, ~positive))
        assert after.scores(high) == pytest.approx(-after.scores(low))


def test_nothing_may_be_left(planted):
    x, normal, scores = planted
    before = directions.Boundary(normal, 0.0)
    with pytest.raises(UserError, match="nothing is left of the direction"):
        directions.condition(before, [2 * normal], x, scores > 0)


def test_bootstrap_tells_stable_from_unstable(planted):
    x, _, scores = planted
    random = np.random.default_rng(3).permutation(scores)
    means = []
    for values in (scores, random):
        positive = values > 0
        normal = directions.fit_boundary(x, positive, "mean").normal
        draws = [
            directions.bootstrap_cosines(x, positive, "mean", normal, 5, seed) for seed in (0, 0, 1)
        ]
        np.testing.assert_array_equal(draws[0], draws[1])
        assert (draws[0] != draws[2]).any() and len(draws[0]) == 5
        means.append(draws[0].mean())
    assert means[0] > 0.97 > means[1]


def eigen(matrix):
    """All eigenvectors of any matrix, largest first, the largest entry of each positive."""
    values, vectors = np.linalg.eig(matrix)
    order = np.argsort(-values.real)
    vectors = vectors.real.T[order]
    largest = vectors[np.arange(len(vectors)), np.abs(vectors).argmax(axis=1)]
    return values.real[order], vectors * np.sign(largest)[:, None]


def test_principal_components_are_an_eigendecomposition(planted):
    x = planted[0] * np.arange(1, WIDTH + 1)
    found = directions.principal_components(x, 4)
    values, vectors = eigen(np.cov(x.T, ddof=0))
    np.testing.assert_allclose(found.vectors, vectors[:4], atol=1e-6)
    np.testing.assert_allclose(found.values, values[:4], rtol=1e-6)
    np.testing.assert_allclose(found.share, values[:4] / values.sum(), rtol=1e-6)
    assert (np.diff(found.values) < 0).all()
    for bad in (0, WIDTH + 1):
        with pytest.raises(UserError, match=f"{bad} directions were asked for; there are 1 to 12"):
            directions.principal_components(x, bad)
    with pytest.raises(UserError, match="need at least 2"):
        directions.principal_components(x[:1], 1)
    with pytest.raises(UserError, match="nothing varies here"):
        directions.principal_components(np.ones((5, 3)), 1)


def affine_weights(network, names):
    """[w_dim, channels], from the variables themselves."""
    blocks = network.variables["params"]["synthesis"]
    parts = []
    for name in names:
        block, layer = name.split(".")
        parts.append(np.asarray(blocks[block][layer]["affine"]["weight"], np.float64))
    return np.concatenate(parts, axis=1)


@pytest.mark.parametrize("normalise", [True, False])
@pytest.mark.parametrize("torgb", [True, False])
@pytest.mark.parametrize("rows", [None, (0, 1)])
def test_closed_form_is_an_eigendecomposition(network, normalise, torgb, rows):
    names = [
        layer.name
        for layer in style_layers(network.config)
        if (torgb or layer.kind == "conv") and (rows is None or layer.w_row in rows)
    ]
    weights = affine_weights(network, names) / np.sqrt(network.config.w_dim)
    if normalise:
        weights = weights / np.linalg.norm(weights, axis=0)
    values, vectors = eigen(weights @ weights.T)
    found = directions.closed_form(network, 3, rows, normalise, torgb)
    np.testing.assert_allclose(found.values, values[:3], rtol=1e-4)
    np.testing.assert_allclose(found.vectors, vectors[:3], atol=1e-3)
    with pytest.raises(UserError, match="no style layer reads these rows alone"):
        directions.closed_form(network, 3, (99,))


def test_features_go_to_vectors_and_back(network):
    config = network.config
    ws = np.asarray(network.mapping(z_from_seeds(config, range(3)))).copy()
    ws[:, 1] += 1
    for space, wide in (("z", False), ("w", False), ("w", True), ("s", False)):
        features = directions.Features.of(config, space, wide)
        latents = {"z": ws[:, 0], "ws": ws}
        matrix = features.matrix(network, latents)
        row = matrix[0] / np.linalg.norm(matrix[0])
        direction = Direction(space, features.vectors(config, row), 1.0, "")
        directions.check_direction(config, direction)
        np.testing.assert_allclose(features.row(config, direction), row, atol=1e-6)
    assert matrix.shape[1] == sum(s.channels for s in style_layers(config) if s.kind == "conv")
    styles = {f"styles/{name}": value for name, value in network.styles(ws).items()}
    np.testing.assert_array_equal(features.matrix(network, styles), matrix)


def test_every_choice_of_features_counts(network):
    config = network.config
    plain = directions.Features.of(config, "s")
    assert "b4.torgb" in directions.Features.of(config, "s", torgb=True).layers
    assert "b4.torgb" not in plain.layers
    assert directions.Features.of(config, "s", rows=[0]).layers == ("b4.conv1",)
    with pytest.raises(UserError, match="no row 77 of W"):
        directions.Features.of(config, "s", rows=[77])
    top = config.num_ws - 1
    with pytest.raises(UserError, match="no style layer reads these rows alone"):
        directions.Features.of(config, "s", rows=[top])
    assert directions.Features.of(config, "s", torgb=True, rows=[top]).layers


def test_rows_of_other_directions(network):
    config = network.config
    features = directions.Features.of(config, "w")
    narrow = Direction("w", {"w": np.ones(config.w_dim, np.float32)}, 1.0, "")
    wide = Direction("w", {"w": np.ones((config.num_ws, config.w_dim), np.float32)}, 1.0, "")
    np.testing.assert_array_equal(features.row(config, narrow), features.row(config, wide))
    assert len(directions.Features.of(config, "w", wide=True).row(config, narrow)) == (
        config.num_ws * config.w_dim
    )
    crooked = Direction("w", {"w": np.eye(config.num_ws, config.w_dim, dtype=np.float32)}, 1.0, "")
    with pytest.raises(UserError, match=r"a.npz differs between rows of W\+"):
        features.row(config, crooked, "a.npz")
    with pytest.raises(UserError, match="is in w, not in z"):
        directions.Features.of(config, "z").row(config, narrow)


def test_merits_are_those_of_scikit_learn(planted):
    x, normal, scores = planted
    distances = x @ normal
    found = directions.measure("a", distances, {"a": scores, "b": -scores, "c": scores * 0}, 0.25)
    positive, said = scores > 0.25, distances > 0
    assert found.auc == pytest.approx(metrics.roc_auc_score(positive, distances))
    assert found.accuracy == pytest.approx(metrics.accuracy_score(positive, said))
    assert found.balanced == pytest.approx(metrics.balanced_accuracy_score(positive, said))
    assert found.positive == pytest.approx(positive.mean())
    assert found.deviation == pytest.approx(scores.std())
    assert found.correlations == {"b": pytest.approx(-found.correlation), "c": 0.0}
    assert found.correlation > 0.9 and found.population == COUNT
    assert found.guess == max(found.positive, 1 - found.positive)
    assert merits.area_under_curve(distances, np.ones(COUNT, bool)) == 0.5


def said_of(planted, **changes):
    x, normal, scores = planted
    given = {"distances": x @ normal, "scores": {"roll": scores}, "threshold": 0.0} | changes
    return " ".join(directions.measure("roll", **given).warnings())


def test_what_is_wrong_is_said(planted):
    scores = planted[2]
    assert said_of(planted) == ""
    assert "roll hardly varies: 0.0% of 600" in said_of(planted, threshold=99.0)
    other = np.random.default_rng(0).standard_normal(COUNT)
    assert "it does not tell roll: AUC 0.5" in said_of(planted, distances=other)
    yaw = {"roll": scores + 3 * other, "yaw": scores}
    assert "this direction of roll is rather one of yaw" in said_of(planted, scores=yaw)
    assert "rather one of" not in said_of(planted, scores={"roll": scores, "yaw": yaw["roll"]})
    assert "changes nothing (cosine 0.999" in said_of(planted, conditioned=0.999)
    assert said_of(planted, conditioned=0.9) == ""
    assert "nearly the direction of yaw (cosine -0.90)" in said_of(planted, cosines={"yaw": -0.9})
    assert said_of(planted, cosines={"yaw": 0.5}) == ""
    assert "other draws find other directions (cosine 0.30)" in said_of(planted, bootstrap=0.3)
    assert said_of(planted, bootstrap=0.8) == ""
