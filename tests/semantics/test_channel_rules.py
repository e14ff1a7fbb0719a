"""Rules that find style channels, in a network where it is known what each one does."""

import numpy as np
import pytest

from aligned_jax import semantics
from aligned_jax.errors import UserError
from aligned_jax.latents import z_from_seeds
from tests.planted import LAYER, PARTS, judge, planted, segment

SEEDS = range(6)


@pytest.fixture(scope="module")
def network():
    return planted()


@pytest.fixture(scope="module")
def styles(network):
    return network.styles(network.mapping(z_from_seeds(network.config, SEEDS)))


@pytest.fixture(scope="module")
def statistics(network):
    return semantics.latent_statistics(network, count=500)


@pytest.fixture(scope="module")
def maps(network, styles, statistics):
    return semantics.effect_maps(network, styles, statistics.std, size=4)


@pytest.fixture(scope="module")
def gradients(network, styles):
    return semantics.style_gradients(network, styles, size=8)


def parts(network, styles):
    return segment(np.asarray(network.render(styles)))


@pytest.mark.parametrize("part", range(3))
def test_the_channel_of_a_part_comes_first(network, styles, gradients, part):
    votes = semantics.part_votes(gradients, parts(network, styles))
    first = votes.ranking(part)[0]
    assert first == part and votes.accepted(part)[first]
    assert votes.frequency[first, part] == 1
    assert votes.inside[part].argmax() == part
    assert votes.inside[first, part] > 0.8 > 2 * votes.inside[3, part], "3 moves the whole picture"


def test_votes_are_counted_as_the_rule_says():
    """One channel, two pictures: by hand."""
    gradients = np.zeros((2, 1, 2, 2), np.float32)
    gradients[0, 0] = [[4, 3], [2, 1]]
    gradients[1, 0] = [[1, 2], [3, 4]]
    covered = np.zeros((2, 2, 2, 1), np.float32)
    covered[:, 0, :, 0] = 1  # the upper row; the rest is the lower one
    votes = semantics.part_votes(gradients, covered)
    np.testing.assert_allclose(votes.frequency, [[0.5, 0.5]])
    np.testing.assert_allclose(votes.inside, [[0.5 * (0.7 + 0.3), 0.5 * (0.3 + 0.7)]])
    np.testing.assert_array_equal(votes.pictures, [2, 2])
    assert votes.ahead(0) == 0 and not votes.accepted(0)


def test_a_part_counts_where_it_is():
    gradients = np.ones((2, 1, 2, 2), np.float32)
    gradients[:, 0, 0, 0] = 2
    covered = np.zeros((2, 2, 2, 1), np.float32)
    covered[1, 0, 0, 0] = 1  # only in the second picture
    votes = semantics.part_votes(gradients, covered)
    assert votes.frequency[0, 0] == 1 and votes.pictures.tolist() == [1, 2]


def test_channels_without_gradient_get_no_votes(network, styles, gradients):
    votes = semantics.part_votes(gradients, parts(network, styles))
    dead = gradients.sum(axis=(0, 2, 3)) == 0
    assert dead.any() and not votes.frequency[dead].any()


def test_parts_that_do_not_fit(gradients):
    with pytest.raises(UserError, match=r"expected \[6, 8, 8, K\]"):
        semantics.part_votes(gradients, np.zeros((6, 4, 4, 1), np.float32))
    with pytest.raises(UserError, match="none of the pictures"):
        semantics.part_votes(gradients, np.zeros((6, 8, 8, 1), np.float32))


@pytest.mark.parametrize("part", range(3))
def test_the_channel_of_an_attribute_comes_first_with_its_sign(network, statistics, part):
    z = z_from_seeds(network.config, range(300))
    styles = network.styles(network.mapping(z))
    scores = judge(np.asarray(network.render(styles)))[PARTS[part]]
    for order, sign in ((np.argsort(-scores), 1), (np.argsort(scores), -1)):
        chosen = {name: np.asarray(value)[order[:10]] for name, value in styles.items()}
        shift, relevance = semantics.attribute_relevance(chosen, statistics.mean, statistics.std)
        assert relevance.argmax() == part
        assert np.sign(shift[part]) == sign
    assert relevance[4:].max() == 0, "channels that never vary"


def test_relevance_is_mean_over_deviation():
    styles = {"b4.conv1": np.asarray([[3.0, 1.0], [5.0, 1.0]])}
    mean, std = {"b4.conv1": np.asarray([1.0, 0.0])}, {"b4.conv1": np.asarray([2.0, 0.0])}
    shift, relevance = semantics.attribute_relevance(styles, mean, std)
    np.testing.assert_allclose(shift, [1.5, 0])
    np.testing.assert_allclose(relevance, [1.5 / 0.5, 0])
    with pytest.raises(UserError, match="1 example"):
        one = {name: value[:1] for name, value in styles.items()}
        semantics.attribute_relevance(one, mean, std)


def test_the_survey_tells_local_channels_from_global_ones(maps):
    found = semantics.survey(maps)
    assert (found.effect[4:] == 0).all() and (found.effect[:4] > 0).all()
    assert found.leakage[3] > found.leakage[:3].max()
    # Channel 3 moves what all of them move.
    assert found.entanglement[3] == pytest.approx(found.entanglement[:3].max())
    assert found.entanglement[4:].max() == 0


def test_judged_slopes_find_what_a_channel_moves(network, styles, statistics):
    channels = [(LAYER, 2), (LAYER, 0), ("b8.conv1", 0)]
    found = semantics.responses(
        network, styles, channels, statistics.std, judge, strength=2.0, batch=4
    )
    assert {value.shape for value in found.values()} == {(3, len(SEEDS))}
    assert found["upper right"][0].mean() > 10 * abs(found["upper left"][0].mean())
    assert found["upper left"][1].mean() > 10 * abs(found["upper right"][1].mean())
    assert not any(value[2].any() for value in found.values())


@pytest.mark.parametrize(
    ("judge_of", "message"),
    [
        (lambda images: {}, "gave no scores"),
        (lambda images: {"a": images[:, 0]}, "a has shape"),
        (lambda images: {"a": np.full(len(images), np.nan)}, "a has nan"),
    ],
)
def test_judges_that_do_not_score(judge_of, message):
    with pytest.raises(UserError, match=message):
        semantics.judged(judge_of, np.zeros((2, 8, 8, 3)))
    with pytest.raises(UserError, match="knows no smile; it knows bright"):
        semantics.judged(lambda images: {"bright": images.mean((1, 2, 3))}, np.zeros((2, 8, 8, 3)),
                         ["smile"])  # fmt: skip
