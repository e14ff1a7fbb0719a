"""What run folders tell in JSON: damage and absurd values are named, and bounded."""

import json
import os
import re

import numpy as np
import pytest

from aligned_jax import jobs
from aligned_jax.errors import CheckpointError, ConfigError, UserError
from aligned_jax.runs import hosts, saved_state
from aligned_jax.runs.config import SnapshotOptions
from aligned_jax.runs.folder import RunFolder, locked, unlocked
from aligned_jax.runs.launch import task_of
from aligned_jax.runs.records import statistics
from aligned_jax.training.encoder_options import EncoderOptions
from tests.runs import small_runs as runs

LINE = {"kimg": 1, "step": 32, "timing": {"total_seconds": 3.5}, "scores": {"fid": 3.0}}
DEEP = "[" * 100_000 + "]" * 100_000
SHALLOW = "[" * 70 + "]" * 70


def changed(**fields):
    return json.dumps(LINE | fields).encode()


DAMAGE = {
    b"\xff\xfe": "line 2 is not UTF-8",
    b"{": "line 2 cannot be read: Expecting property name",
    DEEP.encode(): "line 2 cannot be read: it is nested too deeply",
    b'{"kimg": %s}' % SHALLOW.encode(): "line 2 cannot be read: it is nested too deeply",
    b"3": "line 2 holds no JSON object but a int",
    b"[]": "line 2 holds no JSON object but a list",
    b"{}": "line 2 lacks kimg, step, timing",
    changed(step=None): "line 2 has no numbers in step",
    changed(kimg=-1): "in kimg",
    changed(kimg=True): "in kimg",
    changed(step=10**400): "in step",
    changed(timing=[]): "in timing.total_seconds",
    changed(timing={"total_seconds": float("nan")}): "in timing.total_seconds",
    changed(scores=3): "in scores",
    changed(scores={"fid": "3"}): "in scores",
    changed(scores={"../../fid": 3}): "in scores",
}


@pytest.mark.parametrize("damage", DAMAGE, ids=range(len(DAMAGE)))
def test_damaged_statistics(damage, tmp_path):
    run = RunFolder(tmp_path)
    good = json.dumps(LINE).encode()
    run.stats_file.write_bytes(good + b"\n" + damage + b"\n" + good + b"\n")
    with pytest.raises(CheckpointError) as caught:
        run.read_stats()
    message = str(caught.value)
    assert message.startswith(f"{run.stats_file} is damaged: ") and DAMAGE[damage] in message
    assert "networks can still be used" in message and len(message) < 1000
    run.stats_file.write_bytes(good + b"\n\n" + damage)  # cut off at the end
    assert run.read_stats() == [LINE]


def test_all_damaged_lines_are_told():
    with pytest.raises(
        CheckpointError,
        match=r"line 1 holds no JSON object but a list; line 3 cannot be read: .*\. The",
    ):
        statistics(b"[]\n" + json.dumps(LINE).encode() + b"\nx\n", "stats.jsonl")


def record(**fields):
    config = json.loads(json.dumps(runs.CONFIG.to_json()))
    for name, value in fields.items():
        *parts, last = name.split("__")
        inner = config
        for part in parts:
            inner = inner[part]
        inner[last] = value
    return {"format_version": 1, "kind": runs.CONFIG.kind, "config": config, "origin": {}}


CONFIGS = {
    DEEP: "cannot be read: it is nested too deeply",
    json.dumps({"a": json.loads(SHALLOW)}): "cannot be read: it is nested too deeply",
    '{"a": "\udcff"}': "cannot be read: 'utf-8' codec",
    "{": "cannot be read: Expecting",
    json.dumps(record() | {"format_version": [9] * 99}): "has run format [9, 9",
    json.dumps(record() | {"origin": [1]}): "is damaged: its origin is no object",
    json.dumps(record() | {"config": []}): "must be an object, got list",
    json.dumps(record(snapshots__images=10**9)): "images is 1000000000; it must be at most 4096",
    json.dumps(record(kimg=2**52)): f"kimg is {2**52}; it must be at most 2000000",
    json.dumps(record(kimg=2**70)): "kimg is a number beyond 2**53",
    json.dumps(record(snapshots__metric_images=2**40)): "metric_images is 1099511627776",
    json.dumps(record(snapshots__tick_kimg=2**40)): "tick_kimg is 1099511627776",
    json.dumps(record(gan__batch_size=2**40)): "batch_size is 1099511627776",
}


