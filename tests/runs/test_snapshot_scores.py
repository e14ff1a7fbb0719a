"""Scores of snapshots, and the best network, while a run trains."""

import dataclasses
import json
import re
import shutil

import jax
import pytest

from aligned_jax import evaluation, loading
from aligned_jax.data import open_dataset
from aligned_jax.errors import ConfigError, UserError
from aligned_jax.runs import generator_scores, pictures
from aligned_jax.runs.config import TrainConfig
from tests import standins
from tests.runs import small_runs as runs


@pytest.fixture
def networks(monkeypatch, tmp_path):
    """Stand-ins for the feature networks, and a cache of this test's own."""
    monkeypatch.setattr(evaluation, "load", lambda name: standins.networks()[name])
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))


# No more images than there are features, so that there is something to warn of.
SCORED = runs.replaced("snapshots", metrics="kid_vgg,pr_vgg,fd_vgg", metric_images=6)


@pytest.mark.slow
def test_scores_of_a_run(networks, tmp_path, capfd):
    folder = tmp_path / "run"
    assert runs.train(folder, SCORED) == 0
    lines = runs.RunFolder(folder).read_stats()
    found = {line["kimg"]: line["scores"] for line in lines if "scores" in line}
    assert found.keys() == {2, 3}  # the snapshots that are kept
    names = {"kid_vgg", "precision_vgg", "recall_vgg", "fd_vgg"}
    assert all(s.keys() == names for s in found.values())
    assert capfd.readouterr().err.count("warning: fd_vgg: 6 images are no more than the 6") == 1
    for name in names:
        curve = (folder / f"scores-{name}.svg").read_text()
        assert name in curve and curve.count(",") > 1
    best = min(found, key=lambda kimg: found[kimg]["kid_vgg"])
    kept = loading.load(folder / "checkpoints" / "best")
    assert kept.provenance["metric"] == "kid_vgg" and kept.provenance["kimg"] == best
    assert kept.provenance["score"] == found[best]["kid_vgg"]
    assert kept.provenance["details"]["kid_vgg"]["images"] == 6
    assert "fd_vgg: 6 images" in kept.provenance["warnings"][0]
    assert len(list((tmp_path / "home" / "aligned_jax" / "reals").iterdir())) == 2
    # The same as a score from the outside.
    config = TrainConfig.from_json(json.loads((folder / "config.json").read_text())["config"])
    assert config == SCORED
    again = generator_scores.scores_of(config, runs.Images(), jax.local_devices()[:1])
    values = [score(loading.load(folder), 3) for score in again]
    assert values == pytest.approx(list(found[3].values()), rel=1e-6)
    assert [score.higher_is_better for score in again] == [False, True, True, False]
    shutil.rmtree(folder)


def test_curves_of_scores():
    lines = [{"kimg": 1}, {"kimg": 2, "scores": {"fid": 9.0}}]
    lines += [{"kimg": 4, "scores": {"fid": 3.0, "kid": 0.1}}]
    found = pictures.score_curves(lines)
    assert found.keys() == {"fid", "kid"} and pictures.score_curves(lines[:1]) == {}
    (line,) = re.findall(r'<polyline[^>]*points="([^"]*)"', found["fid"])
    (x0, y0), (x1, y1) = [map(float, point.split(",")) for point in line.split()]
    assert x0 < x1 and y0 < y1  # to the right, and down from 9 to 3


def test_reals_are_all_of_the_data_and_unmirrored(tmp_path):
    config = runs.every_kind(tmp_path)
    options = dataclasses.replace(config.data, subset=10)
    assert options.mirror
    found = generator_scores._reals(open_dataset(options))
    assert len(found) == 40 and not found.facts()["mirror"]


def test_what_is_wrong_is_said_before_the_run_begins(networks, tmp_path):
    with pytest.raises(UserError, match="no such metric: fido"):
        runs.train(tmp_path / "run", runs.replaced("snapshots", metrics="fido"))
    assert not (tmp_path / "run").exists()
    with pytest.raises(ConfigError, match="metric_images is 1"):
        runs.replaced("snapshots", metric_images=1)
    assert generator_scores.scores_of(runs.CONFIG, runs.Images(), None) == []
