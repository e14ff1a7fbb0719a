"""Training runs begun from a script, without a command line."""

import dataclasses
import json
import warnings
from types import SimpleNamespace

import jax
import numpy as np
import pytest
from PIL import Image

import aligned_jax as aj
from aligned_jax import features, jobs
from aligned_jax.data.images import scan
from aligned_jax.data.writer import write_dataset
from aligned_jax.errors import UserError
from aligned_jax.provenance import Command
from aligned_jax.runs import loop
from aligned_jax.runs.folder import RunFolder
from aligned_jax.runs.hosts import Session
from aligned_jax.runs.launch import check_data
from aligned_jax.runs.progress import TrainingReporter
from tests.helpers import DATA
from tests.training import tiny_encoder

PARENT = DATA / "hostile_baseline_ok.pkl"
SESSION = Session(threads=1, cache=False, devices=1)
# Two phases only, and few pictures: most of the time is compilation.
PLAIN = ("--gan.pl-weight", "0", "--gan.r1-gamma", "0", "--snapshots.images", "4")
SMALL = (
    *PLAIN,
    *["--generator.synthesis.channels", "3", "3", "--discriminator.channels", "3", "3"],
    *["--generator.z-dim", "4", "--generator.w-dim", "4", "--generator.mapping.num-layers", "1"],
)


def dataset(folder, size, count=24, gray=False):
    """A dataset of noise."""
    (folder / "images").mkdir()
    for number in range(count):
        pixels = np.random.RandomState(number).randint(0, 256, (size, size, 3)).astype(np.uint8)
        Image.fromarray(pixels).save(folder / "images" / f"{number:02d}.png")
    write_dataset(scan(folder / "images", size, gray=gray), folder / "data", workers=1)
    return str(folder / "data")


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return dataset(tmp_path_factory.mktemp("small"), 8)


class Listener(TrainingReporter):
    """Writes down what it hears."""

    def __init__(self):
        self.notices = []

    def notice(self, text):
        self.notices.append(text)


@pytest.mark.slow
def test_a_child_is_trained_and_goes_on(data, tmp_path, capsys):
    run, listener = tmp_path / "run", Listener()
    known = {"data": data, "run": run, "preset": "tiny32", "batch": 100, "session": SESSION}
    outcome = jobs.finetune(
        PARENT, **known, kimg=1, overrides=PLAIN, report=listener, command=Command("aligned me")
    )
    assert outcome == jobs.Outcome(run, 1, None)
    assert listener.notices[0].startswith("copied ")
    record = json.loads((run / "config.json").read_text("utf-8"))
    assert record["origin"]["command"] == "aligned me" and record["config"]["start"] == str(PARENT)
    before, after = aj.load(PARENT).variables["params"], aj.load(run).variables["params"]
    moved = jax.tree.map(lambda a, b: not np.array_equal(a, b), before, after)
    assert any(jax.tree.leaves(moved))

    longer = jobs.resume(run, kimg=2, session=SESSION, report=listener)
    assert longer == jobs.Outcome(run, 2, None)
    assert listener.notices[-1] == f"going on with {run} at 1.0 of 2 kimg"
    assert [line["kimg"] for line in RunFolder(run).read_stats()] == [1, 2]
    assert capsys.readouterr() == ("", "")
    with pytest.raises(UserError, match="it can only be lengthened"):
        jobs.resume(run, kimg=1, session=SESSION)


def test_what_is_planned_is_not_written(data, tmp_path):
    known = {"data": data, "run": tmp_path / "run", "session": SESSION, "overrides": SMALL}
    planned = jobs.plan_pretrain("tiny32", **known, kimg=3, seed=5, augment="blit")
    config = planned.config
    assert (config.kimg, config.seed, config.ada.mode, config.start) == (3, 5, "ada", None)
    assert config.generator.z_dim == 4 and config.snapshots.images == 4
    scored = jobs.plan_pretrain("tiny32", **known, metrics="fd_vgg", metric_images=7)
    assert scored.config.snapshots == dataclasses.replace(
        config.snapshots, metrics="fd_vgg", metric_images=7
    )
    assert config.gan.precision == "exact"
    fast = jobs.plan_pretrain("tiny32", **known, precision="fast")
    assert fast.config.gan.precision == "fast"
    assert "--gan.r1-gamma" in planned.options().replace("_", "-")
    with pytest.raises(UserError, match="presets are auto"):
        jobs.plan_pretrain("best", **known)
    with pytest.raises(UserError, match="`batch` is 0"):
        jobs.plan_pretrain("tiny32", **known, batch=0)
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_the_default_listener_hears_warnings_alone(data, tmp_path, monkeypatch, capsys):
    """Of a run from scratch whose loop is left out."""
    heard = []

    def train(run, state, bookkeeping):
        with run.report.training(run.task.config, 0) as progress:
            progress.say("compiling")
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                progress.warn("few images")
            heard.extend(str(warning.message) for warning in caught)

    monkeypatch.setattr(loop, "train", train)
    known = {"data": data, "run": tmp_path / "run", "session": SESSION, "overrides": SMALL}
    assert jobs.pretrain("tiny32", **known, kimg=1).signal is None
    assert heard == ["few images"] and capsys.readouterr() == ("", "")


