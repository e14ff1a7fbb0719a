"""The benchmark of inversion counts what a step costs, and says what a batch could gain."""

import functools
import json
import shlex

import jax
import numpy as np
import pytest

import aligned_jax as aj
from aligned_jax import features, inversion
from aligned_jax.networks import init_variables
from aligned_jax.utils import loops
from benchmarks import inversion as benchmark
from tests.networks.small_encoder import GENERATOR
from tests.standins import Nearness


@functools.cache
def network():
    return aj.Network(GENERATOR, init_variables(GENERATOR, jax.random.key(0)))


@pytest.mark.slow
def test_speed_is_measured(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(features, "lpips", lambda net: Nearness())
    aj.save(tmp_path / "G", network())
    line = ["--network", str(tmp_path / "G"), "--repeats", "1", "--batches", "2"]
    benchmark.main(line)
    text = capsys.readouterr().out
    results = json.loads(text.strip().split("\n")[-1])
    assert results["command"] == shlex.join(["python", "-m", "benchmarks.inversion", *line])
    assert [row["batch"] for row in results["rows"]] == [1, 2] * 2
    assert {row["loss"] for row in results["rows"]} == {"LPIPS-VGG", "pixels"}
    first, last = results["rows"][:2]
    # What all images share is counted once, the rest for each of them.
    each = [row["GFLOP per image and step"] for row in (first, last)]
    assert each[0] / 2 < each[1] < each[0]
    assert results["matmul_gflops"] > 0 and len(results["verdicts"]) == 2
    assert "| batch |" in text


@pytest.mark.slow
def test_a_loop_counts_once(monkeypatch):
    images = np.zeros((1, 32, 32, 3), np.uint8)
    pixels = inversion.Pixels()
    few = benchmark.step_cost(network(), images, pixels, 1)[1]
    monkeypatch.setattr(loops, "slow", lambda: False)
    assert benchmark.step_cost(network(), images, pixels, 1)[1] == pytest.approx(few, rel=1e-4)


def test_verdicts_tell_why():
    def row(gflops, faster):
        return {"loss": "L", "batch": 8, "times faster": faster, "GFLOP/s": gflops} | {
            "% of matmul": gflops
        }

    say = lambda one, many, faster: benchmark.verdict(  # noqa: E731
        [row(one, 1.0), row(many, faster)], 100e9
    )
    assert "no batch can be more than 2.0 times faster" in say(50.0, 60.0, 1.2)
    assert "would allow 10.0 times; the batch reaches 12.0" in say(10.0, 12.0, 1.2)
    assert say(10.0, 60.0, 6.0).endswith("one at a time.")
