"""Training an encoder from the command line: run, stop, resume, use, refuse."""

import dataclasses
import signal

import jax
import numpy as np
import pytest

import aligned_jax as aj
from aligned_jax import features
from aligned_jax.cli import training
from aligned_jax.errors import UserError
from aligned_jax.networks import fingerprint
from aligned_jax.networks.network import Network
from aligned_jax.provenance import Command
from aligned_jax.runs import launch, loop, saved_state, stopping
from aligned_jax.runs.config import SnapshotOptions
from aligned_jax.runs.encoder_run import EncoderRun, encoder_losses
from aligned_jax.runs.folder import RunFolder
from aligned_jax.runs.launch import task_of
from aligned_jax.training.encoder_options import EncoderOptions
from tests import standins
from tests.runs import small_runs as runs
from tests.training import tiny_encoder as tiny


class Images(runs.Images):
    """Random images of 32 pixels."""

    resolution = 32

    def __init__(self, count=12):
        random = np.random.RandomState(0)
        self.images = random.randint(0, 256, (count, 32, 32, 3)).astype(np.uint8)


LOSSES = EncoderOptions(
    200, identity=0.0, d_reg_interval=2, pool_size=3, progressive_start=2, progressive_every=2
)


@pytest.fixture(scope="module")
def generator(tmp_path_factory):
    """A saved generator: its folder and itself."""
    network = Network(tiny.GENERATOR, jax.tree.map(np.asarray, tiny.generator()))
    folder = str(tmp_path_factory.mktemp("networks") / "parent")
    aj.save(folder, network)
    return folder, network


@pytest.fixture
def config(generator, monkeypatch):
    monkeypatch.setattr(features, "lpips", lambda net: standins.Squares(), raising=False)
    return EncoderRun(
        Images.options,
        generator[0],
        fingerprint(generator[1].variables),
        tiny.GENERATOR,
        tiny.E4E,
        LOSSES,
        snapshots=SnapshotOptions(tick_kimg=1, dense=0, every=2, latest=1, images=3),
        kimg=2,
        fingerprint=Images.fingerprint,
    )


def train(folder, config, **changed):
    run = runs.planned(folder, config, Images(), **changed)
    return training.conclude(run.begin(Command("aligned encoder")))


def results(folder):
    latest = saved_state.latest_state(RunFolder(folder))
    with np.load(latest / saved_state.TRAINING) as file:
        found = {name: file[name] for name in file.files}
    return found | saved_state.named("E", aj.checkpoint.read(latest, "E"))


@pytest.mark.slow
def test_a_run_that_is_stopped_ends_as_one_that_is_not(tmp_path, config, generator, monkeypatch):
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    assert train(whole, config) == 0
    names = {path.name for path in whole.iterdir()}
    assert {"reals.png", "init.png", "fakes-kimg-000002.png", "strip.png"} <= names
    lines = RunFolder(whole).read_stats()
    assert [line["kimg"] for line in lines] == [1, 2]
    assert lines[0]["reports"]["Loss/E/loss"] > 0 < lines[0]["reports"]["Loss/D/loss"]

    encoder = aj.load_encoder(whole, generator[1])
    assert encoder.provenance["generator"]["network"] == generator[0]
    images = Images().images[:2].astype(np.float32) / 127.5 - 1
    assert encoder(images).shape == (2, 8, 6)
    assert isinstance(RunFolder(whole).read_config(), EncoderRun)

    add = loop.MetricSums.add
    seen = []

    def add_and_stop(self, reports):
        add(self, reports)
        seen.append(1)
        if len(seen) == 3:
            signal.raise_signal(signal.SIGTERM)

    monkeypatch.setattr(loop.MetricSums, "add", add_and_stop)
    assert train(parts, config) == 128 + signal.SIGTERM
    monkeypatch.setattr(loop.MetricSums, "add", add)
    assert train(parts, config) == 0
    first, second = results(whole), results(parts)
    assert first.keys() == second.keys()
    for name in first:
        np.testing.assert_array_equal(first[name], second[name], err_msg=name)


@pytest.mark.slow
def test_what_cannot_be(tmp_path, config, generator):
    with pytest.raises(UserError, match=r"metrics has fd_vgg, x; scores of encoders are pixel_r"):
        dataclasses.replace(config, snapshots=SnapshotOptions(metrics="fd_vgg,lpips_vgg,x"))
    with pytest.raises(UserError, match=r"generator\.img_resolution is 32, the data have 8"):
        launch.check_data(config, runs.Images())
    with pytest.raises(UserError, match="is not the generator that this encoder was trained for"):
        _ = task_of(dataclasses.replace(config, start_sha256="0")).generator
    assert "losses.learning_rate" in task_of(config).advice
    other = RunFolder(tmp_path / "run")
    other.path.mkdir()
    other.write_config(config, {})
    with pytest.raises(UserError, match="kind: encoder run there, training run here"):
        other.check_same(runs.CONFIG)
    assert other.read_config() == config
    state = task_of(config).expected()
    broken = jax.tree.map(
        lambda v: (
            np.full(v.shape, np.nan, v.dtype) if v.dtype.kind == "f" else np.zeros(v.shape, v.dtype)
        ),
        state,
    )
    with pytest.raises(stopping.TrainingError, match=r"E/params/.*losses\.learning_rate"):
        stopping.check_finite(other, broken, {}, task_of(config).advice)


@pytest.mark.slow
def test_a_generator_that_is_lost_is_named(config, generator, tmp_path):
    variables = jax.tree.map(np.array, generator[1].variables)
    variables["params"]["synthesis"]["b4"]["const"][0] = np.nan
    lost = str(tmp_path / "lost")
    aj.save(lost, Network(tiny.GENERATOR, variables))
    changed = dataclasses.replace(config, start=lost, start_sha256=fingerprint(variables))
    with pytest.raises(UserError, match=r"lost cannot be started from: .* G/params/synthesis/b4"):
        task_of(changed).start()
    lines = "\n".join(task_of(config).start().lines)
    assert lines == f"drawn anew, from seed 0: E; {generator[0]} stays as it is"


@pytest.mark.slow
def test_what_a_run_should_bear_in_mind(config):
    def said(kimg=2, **options):
        losses = dataclasses.replace(config.losses, **options)
        changed = dataclasses.replace(config, losses=losses, kimg=kimg)
        task = task_of(changed)
        return "\n".join(task.notes(task.step(jax.local_devices()[:1])))

    # Ten iterations; delta number r of 1 to 7 begins at 2r.
    assert "only 5 of 8 rows of w+ begin within the run's 10 iterations" in said()
    assert "only 7 of 8 rows" in said(progressive_start=0, batch_size=170)  # 12 iterations
    assert said(progressive_start=0, batch_size=160) == ""  # 13
    assert said(kimg=3) == ""  # 15 iterations, of which the last is number 14
    assert said(progressive_start=None, progressive_every=2000) == ""
    assert "no loss compares images" in said(kimg=3, l2=0.0, lpips=0.0)


def test_the_schedule_of_a_run():
    published = encoder_losses(tiny.E4E, 1600, 8)
    assert (published.progressive_start, published.progressive_every) == (20_000, 2_000)
    short = encoder_losses(tiny.E4E, 1, 64)
    assert (short.progressive_start, short.progressive_every) == (1, 1)
    plain = encoder_losses(dataclasses.replace(tiny.E4E, space="w", deltas=False), 1600, 8)
    assert plain.adversarial == plain.delta_norm == 0
