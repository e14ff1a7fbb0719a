"""How the models of the package are made and packed."""

import json
import shutil

import numpy as np
import pytest

from aligned_jax import loading
from aligned_jax.runs.folder import RunFolder
from aligned_jax.train import zoo as program
from aligned_jax.zoo import making as zoo


def test_every_model_has_data_and_follows_what_it_starts_from():
    made = []
    for name, model in zoo.MODELS.items():
        assert model.data in zoo.DATA and (model.start is None or model.start in made)
        draw, train = zoo.commands(name)
        assert train[1] == ("finetune" if model.start else "pretrain")
        assert f"zoo:{model.start}" in train or model.start is None
        assert draw[draw.index("--out") + 1] == train[train.index("--data") + 1]
        made.append(name)


def test_the_control_differs_from_the_child_in_its_start_alone():
    child, control = zoo.MODELS["critters64"], zoo.MODELS["critters64-scratch"]
    assert (child.data, child.kimg) == (control.data, control.kimg)
    assert child.start and control.start is None and child.seed != control.seed


def test_commands_are_shown_and_not_run(tmp_path, capsys):
    assert program.main(["--work", str(tmp_path / "w"), "--only", "critters64", "--show"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2 and lines[1].startswith("aligned finetune zoo:personas64 tiny64")
    assert not (tmp_path / "w").exists()
    assert program.main(["--only", "unicorn64"]) == 2
    assert "unicorn64" in capsys.readouterr().err


SCORES = {
    "scores": {"fd_vgg": 12.34, "kid_vgg": 0.4567, "kid_vgg_std": 0.0078},
    "images": {"images": 100, "seeds": "0-99"},
    "reals": {"images": 5000, "split": "train"},
}


@pytest.fixture
def work(finished, tmp_path):
    """A working folder in which the parent is trained."""
    shutil.copytree(finished, tmp_path / "runs" / "personas64")
    (tmp_path / "data" / "personas").mkdir(parents=True)
    (tmp_path / "data" / "personas" / "LICENSE").write_text("CC BY, by someone", "utf-8")
    return tmp_path


@pytest.mark.slow
def test_packing(work, capfd, monkeypatch):
    aligned, scored = zoo.run_command, []

    def without_feature_networks(command, folder, say):
        if command[1] == "evaluate":
            scored.append(command)
            (folder / command[-1]).write_text(json.dumps(SCORES), "utf-8")
        else:
            aligned(command, folder, say)

    monkeypatch.setattr(zoo, "run_command", without_feature_networks)
    zoo.pack("personas64", work, work / "zoo")
    folder = work / "zoo" / "personas64"
    files = {"card.md", "curve.svg", "network.safetensors", "samples.png", "scores.json"}
    assert {path.name for path in folder.iterdir()} == files
    packed = loading.load_all(folder / "network.safetensors")
    trained = loading.load(work / "runs" / "personas64")
    assert set(packed) == {"G_ema", "D"} and packed["G_ema"].config == trained.config
    const = trained.variables["params"]["synthesis"]["b4"]["const"]
    half = packed["G_ema"].variables["params"]["synthesis"]["b4"]["const"]
    np.testing.assert_array_equal(np.asarray(const, np.float16), half)
    card = (folder / "card.md").read_text("utf-8")
    for fact in ("aligned pretrain tiny64", "CC BY, by someone", "from scratch", "3 kimg", "16"):
        assert fact in card
    last = RunFolder(work / "runs" / "personas64").read_stats()[-1]
    assert f"{last['timing']['total_seconds'] / 3600:.1f} hours" in card
    file = "packed/personas64/network.safetensors"
    assert scored == [zoo.scoring("personas64", file, "packed/personas64/scores.json")]
    assert "| 12.3 | 0.457 ± 0.008 |" in card and "seeds 0-99" in card
    assert "5,000 of the train split" in card
    assert "aligned evaluate zoo:personas64 --data data/personas" in card
    # What is packed is not made again.
    monkeypatch.setattr(zoo, "run_command", None)
    zoo.make("personas64", work, work / "zoo")


@pytest.mark.slow
def test_a_command_that_fails_is_named(work, capfd):
    shutil.rmtree(work / "runs")
    where = ["--work", str(work), "--into", str(work / "zoo"), "--only", "critters64"]
    (work / "data" / "critters").mkdir()
    assert program.main(where) == 2
    assert "`aligned finetune zoo:personas64" in capfd.readouterr().err
    assert not (work / "zoo").exists()
