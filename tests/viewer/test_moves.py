"""What an edit moves, as readers see it, and what leaks beside it."""

import json
import time

import numpy as np
import pytest

from aligned_jax.errors import UserError
from aligned_jax.jobs.judges import NamedJudge
from aligned_jax.rendering.draw import render
from aligned_jax.rendering.latent_batch import latents_of_seeds
from aligned_jax.semantics.leakage import score_leakage
from aligned_jax.viewer import moves
from aligned_jax.viewer.kept import Kept
from aligned_jax.viewer.session import ViewSession
from aligned_jax.viewer.state import read_state

EDITS = [{"name": "2_2", "by": 4.0}, {"name": "tilt", "by": 1.0}]
STATE = {"seeds": [1, 4], "psi": 0.6, "edits": EDITS, "blend": {"child": 1, "t2": 0.5}}


def judge(images):
    """Log-odds, a mean and a colour, none of which is constant."""
    red, green = images[..., 0], images[..., 1]
    return {
        "odds": 9 * images.std((1, 2, 3)),
        "mean": images.mean((1, 2, 3)),
        "red": red.mean((1, 2)) - green.mean((1, 2)),
    }


READER = NamedJudge("test", judge, ("odds", "mean", "red"), frozenset({"odds"}))


@pytest.fixture(scope="module")
def reading(session):
    """The session with a reader."""
    return ViewSession(session.engine.family, session.engine.shelf, (READER,), samples=300)


def asked(reading, **given):
    """The result of a request that is carried out."""
    task = reading.begin_moves({"state": STATE, "edit": 0, **given})["task"]
    while (status := reading.board.get(task).status())["state"] == "running":
        time.sleep(0.01)
    assert status["state"] == "done" and status["done"] == status["total"], status
    json.dumps(status["result"])
    return status["result"]


def expected(reading, target, column):
    """Change and leakage of a column, from pictures drawn all together."""
    engine = reading.engine
    off = [{**EDITS[0], "on": False}, EDITS[1]]
    scores = []
    for edits in (off, EDITS):
        scene = engine.scene(read_state({**STATE, "edits": edits}))
        scores.append(judge(np.clip(engine.images(scene, scene.groups[0], column), -1, 1)))
    network = engine.network(scene, column)
    latents = latents_of_seeds(network.config, range(moves.PICTURES), None, 0.6)
    random = judge(np.clip(render(network, latents, scene.options), -1, 1))
    spread = {name: float(np.std(values)) for name, values in random.items()}
    change = float(np.mean(scores[1][target] - scores[0][target])) / spread[target]
    return change, score_leakage(target, scores, spread)[0]


@pytest.mark.parametrize("target", ["mean", "odds"])
def test_changes_and_leakage_are_those_of_the_pictures(reading, target):
    result = asked(reading, target=target)
    assert result["target"] == target
    assert [one["name"] for one in result["columns"]] == ["hostile_baseline_ok", "child", "blend"]
    for column, one in enumerate(result["columns"]):
        change, leakage = expected(reading, target, column)
        assert one["change"] == pytest.approx(change, rel=1e-3)
        assert one["leakage"] == pytest.approx(leakage, rel=1e-3)
        assert {name for name, _ in one["others"]} == {"odds", "mean", "red"} - {target}
        sizes = [abs(by) for _, by in one["others"]]
        assert sizes == sorted(sizes, reverse=True)


def test_without_a_target_it_is_what_moves_most(reading):
    result = asked(reading)
    parent = result["columns"][0]
    assert all(abs(parent["change"]) >= abs(by) for _, by in parent["others"])
    other = asked(reading, edit=1)
    assert other != result


def test_an_edit_that_moves_nothing_leaks_nothing_that_could_be_said(reading):
    still = {**STATE, "edits": [{"name": "2_2", "by": 0.0}]}
    result = asked(reading, state=still, target="mean")
    assert {one["leakage"] for one in result["columns"]} == {None}
    assert max(abs(one["change"]) for one in result["columns"]) < 1e-5  # rounding


def test_deviations_are_measured_once(reading):
    known = Kept(8)
    request = moves.read_moves({"state": STATE, "edit": 0}, reading.engine)
    totals = []
    for _ in range(2):
        task = reading.board.start(
            lambda task: moves.moves(reading.engine, request, task, known=known)
        )
        while task.status()["state"] == "running":
            time.sleep(0.01)
        totals.append(task.status()["total"])
    assert totals == [12 + 3 * moves.PICTURES, 12]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"edit": 2}, "edit is 2; it is the number of one of 2 on the stack"),
        ({"edit": "0", "target": "hat"}, "edit is '0'.*target is 'hat'; readers know mean, odds"),
        ({"state": {**STATE, "edits": []}}, "one of 0 on the stack"),
        ({"target": 3}, "target is 3"),
        ({"hat": 1}, "hat is unknown"),
        ({"state": {"psi": "x"}}, "psi is 'x'"),
        ({"state": 7}, "the state is 7"),
    ],
)
def test_what_cannot_be_measured_is_said(reading, given, said):
    with pytest.raises(UserError, match=said):
        reading.begin_moves({"state": STATE, "edit": 0, **given})


def test_a_reader_is_needed(client):
    assert "--reader zoo:people-reader" in client.refused("moves", {"state": STATE, "edit": 0})
