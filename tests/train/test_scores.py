"""Scores of snapshots, and the best network, while a run trains."""

import json
import shutil

import pytest

from aligned_jax import evaluation, loading
from aligned_jax.errors import ConfigError, UserError
from aligned_jax.train import scores
from aligned_jax.train.config import TrainConfig
from tests import standins
from tests.train import runs


@pytest.fixture
def networks(monkeypatch, tmp_path):
    """Stand-ins for the feature networks, and a cache of this test's own."""
    monkeypatch.setattr(evaluation, "load", lambda name: standins.networks()[name])
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))


SCORED = runs.replaced("snapshots", metrics="kid_vgg,pr_vgg", metric_images=20)


def test_scores_of_a_run(cache, networks, tmp_path):
    folder = tmp_path / "run"
    assert runs.train(folder, SCORED) == 0
    lines = runs.RunFolder(folder).read_stats()
    found = {line["kimg"]: line["scores"] for line in lines if "scores" in line}
    assert found.keys() == {2, 3}  # the snapshots that are kept
    assert all(s.keys() == {"kid_vgg", "precision_vgg", "recall_vgg"} for s in found.values())
    best = min(found, key=lambda kimg: found[kimg]["kid_vgg"])
    kept = loading.load(folder / "checkpoints" / "best")
    assert kept.provenance["metric"] == "kid_vgg" and kept.provenance["kimg"] == best
    assert kept.provenance["score"] == found[best]["kid_vgg"]
    assert len(list((tmp_path / "home" / "aligned_jax" / "reals").iterdir())) == 1
    # The same as a score from the outside.
    config = TrainConfig.from_json(json.loads((folder / "config.json").read_text())["config"])
    assert config == SCORED
    again = scores.scores_of(
        config, runs.Images(), runs.launch.session.devices(runs.arguments(folder))
    )
    values = [score(loading.load(folder), config, 3) for score in again]
    assert values == pytest.approx(list(found[3].values()), rel=1e-6)
    assert [score.higher_is_better for score in again] == [False, True, True]
    shutil.rmtree(folder)


def test_what_is_wrong_is_said_before_the_run_begins(cache, networks, tmp_path):
    with pytest.raises(UserError, match="no such metric: fido"):
        runs.train(tmp_path / "run", runs.replaced("snapshots", metrics="fido"))
    assert not (tmp_path / "run").exists()
    with pytest.raises(ConfigError, match="metric_images is 1"):
        runs.replaced("snapshots", metric_images=1)
    assert scores.scores_of(runs.CONFIG, runs.Images(), None) == []