@pytest.mark.slow
def test_an_encoder_is_planned_for_its_generator(tmp_path, monkeypatch):
    parent = aj.Network(tiny_encoder.GENERATOR, jax.tree.map(np.asarray, tiny_encoder.generator()))
    aj.save(tmp_path / "parent", parent)
    known = {"data": dataset(tmp_path, 32, 4), "run": tmp_path / "run", "session": SESSION}
    planned = jobs.plan_encoder(tmp_path / "parent", "z", **known, kimg=4, batch=16)
    config = planned.config
    assert (config.encoder.space, config.kimg, config.losses.batch_size) == ("z", 4, 16)
    assert config.losses.adversarial == 0 and config.start == str(tmp_path / "parent")
    e4e = jobs.plan_encoder(tmp_path / "parent", **known, precision="high").config
    assert e4e.encoder.deltas and e4e.losses.precision == "high"
    assert config.losses.precision == "exact"
    plain = jobs.plan_encoder(tmp_path / "parent", plain_rows=True, **known).config
    assert not plain.encoder.deltas

    def missing(name):
        raise UserError("there is no network for LPIPS")

    monkeypatch.setattr(features, "lpips", missing)
    with pytest.raises(UserError, match="no network for LPIPS"):
        jobs.train_encoder(tmp_path / "parent", **known)
    assert not (tmp_path / "run").exists()


def test_options_are_checked_before_any_work(data, tmp_path):
    where = {"data": data, "run": tmp_path / "run", "session": SESSION}
    with pytest.raises(TypeError, match=r"unknown options kimgs; there are augment, .* kimg, "):
        jobs.plan_pretrain("tiny32", **where, kimgs=1)
    with pytest.raises(TypeError, match="missing options: run"):
        jobs.plan_finetune(PARENT, data=data, session=SESSION)
    with pytest.raises(TypeError, match="unknown options augment"):
        jobs.plan_encoder(PARENT, **where, augment="bgc")
    for kimg in (-1, 0):
        with pytest.raises(UserError, match=f"`kimg` is {kimg}; it must be at least 1"):
            jobs.plan_encoder(PARENT, **where, kimg=kimg)


def test_parents_are_named(data, tmp_path):
    with pytest.raises(UserError, match=r"a Network in memory; save it with aj\.save"):
        jobs.plan_finetune(aj.load(PARENT), data=data, run=tmp_path / "run", session=SESSION)


def test_data_that_no_network_fits_are_named(tmp_path):
    where = {"data": dataset(tmp_path, 48, 4), "run": tmp_path / "run", "session": SESSION}
    said = r"data holds images of 48 pixels; networks need 8, 16, 32, .*, 512 or 1024: make it"
    for plan in (
        lambda: jobs.plan_pretrain("tiny32", **where),
        lambda: jobs.plan_finetune(PARENT, **where),
        lambda: jobs.plan_encoder(PARENT, **where),
    ):
        with pytest.raises(UserError, match=said):
            plan()


@pytest.mark.parametrize(
    ("theirs", "channels", "way"),
    [
        (3, 1, "without `gray=True`"),
        (1, 3, "with `gray=True`"),
        (3, 4, "without `alpha=True`"),
        (4, 3, "with `alpha=True`"),
        (4, 1, "with `alpha=True`"),
    ],
)
def test_the_way_out_for_data_of_other_channels_and_without_labels(theirs, channels, way):
    sizes = {"img_resolution": 8, "img_channels": theirs, "c_dim": 3}
    config = SimpleNamespace(
        generator=SimpleNamespace(**sizes), start="P", data=SimpleNamespace(path="D")
    )
    data = SimpleNamespace(resolution=8, channels=channels, c_dim=0)
    told = f"the data have 0; import the data again {way}; choose the labels .* with --data.labels$"
    with pytest.raises(UserError, match=told):
        check_data(config, data)


@pytest.mark.slow
def test_gray_data_and_a_parent_in_colour(tmp_path, monkeypatch):
    """The second way out of the refusal works: up to the first step, which is left out."""
    shapes = []

    def train(run, state, bookkeeping):
        batch = run.step.feed(*next(run.batches(0)))
        torgb = state.G["params"]["synthesis"]["b8"]["torgb"]["weight"]
        shapes.extend([batch.images.shape[-1], torgb.shape[-1]])

    monkeypatch.setattr(loop, "train", train)
    data = dataset(tmp_path, 8, gray=True)
    known = {"data": data, "run": tmp_path / "run", "preset": "tiny32", "session": SESSION}
    for partial in (False, True):
        with pytest.raises(UserError) as caught:
            jobs.plan_finetune(PARENT, **known, partial=partial)
        message = str(caught.value)
        assert "generator.img_channels is 3, the data have 1" in message
        assert (
            "import the data again without `gray=True`, or give `partial=True` and --generator"
            in message
        )
    words = message.partition("give `partial=True` and ")[2].partition(",")[0].split()
    more = {"batch": 100, "kimg": 1, "overrides": (*PLAIN, *words)}
    with pytest.raises(UserError, match="the source does not fit"):
        jobs.finetune(PARENT, **known, **more)
    assert not (tmp_path / "run").exists()
    assert jobs.finetune(PARENT, **known, **more, partial=True).signal is None
    assert shapes == [1, 1]
