"""What a run leaves behind, and everything that can end it early."""

import json
import resource
import shutil

import jax
import numpy as np
import pytest

from aligned_jax import checkpoint, loading
from aligned_jax.cli.training import CONSOLE
from aligned_jax.errors import CheckpointError, UserError
from aligned_jax.runs import launch, loop, saved_state, stopping
from aligned_jax.runs.folder import RunFolder, locked
from aligned_jax.runs.launch import task_of
from tests.helpers import relative_error
from tests.runs import small_runs as runs


def test_what_a_run_leaves_behind(finished):
    run = RunFolder(finished)
    _, stats, pictures, folders = runs.results(finished)
    # 0 and 2 are regular, 2 and 3 the latest two.
    whole = ["D", "G", "G_ema", "config.json", "training.npz"]
    kept = ["G_ema", "config.json"]
    assert folders == {"kimg-000000": kept, "kimg-000002": whole, "kimg-000003": whole}
    grids = {"fakes-kimg-000002.png", "fakes-kimg-000003.png"}
    assert set(pictures) == grids | {"init.png", "reals.png", "strip.png"}
    assert len(set(pictures.values())) == 5
    assert [line["kimg"] for line in stats] == [1, 2, 3]
    assert [line["step"] for line in stats] == [32, 63, 94]
    assert run.read_config() == runs.CONFIG
    first = run.read_stats()[0]
    assert first["reports"].keys() >= {"Loss/G/loss", "Loss/D/loss", "Loss/r1_penalty"}
    assert all(np.isfinite(value) for value in first["reports"].values())
    assert first["timing"]["images_per_sec"] > 0
    networks = loading.load_all(finished)
    assert set(networks) == {"G_ema", "G", "D"}
    assert networks["G"].provenance["images"] == 3008
    assert loading.load(f"{finished}@2").provenance["step"] == 63
    before, after = (loading.load(f"{finished}@{kimg}").variables["params"] for kimg in (0, 3))
    moved = jax.tree.map(lambda a, b: not np.array_equal(a, b), before, after)
    assert all(jax.tree.leaves(moved))


@pytest.fixture
def begun(finished, tmp_path):
    """A copy of the finished run that stands at 2 kimg."""
    folder = tmp_path / "run"
    shutil.copytree(finished, folder)
    shutil.rmtree(folder / "checkpoints" / "kimg-000003")
    return folder


@pytest.mark.slow
def test_the_same_command_goes_on(begun, finished, capsys):
    assert runs.train(begun) == 0
    assert "going on with" in capsys.readouterr().out
    runs.assert_same(runs.results(begun), runs.results(finished))
    (begun / "stats.jsonl").write_text("", "utf-8")
    before = (begun / "checkpoints").stat().st_mtime_ns
    assert runs.train(begun) == 0  # nothing is left to do
    assert (begun / "checkpoints").stat().st_mtime_ns == before


@pytest.mark.slow
def test_a_longer_run_goes_on_from_a_finished_one(begun, finished):
    run = RunFolder(begun)
    run.forget_after(63, 2)
    run.write_config(runs.replaced(kimg=2), run.read_origin())  # what it would have been
    assert runs.planned(begun).go_on() == launch.Outcome(run.path, 3, None)
    assert run.read_config().kimg == 3
    runs.assert_same(runs.results(begun), runs.results(finished))


@pytest.mark.slow
def test_other_devices_go_on_with_a_run(begun, finished):
    assert runs.train(begun, devices=2) == 0
    there, here = runs.results(finished)[0], runs.results(begun)[0]
    assert here["step"] == there["step"]
    assert not all(np.array_equal(here[name], there[name]) for name in there)  # another order
    for name in ("G_ema/params/mapping/fc0/weight", "D/params/b4/fc/weight"):
        assert relative_error(here[name], there[name]) < 1e-2


def refused(folder, config=runs.CONFIG, dataset=None, **changed):
    with pytest.raises(UserError) as caught:
        runs.train(folder, config, dataset, **changed)
    return str(caught.value)


def test_folders_that_are_refused(begun, tmp_path):
    with locked(RunFolder(begun)):
        assert "is in use by another process (process " in refused(begun)
    message = refused(begun, runs.replaced("gan", r1_gamma=3.0))
    assert "holds another run:\n  gan.r1_gamma: 10.0 there, 3.0 here\n" in message
    assert "kimg" not in message
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "a.txt").write_text("", "utf-8")
    assert "it holds a.txt" in refused(tmp_path / "letters")
    assert "is a file" in refused(tmp_path / "letters" / "a.txt")
    (begun / "config.json").write_text('{"kind": "x"}', "utf-8")
    assert "is not a run folder" in refused(begun)
    (begun / "config.json").write_text("{", "utf-8")
    assert "cannot be read" in refused(begun)


