"""Readers: what they tell of pictures, the judge's contract, and the mirror."""

import dataclasses

import numpy as np
import pytest

from aligned_jax.config.attributes import AttributeHead, ReaderConfig, usual_widths
from aligned_jax.errors import ConfigError, UserError
from aligned_jax.features.attributes.reader import fitted
from tests.labelled_pictures import HEADS, noise, reader


@pytest.fixture(scope="module")
def known():
    return reader()


def test_what_a_reader_tells(known):
    told = known(noise(5))
    assert set(told) == {"glasses", "hair", "skin", "age", "yaw"}
    assert all(value.dtype == np.float32 and len(value) == 5 for value in told.values())
    assert told["glasses"].shape == (5,) and ((told["glasses"] > 0) & (told["glasses"] < 1)).all()
    np.testing.assert_allclose(told["hair"].sum(axis=1), 1, rtol=1e-5)
    assert told["skin"].shape == (5, 3) and told["skin"].min() >= 0 and told["skin"].max() <= 1
    assert told["age"].std() > 0


def test_a_judge_tells_log_odds_and_values(known):
    images = noise(4)
    told, scores = known(images), known.judge()(images)
    names = ("glasses", "hair=curly", "hair=long", "hair=short")
    colours = ("skin.red", "skin.green", "skin.blue", "skin.lightness")
    assert tuple(scores) == known.config.scores == (*names, *colours, "age", "yaw")
    assert all(v.shape == (4,) and v.dtype == np.float32 for v in scores.values())
    odds = np.log(told["glasses"]) - np.log1p(-told["glasses"])
    np.testing.assert_allclose(scores["glasses"], odds, atol=1e-5)
    for k, name in enumerate(("curly", "long", "short")):
        share = told["hair"][:, k].astype(np.float64)
        np.testing.assert_allclose(scores[f"hair={name}"], np.log(share / (1 - share)), atol=1e-4)
    assert (scores["age"] == told["age"]).all()
    light = told["skin"] @ np.float32([0.2126, 0.7152, 0.0722])
    np.testing.assert_allclose(scores["skin.lightness"], light, rtol=1e-5)
    assert (scores["skin.red"] == told["skin"][:, 0]).all()


def test_the_mirror_negates_what_is_odd_and_nothing_else(known):
    images = noise(6)
    plain, mirrored = known(images), known(images[:, :, ::-1])
    assert np.abs(plain["yaw"]).max() > 1e-3
    assert (mirrored["yaw"] == -plain["yaw"]).all()
    for name in ("glasses", "hair", "skin", "age"):
        np.testing.assert_allclose(mirrored[name], plain[name], atol=1e-6)
    alone = reader(mirror=False)
    assert np.abs(alone(images[:, :, ::-1])["yaw"] + alone(images)["yaw"]).max() > 1e-3


def test_other_sizes_and_channels(known):
    small = noise(3)
    flat = np.broadcast_to(small[:, :1, :1], small.shape)
    for name, value in known(flat).items():
        np.testing.assert_allclose(known(flat.repeat(5, axis=1))[name], value, atol=1e-4)
    # Antialiased: stripes that are finer than what is looked at become their mean.
    stripes = np.broadcast_to(np.tile(np.float32([1, -1]), 32)[:, None], (1, 64, 64, 3))
    assert np.abs(np.asarray(fitted(stripes, 8))[:, :, 1:-1]).max() < 0.05
    ink = noise(2, 8, 8, 1)
    assert (known(ink)["age"] == known(ink.repeat(3, axis=-1))["age"]).all()
    opaque = np.concatenate([small, np.ones((3, 8, 8, 1), np.float32)], axis=-1)
    np.testing.assert_allclose(known(opaque)["age"], known(small)["age"], rtol=1e-5)
    clear = np.concatenate([small, -np.ones((3, 8, 8, 1), np.float32)], axis=-1)
    white = np.ones((3, 8, 8, 3), np.float32)
    np.testing.assert_allclose(known(clear)["age"], known(white)["age"], rtol=1e-5)


def test_values_beyond_white_are_clipped_and_batches_do_not_matter(known):
    images = noise(5) * 2
    told = known(images)
    assert (known(np.clip(images, -1, 1))["age"] == told["age"]).all()
    np.testing.assert_allclose(known(images, batch=2)["age"], told["age"], rtol=1e-5)


@pytest.mark.parametrize(
    ("images", "said"),
    [
        (noise(2)[0], "got shape [8, 8, 3]"),
        (noise(1, 8, 8, 2), "got shape [1, 8, 8, 2]"),
        (np.zeros((1, 8, 8, 3), np.uint8), "got uint8"),
        (np.full((1, 8, 8, 3), np.nan, np.float32), "finite"),
        (noise(1)[:0], "no pictures"),
    ],
)
def test_pictures_that_cannot_be_read(known, images, said):
    with pytest.raises(UserError) as refused:
        known(images)
    assert said in str(refused.value)


def test_scale_and_offset_change_log_odds():
    plain = reader()
    heads = (dataclasses.replace(HEADS[0], scale=2.0, offset=-1.0), *HEADS[1:])
    moved = dataclasses.replace(plain, config=dataclasses.replace(plain.config, heads=heads))
    images = noise(3)
    before, after = plain.judge()(images), moved.judge()(images)
    np.testing.assert_allclose(after["glasses"], 2 * before["glasses"] - 1, atol=1e-5)
    assert (after["hair=long"] == before["hair=long"]).all()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"heads": ()}, "0 attributes"),
        ({"heads": (HEADS[0], HEADS[0])}, "twice: glasses"),
        ({"resolution": 9}, "halved"),
        ({"widths": (7,)}, "multiples of 8"),
        ({"dense": 0}, "dense is 0"),
        ({"parts": ("hair",)}, "parts are hair"),
    ],
)
def test_sizes_that_cannot_be(change, said):
    with pytest.raises(ConfigError, match=said):
        ReaderConfig(**{"heads": HEADS, "resolution": 8, "widths": (8,)} | change)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"name": ""}, "no printable name"),
        ({"name": "a>b"}, "which conditions use"),
        ({"kind": "smell"}, "kinds are binary"),
        ({"kind": "category", "values": ("one",)}, "1 values"),
        ({"kind": "category", "values": ("one", "one", "two")}, "twice"),
        ({"values": ("one", "two")}, "no category"),
        ({"odd": True}, "sign in the mirror"),
        ({"scale": 0.0}, "must be positive"),
        ({"mean": float("nan")}, "finite"),
    ],
)
def test_attributes_that_cannot_be(change, said):
    with pytest.raises(ConfigError, match=said):
        AttributeHead(**{"name": "glasses", "kind": "binary"} | change)


def test_stages_end_at_four_pixels():
    assert [usual_widths(side) for side in (8, 64, 96, 10)] == [
        (16,),
        (16, 32, 64, 96),
        (16, 32, 64, 96),
        (16,),
    ]
    assert len(usual_widths(256)) == 6