@pytest.mark.parametrize("text", CONFIGS, ids=range(len(CONFIGS)))
def test_configs_that_are_refused(text, tmp_path):
    (tmp_path / "config.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(CheckpointError, match=re.escape(CONFIGS[text])) as caught:
        jobs.resume(tmp_path)
    assert str(tmp_path) in str(caught.value) and len(str(caught.value)) < 1000
    assert [path.name for path in tmp_path.iterdir()] == ["config.json"]


def test_what_is_no_file_is_not_opened(tmp_path):
    os.mkfifo(tmp_path / "config.json")
    with pytest.raises(CheckpointError, match="it has no config"):
        jobs.resume(tmp_path)
    os.mkfifo(tmp_path / "stats.jsonl")
    with pytest.raises(CheckpointError, match="is not a regular file"):
        RunFolder(tmp_path).read_stats()


@pytest.mark.parametrize("enter", [locked, unlocked])
def test_a_lock_is_a_file_of_its_own(enter, tmp_path):
    (tmp_path / "precious").write_text("x")
    lock = tmp_path / "run" / ".lock"
    lock.parent.mkdir()
    os.mkfifo(lock)
    with pytest.raises(UserError, match="is not a regular file"), enter(RunFolder(lock.parent)):
        pass
    lock.unlink()
    lock.symlink_to("../precious")
    if enter is locked:
        with pytest.raises(UserError, match="cannot be used"), enter(RunFolder(lock.parent)):
            pass
    assert (tmp_path / "precious").read_text() == "x"


def test_names_that_no_file_can_have(tmp_path):
    run = RunFolder(tmp_path / ("a" * 300))
    assert not run.exists()
    with pytest.raises(CheckpointError, match="no such folder"):
        run.read_config()
    with pytest.raises(UserError, match="the name is not UTF-8"):
        RunFolder(tmp_path / "r\udcff").check_empty()


def test_what_hosts_tell_each_other_may_be_no_text():
    """A name that is not UTF-8, of data that are missing, for instance."""
    with pytest.raises(UserError, match="x\udcff is missing"):
        hosts.agree(UserError("x\udcff is missing"))


def test_arrays_of_a_state_are_compared_before_memory_is_asked_for(tmp_path, monkeypatch):
    monkeypatch.setattr(saved_state, "read_arrays", pytest.fail)
    huge = {"G_opt/0/count": np.zeros((1000, 1000), np.int32)}
    np.savez_compressed(tmp_path / saved_state.TRAINING, memory=np.array("{}"), **huge)
    with pytest.raises(CheckpointError, match=r"count is \(1000, 1000\), expected \(\)"):
        saved_state.load_state(tmp_path, task_of(runs.CONFIG))


def test_pictures_fit_into_a_file():
    """4096 pictures of 8 pixels are fine, of 1024 pixels Pillow would refuse to read them."""
    assert runs.replaced("snapshots", images=4096).snapshots.images == 4096
    large = {"generator": type(runs.CONFIG.generator)(1024)}
    assert runs.replaced(**large, snapshots=SnapshotOptions(images=128)).kimg
    with pytest.raises(ConfigError, match="images is 129; of 1024 pixels it must be at most 128"):
        runs.replaced(**large, snapshots=SnapshotOptions(images=129))


def test_pools_are_bounded():
    with pytest.raises(UserError, match="pool_size is 1000000000; it must be at most 100000"):
        EncoderOptions(pool_size=10**9)


@pytest.mark.parametrize(
    "memory",
    [[], {"tally": [1]}, {"tally": {"Gmain": {"Loss/G/loss": [1, 2]}}}, {"best": {"score": "a"}}],
)
def test_bookkeeping_of_other_types(memory, tmp_path):
    path = tmp_path / saved_state.TRAINING
    np.savez(path, memory=np.array(json.dumps(memory)))
    with pytest.raises(CheckpointError, match=r"training\.npz is missing or damaged: "):
        saved_state.load_state(tmp_path, task_of(runs.CONFIG))