@pytest.mark.slow
def test_states_that_are_refused(begun, finished):
    other = runs.Images()
    other.fingerprint = "others"
    assert "is not the data that" in refused(begun, dataset=other)
    training = begun / "checkpoints" / "kimg-000002" / saved_state.TRAINING
    content = training.read_bytes()
    training.write_bytes(content[:2000])
    assert "is missing or damaged" in refused(begun)
    training.unlink()
    assert "has no state left to go on from, only networks" in refused(begun)
    # Killed before its first checkpoint, though, a run has lost nothing.
    RunFolder(begun).forget_after(0, -1)
    assert runs.train(begun) == 0
    runs.assert_same(runs.results(begun), runs.results(finished))


def test_data_that_do_not_fit():
    wrong = runs.Images()
    wrong.resolution, wrong.channels, wrong.c_dim = 16, 1, 2
    with pytest.raises(UserError) as caught:
        launch.check_data(runs.CONFIG, wrong)
    message = str(caught.value)
    assert "generator.img_resolution is 8, the data have 16" in message
    assert "discriminator.img_channels is 3, the data have 1" in message
    assert "generator.c_dim is 0, the data have 2" in message


def test_batches_that_cannot_be_dealt(tmp_path):
    message = refused(tmp_path / "run", runs.replaced("gan", batch_size=20), devices=8)
    assert "a batch of 20 cannot be dealt to 8 devices" in message
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_networks_that_are_lost(begun):
    state, kept = saved_state.load_state(begun / "checkpoints" / "kimg-000002", TASK)
    const = state.G["params"]["synthesis"]["b4"]["const"]
    const[0, 0, 0] = np.nan
    made = training_run(begun)
    made.folder.forget_after(63, 2)
    with pytest.raises(stopping.TrainingError, match="training has diverged") as caught:
        loop.train(made, state, kept)
    message = str(caught.value)
    assert "before 3.0 kimg" in message and "10 times in a row or more: Loss/" in message
    assert "in the state: G/params/synthesis/b4/const" in message
    assert f"The last good checkpoint is {begun}@2" in message
    assert (begun / "diagnosis.txt").read_text("utf-8").strip() == message
    assert saved_state.latest_state(made.folder).name == "kimg-000002"


class Score:
    """Best at 2 kimg; fills the disk at `full`."""

    name, warnings, details = "score", ("few images",), {"score": {"images": 5}}

    def __init__(self, higher_is_better=True, full=None):
        self.higher_is_better, self.full = higher_is_better, full

    def __call__(self, network, kimg):
        assert network.config == runs.CONFIG.generator
        if kimg == self.full:
            hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
            resource.setrlimit(resource.RLIMIT_FSIZE, (6000, hard))
        return 10.0 - abs(kimg - 2)


TASK = task_of(runs.CONFIG)


def training_run(folder, **changed):
    known = {"threads": 1, "devices": jax.local_devices()[:1], "report": CONSOLE} | changed
    step = TASK.step(known["devices"])
    return loop.TrainingRun(RunFolder(folder), TASK, runs.Images(), {}, step, **known)


@pytest.mark.slow
def test_scores_and_the_best_checkpoint(begun):
    state, kept = saved_state.load_state(begun / "checkpoints" / "kimg-000002", TASK)
    known = {"metric": "score", "score": 7.0, "kimg": 1}
    made = training_run(begun, metrics=[Score()])
    made.folder.forget_after(63, 2)
    assert loop.train(made, state, kept | {"best": known}) is None
    lines = made.folder.read_stats()
    assert lines[-1]["scores"] == {"score": 9.0} and "scores" not in lines[-2]
    saved = saved_state.load_state(begun / "checkpoints" / "kimg-000003", TASK)[1]
    assert saved["best"] == {"metric": "score", "score": 9.0, "kimg": 3}
    provenance = loading.load(begun / "checkpoints" / "best").provenance
    assert (provenance["score"], provenance["kimg"]) == (9.0, 3)
    assert checkpoint.find(begun).name == "kimg-000003"
    lower = loop._Loop(training_run(begun, metrics=[Score(False)]), kept | {"best": known})
    lower._scores(state, 3)
    assert lower.best == known


@pytest.mark.slow
def test_a_full_disk(begun):
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    state, kept = saved_state.load_state(begun / "checkpoints" / "kimg-000002", TASK)
    made = training_run(begun, metrics=[Score(full=3)])
    made.folder.forget_after(63, 2)
    try:
        with pytest.raises(CheckpointError, match="was not written: File too large; nothing"):
            loop.train(made, state, kept | {"best": {"score": 99.0}})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert saved_state.latest_state(made.folder).name == "kimg-000002"
    assert not [path for path in begun.rglob(".*") if path.name != ".lock"]


def test_statistics_survive_a_line_cut_short(tmp_path):
    run = RunFolder(tmp_path)
    known = {"kimg": 1, "timing": {"total_seconds": 3.0}}
    run.write_stats({"step": 1, **known})
    run.write_stats({"step": 2, **known})
    text = run.stats_file.read_text("utf-8")
    run.stats_file.write_text(text[:-4], "utf-8")
    assert run.read_stats() == [{"step": 1, **known}]
    run.forget_after(1, 0)
    assert json.loads(run.stats_file.read_text("utf-8")) == {"step": 1, **known}
