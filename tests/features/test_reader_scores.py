"""Calibration makes log-odds true, and scores are those of the textbook."""

import dataclasses

import numpy as np
import pytest

from aligned_jax.config.attributes import AttributeHead
from aligned_jax.features.attributes.calibration import calibrated, scored

BINARY, NUMBER = AttributeHead("glasses", "binary"), AttributeHead("yaw", "number", odd=True)
HAIR = AttributeHead("hair", "category", ("a", "b", "c"))


def test_platt_recovers_scale_and_offset():
    random = np.random.default_rng(0)
    outputs = random.normal(0, 2, (20000, 1))
    labels = (random.random(20000) < 1 / (1 + np.exp(-(0.5 * outputs[:, 0] - 1)))).astype(float)
    [head] = calibrated((BINARY,), {"glasses": outputs}, {"glasses": labels})
    assert head.scale == pytest.approx(0.5, abs=0.03)
    assert head.offset == pytest.approx(-1, abs=0.06)


def test_platt_stays_finite_where_all_are_told_apart():
    outputs = np.asarray([[-1.0], [-0.5], [0.7], [2.0]])
    [head] = calibrated((BINARY,), {"glasses": outputs}, {"glasses": np.asarray([0.0, 0, 1, 1])})
    assert 1 < head.scale <= 50 and abs(head.offset) <= 50
    [head] = calibrated((BINARY,), {"glasses": -outputs}, {"glasses": np.asarray([0.0, 0, 1, 1])})
    assert 0 < head.scale < 0.1  # never of the other sign


def test_temperature_recovers_the_scale_of_logits():
    random = np.random.default_rng(1)
    logits = random.normal(0, 3, (20000, 3))
    shares = np.exp(logits / 3)
    shares /= shares.sum(axis=1, keepdims=True)
    labels = (random.random((20000, 1)) > shares.cumsum(axis=1)).sum(axis=1).astype(float)
    [head] = calibrated((HAIR,), {"hair": logits}, {"hair": labels})
    assert head.scale == pytest.approx(1 / 3, abs=0.02) and head.offset == 0


def test_what_is_not_known_or_does_not_vary_calibrates_nothing():
    outputs = {"glasses": np.ones((3, 1)), "yaw": np.ones((3, 1))}
    labels = {"glasses": np.asarray([np.nan, 1, 1]), "yaw": np.asarray([0.0, 1, 2])}
    assert calibrated((BINARY, NUMBER), outputs, labels) == (BINARY, NUMBER)


def test_scores_of_what_is_there_or_not():
    reading = np.asarray([0.9, 0.8, 0.6, 0.1, 0.2, 0.7])
    label = np.asarray([1, 1, 0, 0, 0, np.nan])
    told = scored((BINARY,), {"glasses": reading}, {"glasses": label})["glasses"]
    assert told["images"] == 5
    assert told["accuracy"] == pytest.approx(4 / 5)
    assert told["balanced_accuracy"] == pytest.approx((1 + 2 / 3) / 2)
    assert told["chance"] == pytest.approx(3 / 5)
    assert told["auc"] == 1
    ties = scored((BINARY,), {"glasses": np.full(5, 0.3)}, {"glasses": label[:5]})["glasses"]
    assert ties["auc"] == 0.5
    assert ties["calibration_error"] == pytest.approx(0.1)


def test_scores_of_categories_numbers_and_colours():
    shares = np.eye(3)[[0, 1, 2, 0]]
    told = scored((HAIR,), {"hair": shares}, {"hair": np.asarray([0.0, 1, 1, 0])})["hair"]
    assert (told["accuracy"], told["balanced_accuracy"]) == (0.75, 0.75)
    values, labels = np.asarray([1.0, -2, 3, -1]), np.asarray([1.0, -1, 2, 1])
    told = scored((NUMBER,), {"yaw": values}, {"yaw": labels})["yaw"]
    assert told["mae"] == 1 and told["signs"] == 0.75
    assert told["r2"] == pytest.approx(1 - 6 / ((labels - labels.mean()) ** 2).sum())
    even = dataclasses.replace(NUMBER, odd=False)
    assert "signs" not in scored((even,), {"yaw": values}, {"yaw": labels})["yaw"]
    colour = AttributeHead("skin", "colour")
    label = np.asarray([[0.0, 0, 0], [1, 1, 1], [np.nan] * 3])
    told = scored((colour,), {"skin": np.full((3, 3), 0.5)}, {"skin": label})["skin"]
    assert (told["images"], told["mae"], told["r2"]) == (2, 0.5, 0.0)


def test_nothing_is_said_of_what_is_not_known():
    told = scored((BINARY,), {"glasses": np.ones(2)}, {"glasses": np.full(2, np.nan)})
    assert told == {"glasses": {"kind": "binary", "images": 0}}
