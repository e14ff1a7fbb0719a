"""Training of readers: losses, the mirror, and that what is there to learn is learnt."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from aligned_jax.config.attributes import AttributeHead, ReaderConfig
from aligned_jax.errors import ConfigError
from aligned_jax.features.attributes import Reader
from aligned_jax.training.attributes import (
    ReaderTraining,
    augmented,
    head_loss,
    mirrored_labels,
    train_heads,
)
from tests.helpers import same_bits
from tests.labelled_pictures import SIDE, drawn

YAW = AttributeHead("yaw", "number", (), 0.0, 2.0, odd=True)
GLASSES = AttributeHead("glasses", "binary")
CONFIG = ReaderConfig((GLASSES, YAW), SIDE, (8,), 8)
SHORT = ReaderTraining(epochs=1, batch=8, seed=1)


@pytest.fixture(scope="module")
def data():
    images, table = drawn(256)
    labels = {
        "glasses": np.float32([row["glasses"] == "yes" for row in table]),
        "yaw": np.float32([row["yaw"] for row in table]),
    }
    return images, labels


def test_losses_are_those_of_the_textbook():
    odds = jnp.float32([[2.0], [-1.0]])
    label = jnp.float32([1, 0])
    expected = -np.log([1 / (1 + np.exp(-2)), 1 - 1 / (1 + np.exp(1))]).mean()
    assert float(head_loss(GLASSES, odds, label)) == pytest.approx(expected, rel=1e-5)
    hair = AttributeHead("hair", "category", ("a", "b"))
    logits = jnp.float32([[0.0, 1.0]])
    expected = np.log(1 + np.exp(1))
    assert float(head_loss(hair, logits, jnp.float32([0]))) == pytest.approx(expected, rel=1e-5)
    output = jnp.float32([[0.5]])
    assert float(head_loss(YAW, output, jnp.float32([3]))) == pytest.approx((0.5 - 1.5) ** 2)
    skin = AttributeHead("skin", "colour")
    told = head_loss(skin, jnp.zeros((1, 3)), jnp.float32([[1, 0.5, 0]]))
    assert float(told) == pytest.approx(2 * (1 + 0 + 1) / 3)


@pytest.mark.parametrize("kind", ["binary", "category", "colour", "number"])
def test_what_is_not_known_counts_nothing(kind):
    values = ("a", "b") if kind == "category" else ()
    head = AttributeHead("x", kind, values)
    output = jax.random.normal(jax.random.key(0), (3, head.width))
    shape = (3, 3) if kind == "colour" else (3,)
    label = jnp.ones(shape).at[1].set(jnp.nan)
    rows = np.asarray([0, 2])
    expected = float(head_loss(head, output[rows], label[rows]))
    loss, slope = jax.value_and_grad(lambda o: head_loss(head, o, label))(output)
    assert float(loss) == pytest.approx(expected, rel=1e-5)
    assert np.isfinite(slope).all() and (np.asarray(slope)[1] == 0).all()
    assert float(head_loss(head, output, jnp.full(shape, jnp.nan))) == 0


def test_the_mirror_negates_labels_of_what_is_odd():
    labels = {"glasses": jnp.float32([1, 1]), "yaw": jnp.float32([2, 3])}
    found = mirrored_labels(CONFIG.heads, labels, jnp.asarray([True, False]))
    assert found["yaw"].tolist() == [-2, 3] and found["glasses"].tolist() == [1, 1]


def test_augmented_pictures_are_moved_blurred_and_noisy_each_in_its_own_way():
    images = jnp.zeros((16, 64, 64, 3)).at[:, 32, 32].set(5)
    found = np.asarray(augmented(jax.random.key(0), images))
    peaks = {np.unravel_index(one.sum(axis=-1).argmax(), (64, 64)) for one in found}
    assert len(peaks) > 5 and all(abs(x - 32) <= 3 and abs(y - 32) <= 3 for x, y in peaks)
    assert found.max(axis=(1, 2, 3)).std() > 0.05  # blur
    corners = found[:, :8, :8].std(axis=(1, 2, 3))
    assert corners.max() < 0.1 and corners.std() > 0.01  # noise


@pytest.mark.slow
@pytest.mark.optimised
def test_a_reader_learns_what_is_there_to_see(data):
    images, labels = data
    options = ReaderTraining(epochs=20, batch=16, learning_rate=1e-2, augment=False)
    params = train_heads(CONFIG, options, images[:192], {k: v[:192] for k, v in labels.items()})
    told = Reader(CONFIG, {"attributes": params})(images[192:].astype(np.float32) / 127.5 - 1)
    assert ((told["glasses"] > 0.5) == (labels["glasses"][192:] > 0.5)).mean() > 0.95
    assert np.corrcoef(told["yaw"], labels["yaw"][192:])[0, 1] > 0.9


@pytest.mark.slow
def test_the_same_arguments_give_the_same_bits_and_every_option_others(data):
    images, labels = (data[0][:32], {k: v[:32] for k, v in data[1].items()})
    told = []
    plain = train_heads(CONFIG, SHORT, images, labels, lambda *said: told.append(said))
    assert sum(count for count, _ in told) == 32 and told[0][1].startswith("loss ")
    assert same_bits(train_heads(CONFIG, SHORT, images, labels), plain)
    for change in (
        {"epochs": 2},
        {"batch": 16},
        {"learning_rate": 1e-3},
        {"seed": 2},
        {"flip": False},
        {"augment": False},
    ):
        other = train_heads(CONFIG, dataclasses.replace(SHORT, **change), images, labels)
        assert not same_bits(other, plain), change


def test_options_that_cannot_be():
    with pytest.raises(ConfigError) as refused:
        ReaderTraining(epochs=0, batch=0, learning_rate=2.0, seed=-1)
    for said in ("epochs is 0", "batch is 0", "learning_rate is 2.0", "seed is -1"):
        assert said in str(refused.value)
