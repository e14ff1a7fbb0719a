"""Models of latents: scores in W, W+ and S, and the way to directions and back."""

import numpy as np
import pytest

from aligned_jax import loading
from aligned_jax.errors import UserError
from aligned_jax.latents import concatenate_styles, z_from_seeds
from aligned_jax.semantics.direction import Direction
from aligned_jax.semantics.latent_models import (
    LatentModel,
    check_space,
    model_latents,
    model_of_direction,
    width,
)
from tests.helpers import DATA


@pytest.fixture(scope="module")
def network():
    return loading.load(DATA / "hostile_baseline_ok.pkl")


@pytest.fixture(scope="module")
def ws(network):
    return np.asarray(network.mapping(z_from_seeds(network.config, range(40))))


def random_model(network, space, rows=False):
    shape = (width(network.config, space),)
    shape = (network.config.num_ws, *shape) if rows else shape
    weights = np.random.default_rng(0).standard_normal(shape)
    return LatentModel("glasses", space, weights, 0.7, network="abc")


def test_latents_of_both_spaces(network, ws):
    np.testing.assert_array_equal(model_latents(network, ws, "w"), ws[:, 0])
    different = ws + np.arange(ws.shape[1], dtype=np.float32)[:, None]
    np.testing.assert_array_equal(model_latents(network, different, "w"), different)
    s = model_latents(network, ws, "s")
    expected = concatenate_styles(network.config, network.styles(ws))
    np.testing.assert_allclose(s, expected, rtol=1e-5, atol=1e-6)
    assert s.shape[1] == width(network.config, "s")


def test_scores(network, ws):
    model = random_model(network, "w")
    expected = ws[:, 0] @ model.weights + 0.7
    np.testing.assert_allclose(model.scores(ws[:, 0]), expected, rtol=1e-5)
    tilted = ws + np.linspace(-1, 1, ws.shape[1], dtype=np.float32)[:, None]
    np.testing.assert_allclose(model.scores(tilted), expected, rtol=1e-4, atol=1e-4)
    rows = random_model(network, "w", rows=True)
    np.testing.assert_allclose(
        rows.scores(tilted), np.einsum("nld,ld->n", tilted, rows.weights) + 0.7, rtol=1e-4
    )
    np.testing.assert_allclose(rows.scores(ws[:, 0]), rows.scores(ws), rtol=1e-5)


@pytest.mark.parametrize("space", ["w", "s"])
def test_to_a_direction_and_back(network, ws, space):
    model, latents = random_model(network, space), model_latents(network, ws, space)
    direction = model.direction(network.config, latents)
    assert direction.network == "abc" and direction.found["label"] == "glasses"
    scores = model.scores(latents)
    back = model_of_direction("glasses", direction, network.config)
    again = back.scores(latents)
    # The same boundary and order, over a positive constant.
    constant = scores.std() / again.std()
    np.testing.assert_allclose(again * constant, scores, rtol=1e-3, atol=1e-3)
    if space == "w":
        assert np.linalg.norm(direction.vectors["w"]) == pytest.approx(1, abs=1e-6)
        assert direction.sigma == pytest.approx((latents @ direction.vectors["w"]).std(), rel=1e-4)
    else:
        # One sigma of the direction moves the score by one deviation.
        moved = latents + np.concatenate(list(direction.vectors.values()))
        np.testing.assert_allclose(model.scores(moved) - scores, scores.std(), rtol=1e-3)


def test_a_missing_intercept_is_no_boundary(network):
    direction = Direction("w", {"w": np.ones(network.config.w_dim, np.float32)}, 1.0, "")
    with pytest.raises(UserError, match="no intercept"):
        model_of_direction("glasses", direction, network.config)
    assert model_of_direction("yaw", direction, network.config, binary=False).intercept == 0


def test_what_does_not_fit(network, ws):
    def refused(words, function, *arguments):
        with pytest.raises(UserError, match=words):
            function(*arguments)

    refused("linear models are in w or s", check_space, "z")
    refused("of another network", random_model(network, "w").scores, np.zeros((3, 99)))
    other = LatentModel("glasses", "w", np.zeros(99), 0.0)
    refused("of another network", other.check_network, network.config)
    still = LatentModel("glasses", "w", np.zeros(network.config.w_dim), 0.0)
    refused("leads nowhere", still.direction, network.config, ws[:, 0])
    z = Direction("z", {"z": np.ones(5, np.float32)}, 1.0, "", 0.0)
    refused("is in z", model_of_direction, "glasses", z, network.config)
    strange = Direction("s", {"b9.conv7": np.ones(5, np.float32)}, 1.0, "", 0.0)
    refused("does not fit this network: b9.conv7", model_of_direction, "x", strange, network.config)
