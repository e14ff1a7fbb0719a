"""Saved states: what is replaced, kept, removed, and gone back to."""

import argparse
import contextlib
import dataclasses

import jax
import numpy as np
import pytest

from aligned_jax import checkpoint, jobs
from aligned_jax.cli import training
from aligned_jax.config import EpilogueConfig
from aligned_jax.errors import CheckpointError, UserError
from aligned_jax.runs import dry_run, hosts, loop, saved_state, trackers
from aligned_jax.runs.config import SnapshotOptions
from aligned_jax.runs.folder import RunFolder
from aligned_jax.runs.hosts import Session
from aligned_jax.runs.launch import Outcome, PlannedRun, task_of
from aligned_jax.training import parallel
from tests.runs import small_runs as runs
from tests.training import tiny_gan as tiny


@pytest.fixture(scope="module")
def fresh():
    """A state that was never trained."""
    return task_of(runs.CONFIG).created(None)


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
    saved_state.save_state(folder, task_of(run.read_config()), state, {}, {})


def the_loop(run):
    devices = jax.local_devices()[:1]
    task = task_of(run.read_config())
    return loop._Loop(loop.TrainingRun(run, task, runs.Images(), {}, None, devices=devices), {})


@pytest.mark.slow
def test_a_second_interruption_keeps_the_first_until_it_is_saved(run, fresh, monkeypatch):
    made = the_loop(run)
    save(run, run.checkpoint(2), at(fresh, 63))

    def interrupt(step):
        made._interrupt(parallel.replicate(at(fresh, step), made.run.devices))

    def latest():
        return checkpoint.read_manifest(saved_state.latest_state(run)).provenance["step"]

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


def test_a_run_is_never_shortened(run, monkeypatch):
    went_on = []

    def train(self, config):
        return Outcome(self.folder.path, config.kimg, went_on.append(config))

    monkeypatch.setattr(PlannedRun, "_continued", lambda self: self.config)
    monkeypatch.setattr(PlannedRun, "_train", train)
    with pytest.raises(UserError, match=r"`kimg` is 2, but .* is planned for 3; it can only be"):
        runs.train(run.path, runs.replaced(kimg=2))
    assert not went_on
    runs.train(run.path, runs.replaced(kimg=5))
    runs.train(run.path, runs.replaced(kimg=2), kimg=None)  # a preset's length is no wish
    assert [config.kimg for config in went_on] == [5, 3]


@pytest.mark.slow
def test_what_older_checkpoints_are_reduced_to(run, fresh):
    snapshots = SnapshotOptions(tick_kimg=1, dense=1, every=100, keep_kimg=2)
    config = runs.replaced(kimg=9, snapshots=snapshots)
    for kimg in range(6):
        save(run, run.checkpoint(kimg), at(fresh, kimg))
    saved_state.prune(run, task_of(config))
    found = checkpoint.run_checkpoints(run.path)
    keys = {kimg: set(checkpoint.read_manifest(folder).configs) for kimg, folder in found.items()}
    everything = {"G_ema", "G", "D"}
    assert keys == {k: {"G_ema"} if k < 2 else everything for k in (0, 1, 2, 4, 5)}
    assert {kimg for kimg in found if saved_state.is_whole(found[kimg])} == {4, 5}


@pytest.mark.slow
def test_a_damaged_state_is_passed_over(run, fresh, monkeypatch, capsys):
    """The one before it is good enough, and what is later goes."""
    started = []

    def train(run, state, bookkeeping):
        started.append(int(state.step))

    monkeypatch.setattr(loop, "train", train)
    save(run, run.checkpoint(1), at(fresh, 32))
    save(run, run.checkpoint(2), at(fresh, 63))
    save(run, run.interrupted[0], at(fresh, 70))
    (run.interrupted[0] / "config.json").write_text("{", "utf-8")
    (run.checkpoint(2) / saved_state.TRAINING).write_bytes(b"PK")
    runs.train(run.path)
    assert started == [32]
    first, second, last, done = capsys.readouterr().out.splitlines()
    assert str(run.interrupted[0]) in first and f"going back to {run.checkpoint(1)}" in first
    assert str(run.checkpoint(2)) in second and f"going back to {run.checkpoint(1)}" in second
    assert last == f"going on with {run.path} at 1.0 of 3 kimg" and "is trained" in done
    assert saved_state.states(run) == [run.checkpoint(1)]
    (run.checkpoint(1) / saved_state.TRAINING).write_bytes(b"PK")
    with pytest.raises(CheckpointError, match=r"kimg-000001.* is missing or damaged"):
        runs.train(run.path)
    assert run.checkpoint(1).exists()


@pytest.mark.slow
def test_tensorboard_forgets_what_is_written_again(run, fresh, monkeypatch):
    """It drops what has the step `purge_step` or a later one, and keeps the tick at 2 kimg."""
    purged = []

    class Writer(contextlib.nullcontext):
        def __init__(self, folder, purge_step):
            super().__init__()
            purged.append(purge_step)

    monkeypatch.setattr(trackers, "tensorboard", lambda: Writer)
    monkeypatch.setattr(loop, "train", lambda run, state, bookkeeping: None)
    runs.train(run.path, tensorboard=True)
    for step in (63, 70):  # the end of a tick, and its middle
        save(run, run.checkpoint(2) if step == 63 else run.interrupted[0], at(fresh, step))
        runs.train(run.path, tensorboard=True)
    assert purged == [None, 3, 3]


def test_data_that_have_another_name_here(run):
    message = "memory, the data of .* is not to be found from this working folder; .* with `data`"
    with pytest.raises(UserError, match=message):
        jobs.resume(run.path, session=Session(cache=False))


@pytest.mark.slow
def test_a_step_that_depends_on_the_devices_says_so(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(loop, "train", lambda run, state, bookkeeping: None)
    groups = dataclasses.replace(tiny.DISCRIMINATOR, epilogue=EpilogueConfig(mbstd_group_size=8))
    config, note = runs.replaced(discriminator=groups), "another number of devices would"
    for _ in range(2):  # when it begins, and when it goes on
        runs.train(tmp_path / "run", config, devices=8)
        assert f"{note} compute another step: the minibatch" in capsys.readouterr().out
    runs.train(tmp_path / "run", config, devices=4)
    assert note not in capsys.readouterr().out


@pytest.mark.slow
def test_only_the_first_host_prints_the_options(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(dry_run, "report", lambda task, devices: ["100 img/s"])
    said = []
    for first in (True, False):
        monkeypatch.setattr(hosts, "is_first", lambda first=first: first)
        for asked in ("options", "dry_run"):
            args = argparse.Namespace(**{"options": False, "dry_run": False, asked: True})
            assert training.carry_out(args, runs.planned(tmp_path / "run")) == 0
            said.append(capsys.readouterr().out)
    assert "--gan.r1" in said[0] and "100 img/s" in said[1] and said[2:] == ["", ""]
