"""Directions from words, where it is known which channel does what."""

import dataclasses

import jax
import numpy as np
import pytest

from aligned_jax import jobs, loading
from aligned_jax.errors import UserError
from aligned_jax.jobs import relevance
from aligned_jax.jobs.relevance import index_folder, known_index
from aligned_jax.jobs.statistics import known_statistics
from aligned_jax.semantics import text
from tests.helpers import DATA, same_bits
from tests.planted import BLUE, GREEN, RED, planted_clip, planted_network

INDEX = jobs.IndexOptions(seeds=8, group=4, samples=500)
OPTIONS = jobs.TextOptions(index=INDEX)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture(scope="module")
def network():
    return planted_network()


@pytest.fixture(scope="module")
def seer():
    return planted_clip()


@pytest.fixture(scope="module")
def find(network, seer):
    def found(target, neutral="a face", unreliable=False, **options):
        asked = dataclasses.replace(OPTIONS, **options)
        return jobs.text_direction(
            network,
            target=target,
            neutral=neutral,
            clip=seer,
            options=asked,
            unreliable=unreliable,
        )

    return found


# What is found


@pytest.mark.parametrize(
    ("word", "channel", "name"), [("red", RED, "3_3"), ("green", GREEN, "0_0")]
)
def test_the_planted_channel_comes_first_and_with_its_sign(find, network, word, channel, name):
    found = find(f"a {word} face")
    assert next(iter(found.relevances)) == name
    layer, number = channel
    sigma = known_statistics(network, count=INDEX.samples).std[layer][number]
    direction = found.direction
    assert (direction.space, direction.sigma) == ("s", 1.0)
    assert direction.vectors[layer][number] == pytest.approx(sigma, rel=1e-5)
    assert found.problem == "" and found.rise > 0 and found.rose == 1
    assert found.agreement > 0.99 and found.chance == 0
    assert direction.found["merits"]["rose"] == 1
    # The other way round it leads the other way, and the score of what is named rises again.
    back = find("a face", f"a {word} face")
    assert back.direction.vectors[layer][number] == pytest.approx(-sigma, rel=1e-5)
    assert back.rise > 0


def test_psi_never_changes_a_shift(find):
    vectors = [
        find("a red face", index=dataclasses.replace(INDEX, psi=psi)).direction.vectors[RED[0]][3]
        for psi in (0.2, 1.0)
    ]
    assert vectors[0] == vectors[1]


def test_a_word_without_meaning_is_told_apart(find):
    with pytest.raises(UserError, match=r"no reliable direction from 'a face' to 'a blorp face'"):
        find("a blorp face")
    kept = find("a blorp face", unreliable=True)
    assert "of random directions" in kept.problem
    assert kept.chance > 0.05


def test_seeds_that_disagree_are_told_apart(find):
    """Blue goes up in some of them, and down in the others, by the same channel."""
    with pytest.raises(UserError, match=r"the seeds agree by .* only"):
        find("a blue face", index=dataclasses.replace(INDEX, seeds=24, group=2))


def test_one_group_of_seeds_cannot_agree(find):
    with pytest.raises(UserError, match="agree by nan"):
        find("a red face", index=dataclasses.replace(INDEX, group=8))


def test_texts_that_are_the_same_are_refused(find):
    with pytest.raises(UserError, match="are the same to this CLIP"):
        find("a nice face", "a face")


# Options


def test_thresholds(find):
    many, few = (find("a red face", threshold=value) for value in (0.001, 0.5))
    assert len(many.relevances) > len(few.relevances) == 1
    assert set(few.direction.vectors) == {RED[0]}
    with pytest.raises(UserError, match=r"relevance of 0.999; the largest .* one is 0\.9\d+"):
        find("a red face", threshold=0.999)


def test_layers(find):
    only = find("a red face", layers=("b4.conv1",), unreliable=True)
    assert set(only.direction.vectors) == {"b4.conv1"}
    with pytest.raises(UserError, match="no such style layer"):
        find("a red face", layers=("b9.conv1",))


def test_templates_change_the_direction(find):
    plain, photo = (
        find("a red face", templates=(template,), threshold=0.01)
        for template in ("{}", "a photo of {}")
    )
    # In a photo red is a little green, as the planted CLIP has it.
    assert photo.relevances["0_0"] > plain.relevances.get("0_0", 0) + 0.2
    for wrong in ((), ("a photo",), ("{} and {}",)):
        with pytest.raises(UserError, match="once each"):
            find("a red face", templates=wrong)


def test_strength_is_at_which_the_score_is_tried(find):
    small, large = (find("a red face", strength=value) for value in (0.1, 3.0))
    assert large.rise > 2 * small.rise > 0


