"""Scores of alignment, between networks of which the answer is known."""

import dataclasses

import numpy as np
import pytest

from aligned_jax import semantics
from aligned_jax.errors import UserError
from aligned_jax.latents import z_from_seeds
from aligned_jax.semantics import locality
from tests.planted import planted

SEEDS = range(6)


def maps_of(network, sigma, **options):
    styles = network.styles(network.mapping(z_from_seeds(network.config, SEEDS)))
    return semantics.effect_maps(network, styles, sigma, size=4, **options)


@pytest.fixture(scope="module")
def sigma():
    return semantics.latent_statistics(planted(), count=500).std


@pytest.fixture(scope="module")
def parent(sigma):
    return maps_of(planted(), sigma)


@pytest.fixture(scope="module")
def swapped(sigma):
    """Channels 0 and 1 have changed places."""
    return maps_of(planted(places=(1, 0, 2)), sigma)


def test_a_network_is_aligned_with_itself(parent):
    scores = semantics.channel_scores(parent, parent)
    assert scores.alive.tolist() == [True] * 4 + [False] * (len(parent) - 4)
    means = scores.means()
    for name in ("nearest", "nearest_in_layer", "cosine", "overlap"):
        assert means[name] == pytest.approx(1, abs=1e-6)
    assert means["leakage"] == pytest.approx(means["own_leakage"])


def test_channels_that_changed_places_are_found_out(parent, swapped):
    scores = semantics.channel_scores(parent, swapped)
    assert scores.nearest[:4].tolist() == [0, 0, 1, 1]
    assert scores.cosine[0] < 0.1 and scores.cosine[2] > 0.9
    assert scores.overlap[0] < 0.1 and scores.overlap[2] == 1
    assert scores.leakage[0] > 0.9 > scores.own_leakage[0]
    assert scores.means()["nearest"] == 0.5
    restored = semantics.channel_scores(parent, swapped, order=swapped_order(parent))
    assert restored.means()["nearest"] == 1


def swapped_order(parent):
    order = np.arange(len(parent))
    order[[0, 1]] = 1, 0
    return order


def test_neighbours_in_the_layer_are_a_choice_of_fewer(parent):
    """A channel of another layer that does the same is no rival within the layer."""
    double = dataclasses.replace(parent, signed=parent.signed.copy())
    double.signed[5] = parent.signed[0]
    double.signed[0] *= np.linspace(0.5, 1.5, 4)[None, :, None, None]
    scores = semantics.channel_scores(parent, double)
    assert parent.layer_of[5] != parent.layer_of[0]
    assert not scores.nearest[0] and scores.nearest_in_layer[0]


def test_scores_by_layer_and_resolution(parent, swapped):
    scores = semantics.channel_scores(parent, swapped)
    layers = semantics.by_layer(scores, parent)
    assert layers["b4.conv1"] == scores.means() and np.isnan(layers["b8.conv1"]["nearest"])
    assert semantics.by_resolution(scores, parent)[4] == scores.means()


def test_errors_come_from_drawing_latents_anew(parent, swapped):
    found = semantics.intervals(parent, swapped, resamples=20)
    means = semantics.channel_scores(parent, swapped).means()
    assert {name: one.value for name, one in found.items()} == means
    assert found["cosine"].error > 0
    low, high = found["cosine"].bounds
    assert low < means["cosine"] < high
    other = semantics.intervals(parent, swapped, resamples=20, seed=1)
    assert other["cosine"].error != found["cosine"].error
    assert np.isnan(semantics.intervals(parent, swapped, resamples=0)["cosine"].error)


def test_shuffled_channels_are_chance(parent):
    chance = semantics.permuted(parent, parent)
    assert 0 < chance["nearest"] < 0.2
    assert chance["nearest"] < chance["nearest_in_layer"] < 0.5
    assert abs(chance["cosine"]) < 0.3


def test_maps_that_cannot_be_compared(parent, sigma):
    with pytest.raises(UserError, match="not of the same channels"):
        semantics.channel_scores(parent, parent.take(("conv",)))
    with pytest.raises(UserError, match="by 5 and 2 sigma"):
        semantics.channel_scores(parent, dataclasses.replace(parent, strength=2.0))


@pytest.fixture(scope="module")
def elsewhere(sigma):
    """The left and right halves have changed places."""
    return maps_of(planted(shift=2), sigma)


@pytest.mark.parametrize("move", ["right:4", "flip:horizontal"])
def test_channels_that_follow_their_data_are_told_from_those_that_stay(parent, elsewhere, move):
    moved = semantics.Moved.parse(move)
    follows = semantics.locality_scores(parent, elsewhere, moved, 8)
    assert follows.follows > 0.8 > 0.3 > follows.stays and follows.share == 1
    stays = semantics.locality_scores(parent, parent, moved, 8)
    assert stays.stays == pytest.approx(1) and stays.share == 0 and stays.follows < 0.5
    # What leaves the picture cannot tell: channels 1 and 2 do, shifted to the right.
    assert follows.count == (2 if move == "right:4" else 4)


def test_a_move_along_the_other_axis_is_another_one(parent, elsewhere):
    for move in ("down:4", "flip:vertical"):
        found = semantics.locality_scores(parent, elsewhere, semantics.Moved.parse(move), 8)
        assert found.follows < 0.5
    nothing = semantics.locality_scores(parent, elsewhere, semantics.Moved.parse("none"), 8)
    assert nothing.count == 0 and np.isnan(nothing.share)


def test_half_places_are_between(parent):
    """A shift by one pixel is half a place of a map of 4."""
    maps = np.zeros((1, 4, 4, 1), np.float32)
    maps[0, 1, 1] = 2
    shifted, seen = locality._shifted(maps, 0.5, 2)
    np.testing.assert_allclose(shifted[0, 1, :, 0], [0, 1, 1, 0])
    assert seen.all()


def test_moves_that_cannot_be(parent):
    with pytest.raises(UserError, match="no move of pictures"):
        semantics.Moved.parse("left:3")
    assert semantics.Moved.parse("right:3, down:-2") == semantics.Moved(3, -2)
    with pytest.raises(UserError, match="leaves nothing"):
        semantics.locality_scores(parent, parent, semantics.Moved(right=8), 8)


def test_slopes_agree_by_sign_and_rank():
    before = np.asarray([[1.0, 1.1], [-2.0, -2.1], [0.1, -0.1], [3.0, 3.0]])
    after = np.asarray([[0.5, 0.5], [2.0, 2.0], [0.0, 0.0], [9.0, 9.0]])
    found = semantics.slope_agreement(before, after)
    assert (found.sure, found.sign) == (3, pytest.approx(2 / 3))
    # Ranks 3 1 2 4 against 2 3 1 4.
    assert found.spearman == pytest.approx(1 - 6 * (1 + 4 + 1 + 0) / (4 * 15))
    assert np.isnan(semantics.slope_agreement(0 * before, after).sign)


def test_attributes_agree_by_rank():
    first = {"hair": np.asarray([1.0, 2, 2, 4]), "smile": np.zeros(4), "age": np.arange(4.0)}
    second = {"hair": np.asarray([10.0, 20, 20, 30]), "smile": np.arange(4.0)}
    found = semantics.attribute_agreement(first, second)
    assert list(found) == ["hair", "smile"]
    assert found["hair"] == pytest.approx(1) and np.isnan(found["smile"])
    with pytest.raises(UserError, match="no attribute in common"):
        semantics.attribute_agreement(first, {"fur": np.zeros(4)})
