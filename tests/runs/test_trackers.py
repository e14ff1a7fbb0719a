"""What hears the numbers of a run besides its statistics, by stand-ins that send nothing."""

import contextlib
import json
import sys
import types

import numpy as np
import pytest
from PIL import Image

from aligned_jax.errors import UserError
from aligned_jax.runs import hosts
from aligned_jax.runs.folder import RunFolder
from aligned_jax.runs.hosts import Session
from aligned_jax.runs.progress import TrainingReporter
from aligned_jax.runs.trackers import tracking
from tests.runs.small_runs import CONFIG


class Run(contextlib.nullcontext):
    """What `wandb.init` returns."""

    url = "https://wandb.example/run"

    def __init__(self):
        super().__init__(self)
        self.logged, self.metrics, self.broken = [], [], False

    def define_metric(self, *names, **more):
        self.metrics.append((names, more))

    def log(self, numbers):
        if self.broken:
            raise RuntimeError("the service is gone\nfor good")
        self.logged.append(numbers)


@pytest.fixture
def wandb(monkeypatch):
    """A module of this name that remembers what it is told."""
    module = types.ModuleType("wandb")
    module.asked = []

    def init(**options):
        module.asked.append(options)
        module.run = Run()
        return module.run

    module.init, module.Settings, module.Image = init, dict, lambda image: np.asarray(image)
    monkeypatch.setitem(sys.modules, "wandb", module)
    monkeypatch.delenv("WANDB_PROJECT", raising=False)
    return module


class Report(TrainingReporter):
    """Remembers what it hears."""

    def __init__(self):
        self.heard = []

    def notice(self, text):
        self.heard.append(text)

    def warn(self, text):
        self.heard.append(text)


def tell(tmp_path, session, report, *ticks, images=0):
    """A run's ticks to its trackers."""
    folder = RunFolder(tmp_path / "critters")
    folder.path.mkdir(exist_ok=True)
    with tracking(session, folder, CONFIG, images, report) as trackers:
        for kimg, numbers in ticks:
            for tracker in trackers:
                tracker.log(kimg, numbers, folder.fakes(kimg))
    return len(trackers)


def test_nobody_hears_without_being_asked(wandb, tmp_path):
    assert tell(tmp_path, Session(), Report()) == 0 and wandb.asked == []


def test_wandb_hears_numbers_pictures_and_config(wandb, tmp_path):
    folder, report = tmp_path / "critters", Report()
    folder.mkdir()
    pixels = np.full((4, 4, 3), 7, np.uint8)
    Image.fromarray(pixels).save(RunFolder(folder).fakes(2))
    assert tell(tmp_path, Session(wandb=True), report, (1, {"a": 0.5}), (2, {"a": 0.25})) == 1
    first, second = wandb.run.logged
    assert first == {"kimg": 1, "a": 0.5}
    assert second["kimg"] == 2 and np.array_equal(second["images"], pixels)
    assert report.heard == [f"numbers and pictures go to {Run.url}"]
    (asked,) = wandb.asked
    assert asked["config"] == json.loads(json.dumps(CONFIG.to_json()))
    assert asked["name"] == "critters" and asked["dir"] == str(folder)
    settings = asked["settings"]
    assert settings["console"] == "off" and settings["disable_git"] and not settings["save_code"]
    assert (("*",), {"step_metric": "kimg"}) in wandb.run.metrics


def test_a_run_that_goes_on_is_the_same_there(wandb, tmp_path, monkeypatch):
    for _ in range(2):
        tell(tmp_path, Session(wandb=True), Report())
    monkeypatch.setenv("WANDB_PROJECT", "other")
    (tmp_path / "critters" / "wandb-id").write_text("../../x\n")
    tell(tmp_path, Session(wandb=True), Report())
    first, second, third = wandb.asked
    assert first["id"] == second["id"] != third["id"] and third["id"].isalnum()
    assert [one["project"] for one in wandb.asked] == ["aligned_jax", "aligned_jax", "other"]
    assert first["resume"] == "allow"


def test_a_tracker_that_fails_ends_no_training(wandb, tmp_path):
    report, folder = Report(), RunFolder(tmp_path)
    with tracking(Session(wandb=True), folder, CONFIG, 0, report) as (tracker,):
        wandb.run.broken = True
        for kimg in (1, 2):
            tracker.log(kimg, {"a": 1.0}, None)
    assert report.heard[1:] == [
        r"Weights & Biases hears no more of this run: the service is gone\nfor good"
    ]


def test_what_wandb_says_before_it_begins_is_a_sentence(wandb, tmp_path):
    def init(**options):
        raise RuntimeError("api_key not configured")

    wandb.init = init
    with pytest.raises(UserError, match="api_key not configured; log in by `wandb login`, or set"):
        tell(tmp_path, Session(wandb=True), Report())


def test_wandb_that_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "wandb", None)
    with pytest.raises(UserError, match=r"pip install 'aligned_jax\[wandb\]'"):
        hosts.wandb()
    with pytest.raises(UserError, match=r"aligned_jax\[wandb\]"):
        Session(wandb=True, cache=False).prepare()


def test_tensorboard_hears_numbers_and_forgets_what_is_written_again(monkeypatch, tmp_path):
    made, heard = [], []

    class Writer(contextlib.nullcontext):
        def __init__(self, folder, purge_step):
            super().__init__(self)
            made.append((folder, purge_step))

        def add_scalar(self, name, value, step):
            heard.append((name, value, step))

        def flush(self):
            raise OSError("the disk is full")

    monkeypatch.setattr("aligned_jax.runs.trackers.tensorboard", lambda: Writer)
    for images in (0, 2500):
        tell(tmp_path, Session(tensorboard=True), Report(), (3, {"a": 0.5}), images=images)
    assert made == [(str(tmp_path / "critters" / "tensorboard"), step) for step in (None, 3)]
    assert heard == [("a", 0.5, 3)] * 2