def test_more_seeds_are_measured(network, seer):
    index = known_index(network, seer, dataclasses.replace(INDEX, seeds=6))
    assert index.counts.tolist() == [4, 2]
    shifted = known_index(network, seer, dataclasses.replace(INDEX, seeds=6, first=1))
    assert not np.array_equal(index.means, shifted.means)


@pytest.mark.parametrize("wrong", [{"seeds": 0}, {"group": 0}])
def test_no_seeds_are_refused(wrong):
    with pytest.raises(UserError, match="at least 1"):
        dataclasses.replace(INDEX, **wrong)


# The index


def test_dead_channels_are_zero_and_left_out(network, seer):
    index = known_index(network, seer, INDEX)
    alive = {
        channel for channel, is_alive in zip(index.channels, index.alive, strict=True) if is_alive
    }
    assert alive == {RED, GREEN, BLUE}
    assert not any("torgb" in layer for layer, _ in index.channels)


def test_the_order_of_channels_does_not_matter(network, seer):
    """Every channel is moved in fresh styles, whose others are what the seed has."""
    index = known_index(network, seer, INDEX)
    statistics = known_statistics(network, count=INDEX.samples)
    [(styles, kept), *_] = relevance._seed_groups(network, INDEX)
    before = {layer: np.asarray(value).copy() for layer, value in styles.items()}
    embed = jax.tree_util.Partial(relevance._embed, seer)
    for place in reversed(range(len(index.channels))):
        layer, number = index.channels[place]
        middle, sigma = statistics.mean[layer][number], statistics.std[layer][number]
        ends = (middle - 5 * sigma, middle + 5 * sigma)
        change = text.channel_changes(network, embed, styles, (layer, number), *ends)[:kept]
        np.testing.assert_allclose(change.mean(axis=0), index.means[0, place], atol=1e-6)
    assert same_bits(before, {layer: np.asarray(value) for layer, value in styles.items()})


def test_an_index_goes_on_where_it_was_stopped(network, seer, monkeypatch):
    monkeypatch.setattr(relevance, "_BLOCK", 4)
    measured = []

    def stopping(limit):
        def counted(network, embed, styles, channel, low, high):
            if len(measured) == limit:
                raise KeyboardInterrupt
            measured.append(channel)
            return text.channel_changes(network, embed, styles, channel, low, high)

        monkeypatch.setattr(relevance, "channel_changes", counted)

    stopping(13)  # of 12 channels in 2 groups each; the first four are done after 8
    with pytest.raises(KeyboardInterrupt):
        known_index(network, seer, INDEX)
    stopping(None)
    measured.clear()
    index = known_index(network, seer, INDEX)
    assert len(measured) == 2 * 8 and ("b4.conv1", 0) not in measured
    measured.clear()
    again = known_index(network, seer, INDEX)
    assert not measured and same_bits(index.means, again.means)


def test_damaged_parts_are_measured_again(network, seer):
    index = known_index(network, seer, INDEX)
    [file] = index_folder(network, seer, INDEX).iterdir()
    file.write_bytes(file.read_bytes()[:100])
    assert same_bits(known_index(network, seer, INDEX).means, index.means)


def test_an_index_is_of_one_network_and_one_clip(network, seer):
    folders = {
        index_folder(network, seer, INDEX),
        index_folder(loading.load(DATA / "generator_skip32.pkl"), seer, INDEX),
        index_folder(network, dataclasses.replace(seer, variables={"weights": np.ones(1)}), INDEX),
        index_folder(network, seer, dataclasses.replace(INDEX, psi=1.0)),
        index_folder(network, seer, dataclasses.replace(INDEX, seeds=9)),
    }
    assert len(folders) == 5


# The sheet


def test_a_sheet_shows_thresholds_by_strengths(network, seer):
    def drawn(**more):
        words = {"target": "a red face", "neutral": "a face"}
        return jobs.text_sheet(network, **words, clip=seer, options=OPTIONS, **more)

    sheet = drawn(strengths=(-4.0, 0.0, 4.0), thresholds=(0.01, 0.5), seeds=(3, 4))
    assert sheet.images.shape == (2, 6, 8, 8, 3)
    assert sheet.columns[:3] == ("seed 3 -4", "seed 3 +0", "seed 3 +4")
    assert sheet.rows[1] == "0.500: 1 channel"
    red = sheet.images[1, :, 0, 0, 0].astype(int)
    assert red[0] < red[1] < red[2] and red[3] < red[4] < red[5]
    assert not np.array_equal(sheet.images[0], sheet.images[1])
    assert len(drawn().rows) > 1
    with pytest.raises(UserError, match="strengths and seeds"):
        drawn(strengths=())
