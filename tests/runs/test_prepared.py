"""What is looked at before a run's first step: a dry run refuses as the run does, and tells it."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import aligned_jax as aj
from aligned_jax.errors import UserError
from aligned_jax.networks import init_variables
from aligned_jax.provenance import Command
from aligned_jax.runs import dry_run, loop, saved_state
from aligned_jax.runs.folder import RunFolder, locked
from aligned_jax.runs.launch import task_of
from tests.helpers import DATA
from tests.runs import small_runs as runs
from tests.training import tiny_gan as tiny


@pytest.fixture(autouse=True)
def no_steps(monkeypatch, tmp_path):
    """Neither is a step measured nor a run trained, and no feature network is found."""
    monkeypatch.setattr(dry_run, "report", lambda run, state: ["100 img/s"])
    monkeypatch.setattr(loop, "train", lambda run, state, bookkeeping: None)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))


def start(folder, spoilt=None):
    """A config that starts from networks of its own sizes, whose constant may be spoilt."""
    variables = init_variables(tiny.GENERATOR, jax.random.key(0))
    if spoilt is not None:
        const = variables["params"]["synthesis"]["b4"]["const"]
        variables["params"]["synthesis"]["b4"]["const"] = const.at[0, 0, 0].set(spoilt)
    aj.save(folder, aj.Network(tiny.GENERATOR, jax.tree.map(jnp.asarray, variables)))
    return runs.replaced(start=str(folder))


class Damaged(runs.Images):
    def __getitem__(self, index):
        raise UserError(f"record {index} is damaged")


def scored(metrics):
    return runs.replaced("snapshots", metrics=metrics)


def with_file(folder):
    folder.mkdir()
    (folder / "mine").write_text("", "utf-8")


def with_run(folder, stats=b""):
    run = RunFolder(folder)
    run.write_config(runs.CONFIG, {})
    run.stats_file.write_bytes(stats)


# What lies in the folder, the config, and what is said.
CASES = {
    "another run": (with_run, lambda p: runs.replaced(seed=3), "seed: 0 there, 3 here"),
    "a file": (lambda f: f.write_text("", "utf-8"), lambda p: runs.CONFIG, "is a file"),
    "in a file": (
        lambda f: f.parent.write_text("", "utf-8"),
        lambda p: runs.CONFIG,
        "Not a direc",
    ),
    "other things": (with_file, lambda p: runs.CONFIG, "it holds mine"),
    "lines": (
        lambda f: with_run(f, b"[]\n"),
        lambda p: runs.CONFIG,
        "line 1 holds no JSON object",
    ),
    "metrics": (None, lambda p: scored("fid"), "this needs the network inception"),
    "sizes": (
        None,
        lambda p: runs.replaced(start=str(DATA / "hostile_baseline_ok.pkl")),
        "the source does not fit",
    ),
    "nan": (None, lambda p: start(p / "lost", np.nan), "lost cannot be started from: it"),
    "no parent": (None, lambda p: runs.replaced(start=str(p / "gone")), "gone"),
    "data": (None, lambda p: (runs.CONFIG, Damaged()), "is damaged"),
    "batch": (
        None,
        lambda p: runs.replaced("gan", batch_size=33, rounds=2),
        "cannot be dealt",
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_a_dry_run_refuses_in_the_words_of_the_run(case, tmp_path):
    prepare, config_of, said = CASES[case]
    folder = tmp_path / "place" / "run"
    if case != "in a file":
        folder.parent.mkdir()
    if prepare:
        prepare(folder)
    config = config_of(tmp_path)
    config, data = config if isinstance(config, tuple) else (config, None)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(UserError) as dry:
        runs.planned(folder, config, data).dry_run()
    assert sorted(tmp_path.rglob("*")) == before
    with pytest.raises(UserError) as real:
        runs.planned(folder, config, data).begin(Command("aligned pretrain"))
    assert said in str(dry.value) and str(dry.value) == str(real.value)
    assert {path for path in tmp_path.rglob("*") if path.name != ".lock"} == set(before)


def test_a_dry_run_does_not_disturb_a_run_at_work(tmp_path):
    run = runs.planned(tmp_path / "run")
    with_run(run.folder.path)
    with locked(run.folder):
        before = (run.folder.path / ".lock").read_bytes()
        for go in (run.dry_run, run.go_on):
            with pytest.raises(UserError, match="is in use by another process"):
                go()
        assert (run.folder.path / ".lock").read_bytes() == before


@pytest.mark.slow
def test_a_dry_run_tells_what_the_run_starts_from(tmp_path, capsys):
    for config, said in (
        (runs.CONFIG, "drawn anew, from seed 0: G_ema, G, D"),
        (start(tmp_path / "parent"), "copied "),
    ):
        folder = tmp_path / said.split()[0]
        lines = runs.planned(folder, config).dry_run()
        assert lines[0].startswith(said) and lines[-1] == "100 img/s"
        assert not folder.exists()
        runs.train(folder, config)
        assert capsys.readouterr().out.startswith("\n".join(lines[:-1]))
    assert "\nnew " in lines[0] and "the source has no D" in lines[0]


def test_a_dry_run_tells_where_the_run_would_go_on(tmp_path):
    run = runs.planned(tmp_path / "run")
    run.folder.write_config(runs.CONFIG, {})
    task = task_of(runs.CONFIG)
    state = jax.tree.map(lambda leaf: np.zeros(leaf.shape, leaf.dtype), task.expected())
    state = dataclasses.replace(state, step=np.int32(32), images_seen=np.int32(1024))
    saved_state.save_state(run.folder.checkpoint(1), task, state, {}, {})
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    assert run.dry_run() == [f"going on with {tmp_path / 'run'} at 1.0 of 3 kimg", "100 img/s"]
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before
