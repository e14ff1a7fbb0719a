"""Seeds whose pictures fulfil conditions: the words, the choice, and what is recorded."""

import math

import numpy as np
import pytest

from aligned_jax import jobs
from aligned_jax.errors import UserError
from aligned_jax.jobs.accepting import accepted, parse_where, seeds_to_try
from aligned_jax.jobs.judges import NamedJudge, SeedScores
from tests.jobs.small_inputs import PARENT

INF = math.inf


def light(images):
    return {"light": images.mean(axis=(1, 2, 3)), "odds": 4 * images[:, 0, 0, 0]}


JUDGE = NamedJudge("light", light, ("light", "odds"), frozenset({"odds"}))


@pytest.fixture(scope="module")
def drawing():
    return jobs.generate(PARENT, "0-39", batch=8)


@pytest.fixture(scope="module")
def scores(drawing):
    return light(np.clip(drawing.images(), -1, 1))


def test_conditions():
    found = parse_where("glasses>0.8, yaw=-10..10 ,age<=-.5e1,hair=long,hair=long<0.5,a = 1 .. 2")
    assert [(one.name, one.low, one.high) for one in found] == [
        ("glasses", 0.8, INF),
        ("yaw", -10, 10),
        ("age", -INF, -5),
        ("hair=long", 0.5, INF),
        ("hair=long", -INF, 0.5),
        ("a", 1, 2),
    ]
    with pytest.raises(UserError) as refused:
        parse_where("yaw=3..1,,a>b,ok>1,x..y")
    assert "'yaw=3..1', '', 'a>b', 'x..y': a condition is" in str(refused.value)


def test_those_that_fulfil_all_are_kept_in_order(drawing, scores):
    middle = float(np.median(scores["light"]))
    fine = np.flatnonzero(scores["light"] >= middle)
    found = accepted(drawing, JUDGE, f"light>{middle!r}", None)
    assert found.latents.numbers.tolist() == fine.tolist()
    assert found.facts["where"] == {
        "conditions": f"light>{middle!r}",
        "judge": "light",
        "judge_sha256": None,
        "tried": 40,
        "accepted": len(fine),
    }
    few = accepted(drawing, JUDGE, f"light>{middle!r}", 3)
    assert few.latents.numbers.tolist() == fine[:3].tolist()
    assert few.facts["where"]["tried"] == fine[2] + 1
    low = accepted(drawing, JUDGE, f"light<{middle!r}", None)
    assert not {*low.latents.numbers} & {*found.latents.numbers[scores["light"][fine] > middle]}
    both = accepted(drawing, JUDGE, f"light>{middle!r},odds>0.5", None)
    expected = np.flatnonzero((scores["light"] >= middle) & (scores["odds"] >= 0))
    assert both.latents.numbers.tolist() == expected.tolist()


def test_a_name_alone_is_more_likely_than_not(drawing, scores):
    found = accepted(drawing, JUDGE, "odds", None)
    assert found.latents.numbers.tolist() == np.flatnonzero(scores["odds"] >= 0).tolist()
    surer = accepted(drawing, JUDGE, "odds>0.7", None)
    limit = math.log(0.7 / 0.3)
    assert surer.latents.numbers.tolist() == np.flatnonzero(scores["odds"] >= limit).tolist()


def test_scores_by_seed_need_no_picture(drawing, monkeypatch):
    table = SeedScores(np.arange(40)[::-1].copy(), {"light": np.arange(40, dtype=np.float32)})

    def batches(self, report=None):
        raise AssertionError("it draws")

    monkeypatch.setattr(type(drawing), "batches", batches)
    found = accepted(drawing, table, "light=10..12", None)
    assert found.latents.numbers.tolist() == [27, 28, 29]
    few = accepted(drawing, table, "light>0", 2)
    assert few.latents.numbers.tolist() == [0, 1] and few.facts["where"]["tried"] == 2


def test_seeds_to_try():
    assert seeds_to_try(JUDGE) == "0-4999" and seeds_to_try(JUDGE, tries=7) == "0-6"
    assert seeds_to_try(JUDGE, "3,5") == "3,5" and seeds_to_try(JUDGE, (3, 5)) == [3, 5]
    table = SeedScores(np.asarray([9, 4, 2]), {"light": np.zeros(3, np.float32)})
    assert seeds_to_try(table, tries=2) == [9, 4]


@pytest.mark.parametrize(
    ("where", "count", "said"),
    [
        ("light>5", None, "of 40 seeds 0 fulfil light>5, and 1 are wanted"),
        ("light>-5", 41, "of 40 seeds 40 fulfil light>-5, and 41 are wanted"),
        ("dark>1", None, "light does not know dark; it knows light, odds"),
        ("odds>1.5", None, "a probability is between 0 and 1"),
        ("light", None, "say above, below or between what"),
        ("light>0", 0, "0 pictures were wanted"),
    ],
)
def test_what_cannot_be_accepted(drawing, where, count, said):
    with pytest.raises(UserError, match=said):
        accepted(drawing, JUDGE, where, count)
