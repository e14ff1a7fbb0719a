"""A run folder under gs://, in a bucket that lives in memory."""

import fsspec
import jax
import numpy as np
import pytest
from etils.epath import backend

from aligned_jax import paths
from aligned_jax.errors import UserError
from aligned_jax.train import snapshot
from aligned_jax.train.pictures import Pictures
from aligned_jax.train.run_folder import RunFolder, locked
from aligned_jax.training.state import create_state
from tests.bucket import Bucket
from tests.train import runs


@pytest.fixture
def run(monkeypatch):
    """A run in an empty bucket."""
    for scheme in ("gcs", "gs"):
        fsspec.register_implementation(scheme, Bucket, clobber=True)
    backend.fsspec_backend._get_filesystem.cache_clear()
    for name, value in {"files": {}, "log": [], "refuse_after": None}.items():
        monkeypatch.setattr(Bucket, name, value)
    monkeypatch.setitem(paths.SERVICES, "gs", "fsspec")
    yield RunFolder("gs://b/run")
    backend.fsspec_backend._get_filesystem.cache_clear()


def test_a_run_in_a_bucket(run):
    run.check_empty()
    assert not run.exists() and snapshot.latest_state(run) is None
    with locked(run):
        run.tidy()
        run.write_config(runs.CONFIG, {"verb": "pretrain"})
        for step, kimg in ((32, 1), (63, 2)):
            run.write_stats({"step": step, "kimg": kimg})
    assert run.read_config() == runs.CONFIG and run.read_origin() == {"verb": "pretrain"}
    sizes = runs.CONFIG.generator, runs.CONFIG.discriminator, runs.CONFIG.gan
    state = jax.tree.map(np.asarray, jax.jit(lambda: create_state(*sizes, seed=3))())
    pictures = Pictures(run, runs.CONFIG, np.zeros((3, 0), np.float32))
    for kimg in (0, 1, 2):
        pictures.fakes(state.G_ema, kimg)
        snapshot.save_state(run.checkpoint(kimg), runs.CONFIG, state, {"best": kimg}, {})
    latest = snapshot.latest_state(run)
    again, memory = snapshot.load_state(latest, runs.CONFIG)
    assert all(jax.tree.leaves(jax.tree.map(np.array_equal, again, state)))
    assert memory["best"] == run.kimg_of(latest, 0)
    snapshot.prune(run, runs.CONFIG)
    assert not snapshot.is_whole(run.checkpoint(0)) and snapshot.is_whole(run.checkpoint(2))
    assert "b/run/strip.png" in Bucket.files and "b/run/fakes-kimg-000002.png" in Bucket.files
    run.forget_after(32, 1)
    assert [line["kimg"] for line in run.read_stats()] == [1]
    assert not [name for name in Bucket.files if "000002" in name]
    Bucket.files["b/other/a.txt"] = b""
    with pytest.raises(UserError, match=r"it holds a\.txt"):
        RunFolder("gs://b/other").check_empty()
