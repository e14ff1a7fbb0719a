"""Saved states: what is replaced, kept, removed, and gone back to."""

import dataclasses

import jax
import numpy as np
import pytest

from aligned_jax import checkpoint
from aligned_jax.errors import CheckpointError
from aligned_jax.train import launch, loop, snapshot
from aligned_jax.train.run_folder import RunFolder
from aligned_jax.training import parallel
from tests.train import runs


@pytest.fixture(scope="module")
def fresh(cache):
    """A state that was never trained."""
    return launch._fresh(runs.CONFIG)[0]


def at(state, step):
    """The state as it might be after so many iterations."""
    images = np.int32(step * runs.CONFIG.gan.batch_size)
    return dataclasses.replace(state, step=np.int32(step), images_seen=images)


@pytest.fixture
def run(tmp_path):
    """The folder of a run that has written its config and nothing else."""
    folder = RunFolder(tmp_path / "run")
    folder.write_config(runs.CONFIG, {})
    return folder


def save(run, folder, state):
    snapshot.save_state(folder, run.read_config(), state, {}, {})


def the_loop(run):
    devices = jax.local_devices()[:1]
    return loop._Loop(loop.Job(run, run.read_config(), runs.Images(), {}, devices=devices), {})


def test_a_second_interruption_keeps_the_first_until_it_is_saved(run, fresh, monkeypatch):
    made = the_loop(run)
    save(run, run.checkpoint(2), at(fresh, 63))

    def interrupt(step):
        made._interrupt(parallel.replicate(at(fresh, step), made.job.devices))

    def latest():
        return checkpoint.read_manifest(snapshot.latest_state(run)).provenance["step"]

    for step in (70, 80, 90):
        interrupt(step)
        assert latest() == step
        assert len(list(run.path.glob("interrupted*"))) == 1

    def full(*args, **kwargs):
        raise CheckpointError("no space left")

    with monkeypatch.context() as patched:
        patched.setattr(checkpoint, "write", full)
        with pytest.raises(CheckpointError):
            interrupt(93)
    assert latest() == 90
    made._save(3, at(fresh, 94))
    assert not list(run.path.glob("interrupted*"))


def test_only_what_a_run_left_half_written_is_removed(run):
    files = (".kimg-000002.0123abcd", ".stats.jsonl.00000000", ".fakes-kimg-000002.png.0a0b0c0d")
    theirs = (".git", ".notes", ".notes.0123abcd", ".kimg-000002.old", ".env.local")
    for name in files + theirs:
        for folder in (run.path, run.path / "checkpoints"):
            (folder / name).mkdir(parents=True)
            (folder / f"{name}-file").write_text("", "utf-8")
    (run.path / ".config.json.89abcdef").write_text("half", "utf-8")
    run.tidy()
    for folder in (run.path, run.path / "checkpoints"):
        assert {entry.name for entry in folder.glob(".*") if entry.is_dir()} == set(theirs)
        assert all((folder / f"{name}-file").exists() for name in files + theirs)
    assert not (run.path / ".config.json.89abcdef").exists()


def test_only_unfinished_checkpoints_of_a_bucket_are_removed(bucket):
    for name in ("kimg-000003", "mine", "best"):
        bucket[f"b/run/checkpoints/{name}/G/_METADATA"] = b"half"
    bucket["b/run/interrupted-again/G/_METADATA"] = b"half"
    RunFolder("gs://b/run").tidy()
    assert list(bucket) == ["b/run/checkpoints/mine/G/_METADATA"]
