"""The study of recipes: clocks stop runs, stages follow each other, and a line goes on."""

import json
import signal
import time
from types import SimpleNamespace

import pytest

from aligned_jax import jobs
from aligned_jax.data.options import DataOptions
from aligned_jax.runs import presets
from aligned_jax.runs.config import override
from studies import recipes
from studies.recipes import Clock


@pytest.fixture
def processor(monkeypatch):
    """A processor whose seconds are counted by hand."""
    clock = SimpleNamespace(now=100.0)
    monkeypatch.setattr(time, "process_time", lambda: clock.now)
    return clock


@pytest.fixture
def signals(monkeypatch):
    raised = []
    monkeypatch.setattr(signal, "raise_signal", raised.append)
    return raised


@pytest.fixture
def trained(monkeypatch, processor, signals):
    """Stand-ins that train a thousand images in seven seconds; and what they were asked for."""
    calls = []

    def train(*names, run, report, **options):
        calls.append((*names, run.name, options))
        with report.training(None, 0) as progress:
            progress.iteration(16)
            for kimg in range(1, options["kimg"] + 1):
                processor.now += 7
                progress.iteration(kimg * 1000)
                progress.tick({"kimg": kimg})
                if signals:
                    break
            signals.clear()

    def evaluate(run, data, metrics, **sizes):
        calls.append(("evaluate", run.name, data, sizes))
        values = {name: float(len(calls)) for name in metrics.split(",")}
        return SimpleNamespace(scores=SimpleNamespace(values=values))

    monkeypatch.setattr(jobs, "pretrain", train)
    monkeypatch.setattr(jobs, "finetune", train)
    monkeypatch.setattr(jobs, "evaluate", evaluate)
    drawing = SimpleNamespace(write=lambda path, overwrite: path.write_text("drawn"))
    monkeypatch.setattr(jobs, "generate", lambda run, seeds: drawing)
    return calls


def run(folder, *options):
    line = ["--work", str(folder), "--data", "large", "--small-data", "small", *options]
    recipes.main(line)
    return json.loads((folder / "recipes.json").read_text())["rows"]


def test_a_clock_stops_a_run_and_goes_on(tmp_path, processor, signals):
    with Clock(tmp_path / "c" / "clock.json", 10).training(None, 0) as progress:
        processor.now += 50  # to compile
        progress.iteration(16)
        processor.now += 6
        progress.iteration(1000)
        progress.tick({"kimg": 1})
        processor.now += 2  # and stopped by someone between ticks
    assert signals == []
    again = Clock(tmp_path / "c" / "clock.json", 10)
    assert (again.seconds, again.images, again.over) == (8, 1000, False)
    with again.training(None, 1000) as progress:
        progress.iteration(1016)
        processor.now += 3
        progress.tick({"kimg": 2})
    assert signals == [signal.SIGTERM]
    assert again.over and Clock(tmp_path / "c" / "clock.json", 10).seconds == 11


def test_stages_share_the_seconds(tmp_path, trained):
    rows = run(tmp_path, "--recipe", "wide progressive", "--seconds", "40", "--images", "9")
    first, second, scoring = trained
    assert first[:2] == ("tiny32", "stage-0") and first[2]["data"] == "small"
    assert set(recipes._WIDE) <= set(first[2]["overrides"])
    assert second[0].name == "stage-0" and second[1:3] == ("tiny64", "stage-1")
    assert second[3]["data"] == "large" and second[3]["seed"] == 0
    assert scoring == ("evaluate", "stage-1", "large", {"num": 9, "max_reals": 9})
    about = {"recipe": "wide progressive", "seed": 0, "kimg": "3 + 3", "seconds": 42}
    assert rows == [about | {"fd_vgg": 3.0, "kid_vgg": 3.0}]


def test_what_is_scored_stays(tmp_path, trained, capsys):
    done = run(tmp_path, "--recipe", "preset", "--seconds", "10")
    assert run(tmp_path, "--recipe", "preset,steady", "--seconds", "10")[0] == done[0]
    assert [call[0] for call in trained] == ["tiny64", "evaluate"] * 2
    assert run(tmp_path, "--recipe", "preset", "--seconds", "10", "--seed", "1")[0]["seed"] == 1
    assert "| steady | 0 | 2 | 14 |" in capsys.readouterr().out


def test_a_stopped_line_reports_nothing(tmp_path, trained, capsys, monkeypatch):
    monkeypatch.setattr(recipes, "KIMG", 1)  # ends as if a signal had come
    with pytest.raises(FileNotFoundError):
        run(tmp_path, "--recipe", "progressive", "--seconds", "40")
    assert "give the same line again" in capsys.readouterr().out
    assert [call[1] for call in trained] == ["stage-0"]


@pytest.mark.parametrize(
    "options, says",
    [(["--recipe", "none"], "no such recipe"), ([], "wants --small-data")],
)
def test_lines_that_cannot_be(options, says, capsys):
    with pytest.raises(SystemExit):
        recipes.parse(["--work", "w", "--data", "d", *options])
    assert says in capsys.readouterr().err


def test_recipes_are_runs():
    for stages in recipes.RECIPES.values():
        assert sum(stage.share for stage in stages) == 1
        for stage in stages:
            sizes = presets.Sizes(32 if stage.small else 64)
            preset = presets.config_of(stage.preset, DataOptions(path="data"), sizes)
            config = override(preset, (*recipes._TICKS, *stage.options))
            assert config.snapshots.tick_kimg == 1 and not config.mistakes()
            changed = {option.split(".")[0] for option in stage.options if option[0] == "-"}
            assert ("--gan" in changed) == (config.gan != preset.gan)
            assert ("--generator" in changed) == (config.generator != preset.generator)
            assert ("--discriminator" in changed) == (config.discriminator != preset.discriminator)
