"""Scores of runs that go on, and of conditional networks."""

import dataclasses
import re

import numpy as np
import pytest

from aligned_jax import evaluation, loading
from aligned_jax.data import open_dataset
from aligned_jax.networks import variable_shapes
from aligned_jax.networks.network import Network
from aligned_jax.runs import generator_scores, pictures
from aligned_jax.runs.launch import task_of
from tests import standins
from tests.runs import small_runs as runs


@pytest.fixture(autouse=True)
def networks(monkeypatch, tmp_path):
    """Stand-ins for the feature networks, and a cache of this test's own."""
    standins.replace(monkeypatch)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))


def points(folder, name):
    """Those of a curve, as they are drawn."""
    svg = (folder / f"scores-{name}.svg").read_text(encoding="utf-8")
    return [line.split() for line in re.findall(r'<polyline[^>]*points="([^"]*)"', svg)]


@pytest.mark.slow
def test_curves_go_on_with_the_run(tmp_path):
    config = runs.replaced("snapshots", metrics="kid_vgg", metric_images=6)
    folder = tmp_path / "run"
    assert runs.train(folder, dataclasses.replace(config, kimg=2)) == 0
    assert [len(line) for line in points(folder, "kid_vgg")] == [1]
    assert runs.train(folder, config) == 0
    assert [len(line) for line in points(folder, "kid_vgg")] == [2]
    found = [s["scores"]["kid_vgg"] for s in runs.RunFolder(folder).read_stats() if "scores" in s]
    kept = loading.load(folder / "checkpoints" / "best").provenance
    assert len(found) == 2 and kept["score"] == min(found)


def test_what_a_run_takes_back_is_not_drawn(tmp_path):
    run = runs.RunFolder(tmp_path)
    for kimg in (1, 2, 3):
        line = {"step": kimg, "kimg": kimg, "timing": {"total_seconds": 1.0}}
        run.write_stats({**line, "scores": {"kid": 1.0 / kimg}})
    drawn = pictures.SnapshotPictures(run, task_of(runs.CONFIG), runs.Images())
    drawn.scores()
    assert [len(line) for line in points(tmp_path, "kid")] == [3]
    text = (tmp_path / "scores-kid.svg").read_text(encoding="utf-8")
    assert "kid of the averaged generator" in text and pictures.KIMG in text
    run.forget_after(2, 2)
    drawn.scores()
    assert [len(line) for line in points(tmp_path, "kid")] == [2]


def test_labels_of_scored_images_are_those_of_the_data(tmp_path, monkeypatch):
    config = runs.every_kind(tmp_path)
    snapshots = dataclasses.replace(config.snapshots, metrics="fd_vgg", metric_images=12)
    config = dataclasses.replace(config, snapshots=snapshots)
    seen = []

    def evaluated(generated, reals, *rest, **run):
        seen.append(generated.labels)
        return evaluation.Scores({"fd_vgg": 1.0}, {}, [])

    monkeypatch.setattr(evaluation, "evaluate", evaluated)
    dataset = open_dataset(config.data)
    (score,) = generator_scores.scores_of(config, dataset, None)
    network = Network(config.generator, variable_shapes(config.generator))
    assert score(network, 1) == score(network, 1) == 1.0
    (labels,) = seen  # once for a snapshot
    plain = open_dataset(dataclasses.replace(config.data, mirror=False))
    np.testing.assert_array_equal(labels, evaluation.labels_like(plain, 12))
    assert set(labels.argmax(axis=1)) == {0, 1}
