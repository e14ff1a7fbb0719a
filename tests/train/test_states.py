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
