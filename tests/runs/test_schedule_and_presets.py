"""Marks and snapshots, sums of reports, presets, and overrides."""

import dataclasses
import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from aligned_jax import viz
from aligned_jax.data.options import DataOptions
from aligned_jax.errors import ConfigError, UserError
from aligned_jax.runs import metric_sums, presets
from aligned_jax.runs.config import (
    SnapshotOptions,
    TrainConfig,
    data_options,
    differences,
    flat,
    override,
)
from aligned_jax.training import parallel
from tests.runs import small_runs as runs

ONE = jax.local_devices()[:1]
DATA = DataOptions("D")


def test_marks_and_iterations():
    config = runs.replaced(kimg=10, snapshots=SnapshotOptions(tick_kimg=4))
    assert config.marks() == [4, 8, 10]
    assert [config.iterations(mark) for mark in config.marks()] == [125, 250, 313]
    whole = dataclasses.replace(config, gan=dataclasses.replace(config.gan, batch_size=3000))
    assert whole.marks() == [4, 8, 10]
    assert dataclasses.replace(whole, kimg=9).marks() == [4, 9]  # 3 iterations reach 8 and 9
    assert runs.replaced(kimg=1).marks() == [1]


def test_what_is_kept_whole_ends_a_tick():
    options = SnapshotOptions(tick_kimg=4, keep_kimg=5)
    config = runs.replaced(kimg=14, snapshots=options)
    assert config.marks() == [4, 5, 8, 10, 12, 14]
    assert [k for k in range(15) if options.is_kept_whole(k)] == [5, 10]
    assert all(options.is_kept(k) for k in (5, 10))
    assert runs.replaced(kimg=14, snapshots=SnapshotOptions(keep_kimg=50)).marks() == [4, 8, 12, 14]
    # Batches of 3000 reach 4 and 5 at once, and 13 with the end.
    large = dataclasses.replace(config.gan, batch_size=3000)
    assert dataclasses.replace(config, gan=large).marks() == [5, 8, 10, 14]


def test_what_is_kept():
    def kept(**changed):
        options = SnapshotOptions(**({"tick_kimg": 4, "dense": 2, "every": 3} | changed))
        return [kimg for kimg in range(0, 41, 4) if options.is_kept(kimg)]

    assert kept() == [0, 4, 8, 12, 24, 36]
    assert kept(dense=3) == [0, 4, 8, 12, 24, 36]
    assert kept(dense=4) == [0, 4, 8, 12, 16, 24, 36]
    assert kept(every=5) == [0, 4, 8, 20, 40]
    assert kept(keep_kimg=16) == [0, 4, 8, 12, 16, 24, 32, 36]
    assert kept(tick_kimg=8) == [0, 8, 16, 24]


def test_configs_are_checked():
    with pytest.raises(ConfigError, match=r"kimg is 0.*; seed is -1"):
        runs.replaced(kimg=0, seed=-1)
    with pytest.raises(ConfigError, match="a batch of 2000 is more than a tick of 1 kimg"):
        runs.replaced("gan", batch_size=2000)
    with pytest.raises(ConfigError, match=r"snapshots.tick_kimg is 0.*snapshots.latest is 0"):
        SnapshotOptions(tick_kimg=0, latest=0)


def test_configs_survive_json():
    config = presets.fine_tuning(presets.config_of("auto", DATA, presets.Sizes(256, 3, 2)))
    config = dataclasses.replace(config, start="x.pkl", partial=True, fingerprint="f")
    assert TrainConfig.from_json(json.loads(json.dumps(config.to_json()))) == config
    other = dataclasses.replace(config, seed=4, kimg=3, data=DataOptions("E", mirror=True))
    assert differences(config, other) == [
        "data.mirror: False there, True here", "seed: 0 there, 4 here"
    ]  # fmt: skip


# Resolution, and the official table: batch, group, base, learning rate, gamma, EMA, its
# ramp-up, mapping.
TABLE = {
    "stylegan2": (1024, 32, 4, 32768, 0.002, 10, 10, None, 8),
    "paper256": (256, 64, 8, 16384, 0.0025, 1, 20, None, 8),
    "paper512": (512, 64, 8, 32768, 0.0025, 0.5, 20, None, 8),
    "paper1024": (1024, 32, 4, 32768, 0.002, 2, 10, None, 8),
    "auto": (256, 16, 4, 16384, 0.0025, 0.0002 * 256**2 / 16, 5, 0.05, 2),
    "tiny32": (32, 16, 4, 1024, 0.0025, 0.1, 5, 0.05, 2),
    "tiny64": (64, 16, 4, 1024, 0.0025, 0.2, 5, 0.05, 2),
}


@pytest.mark.parametrize("name", presets.PRESETS)
def test_presets(name):
    resolution, *expected = TABLE[name]
    config = presets.config_of(name, DATA, presets.Sizes(resolution))
    g, d, gan = config.generator, config.discriminator, config.gan
    assert g.synthesis.channel_base == d.channel_base and gan.g_adam == gan.d_adam
    found = [gan.batch_size, d.epilogue.mbstd_group_size, d.channel_base]
    found += [gan.g_adam.learning_rate, gan.r1_gamma, gan.ema_kimg, gan.ema_rampup]
    found += [g.mapping.num_layers]
    assert found == expected
    tiny = name.startswith("tiny")
    assert (config.ada.mode, config.kimg) == (("none", 300) if tiny else ("ada", 25000))
    child = presets.fine_tuning(config)
    assert (child.gan.ema_rampup, child.ada.kimg) == (None, 100)
    assert child.kimg == (100 if tiny else 1000)


# By devices: the official batch, group, and rounds.
DEVICES = {
    "stylegan2": {1: (32, 4, 8), 2: (32, 4, 4), 8: (32, 4, 1), 16: (32, 4, 1)},
    "paper256": {1: (64, 8, 8), 4: (64, 8, 2), 8: (64, 8, 1)},
    "paper512": {1: (64, 8, 8), 8: (64, 8, 1)},
    "paper1024": {1: (32, 4, 8), 8: (32, 4, 1)},
    "auto": {1: (16, 4, 1), 2: (32, 4, 1), 4: (64, 4, 1), 8: (64, 4, 1), 32: (64, 2, 1)},
    "tiny64": {1: (16, 4, 1), 4: (16, 4, 1)},
}


@pytest.mark.parametrize("name", DEVICES)
def test_presets_follow_the_devices(name):
    sizes = presets.Sizes(256 if name == "auto" else TABLE[name][0])
    found = {}
    for devices in DEVICES[name]:
        config = presets.config_of(name, DATA, sizes, devices=devices)
        group = config.discriminator.epilogue.mbstd_group_size
        found[devices] = (config.gan.batch_size, group, config.gan.rounds)
        if name == "auto":
            expected = (0.0002 * 256**2 / config.gan.batch_size, config.gan.batch_size * 10 / 32)
            assert (config.gan.r1_gamma, config.gan.ema_kimg) == expected
    assert found == DEVICES[name]


def test_rounds():
    assert [presets.rounds(batch, 2, 4) for batch in (4, 8, 12, 16, 20, 14)] == [1, 1, 2, 2, 5, 7]
    assert presets.rounds(64, 2, None) == presets.rounds(9, 2, 4) == 1


def test_a_batch_of_ones_own_leaves_the_strengths_of_auto():
    own, other = (presets.config_of("auto", DATA, presets.Sizes(256), batch=b) for b in (None, 8))
    assert (own.gan.batch_size, other.gan.batch_size) == (16, 8)
    assert dataclasses.replace(other.gan, batch_size=16) == own.gan


def test_presets_follow_data_and_batch():
    large = presets.config_of("auto", DATA, presets.Sizes(1024, 1, 3), augment="none")
    assert (large.gan.batch_size, large.gan.g_adam.learning_rate) == (4, 0.002)
    assert large.generator.channels[1024] == 32 and large.ada.mode == "none"
    assert (large.generator.c_dim, large.discriminator.img_channels) == (3, 1)
    small = presets.config_of("auto", DATA, presets.Sizes(64), batch=2, augment="bgcfnc")
    assert (small.discriminator.epilogue.mbstd_group_size, small.augment.cutout) == (2, 1)
    with pytest.raises(ConfigError, match=r"not made of groups of 8.*use a multiple"):
        presets.config_of("paper256", DATA, presets.Sizes(256), batch=12)
    with pytest.raises(ConfigError, match="presets are auto, stylegan2"):
        presets.find("best")


CONFIG = presets.config_of("tiny64", DATA, presets.Sizes(64))


@pytest.mark.parametrize(
    ("words", "name", "value"),
    [
        ("--gan.r1-gamma 3", "gan.r1_gamma", 3.0),
        ("--gan.r1_gamma=3", "gan.r1_gamma", 3.0),
        ("--gan.half bfloat16", "gan.half", "bfloat16"),
        ("--gan.g-reg-interval None", "gan.g_reg_interval", None),
        ("--gan.g-adam.betas 0.5 0.9", "gan.g_adam.betas", (0.5, 0.9)),
        ("--discriminator.channels 9 8 7 6 5", "discriminator.channels", (9, 8, 7, 6, 5)),
        ("--discriminator.freeze-layers 4", "discriminator.freeze_layers", 4),
        ("--data.mirror", "data.mirror", True),
        ("--snapshots.tick-kimg 1", "snapshots.tick_kimg", 1),
        ("--ada.mode fixed --ada.p 0.3", "ada.p", 0.3),
    ],
)  # fmt: skip
def test_overrides(words, name, value):
    changed = flat(override(CONFIG, words.split()))
    assert changed[name] == value
    assert flat(CONFIG)[name] != value


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--gan.r1-gamma x", "--gan.r1_gamma: could not convert string to float: 'x'"),
        ("--gan.r1-gama 3", "Unrecognized options: --gan.r1-gama"),
        ("--gan.r1-gama 3", "Perhaps you meant: --gan.r1_gamma"),
        ("--gan.r1-gamma -3", "r1_gamma is -3.0; it must be a number of at least 0"),
        ("--gan.r1-gamma", "Missing value for argument '--gan.r1_gamma'"),
        ("--gan.batch-size 3", "--gan.batch-size cannot be overridden; use `batch`"),
        ("--gan.precision high", "--gan.precision cannot be overridden; use `precision`"),
        ("--data.path E", "--data.path cannot be overridden; use `data`"),
        ("--ada.mode fast", "mode is 'fast'; it must be one of"),
    ],
)
def test_overrides_that_are_refused(words, said):
    with pytest.raises(UserError) as caught:
        override(CONFIG, words.split())
    assert said in str(caught.value) and "\n" not in str(caught.value)
    assert "---" not in str(caught.value)


def test_options_of_the_data_come_first():
    words = ["--gan.r1-gamma", "3", "--data.labels", "hair", "--data.variant.shift-x", "0.2"]
    options = data_options("D", words)
    assert (options.path, options.labels, options.variant.shift_x) == ("D", "hair", 0.2)


def said(*values):
    """Reports of one phase with these values, one iteration after another."""
    for value in values:
        reports = {"Dmain": {"Loss/D/loss": jnp.float32(value), "Gradient/norm": jnp.float32(2)}}
        yield parallel.replicate(reports, ONE)


def test_sums_of_reports():
    one, more = metric_sums.MetricSums(), (1.0, float("nan"), 4.0, 6.0)
    for reports in said(*more):
        one.add(reports)
    saved = one.saved()
    assert saved["Dmain"]["Loss/D/loss"] == [11.0, 3.0, 0.0]
    found = metric_sums.means(saved)
    assert found == {"Gradient/norm/Dmain": 2.0, "Loss/D/loss": pytest.approx(11 / 3)}
    # Interrupted and gone on, it comes to the same.
    first, second = metric_sums.MetricSums(), None
    for i, reports in enumerate(said(*more)):
        if i == 2:
            second = metric_sums.MetricSums(json.loads(json.dumps(first.saved())))
        (second or first).add(reports)
    assert second.saved() == saved


def test_what_counts_as_lost():
    run = metric_sums.MetricSums()
    for number, reports in enumerate(said(*[float("inf")] * metric_sums.PERSISTENT)):
        assert not metric_sums.lost(run.saved())
        if number == 3:
            run.restart()  # ticks may be shorter
        run.add(reports)
    assert metric_sums.lost(run.saved()) == ["Loss/D/loss in Dmain"]
    assert metric_sums.means(run.saved())["Loss/D/loss"] is None
    for reports in said(1.0):
        run.add(reports)
    assert not metric_sums.lost(run.saved())


def test_columns_of_a_strip():
    assert viz.spread([0, 4, 8], 5) == [0, 4, 8]
    marks = viz.spread(list(range(0, 200, 4)), 12)
    assert len(marks) == len(set(marks)) == 12
    assert (marks[0], marks[1], marks[-1]) == (0, 4, 196)
    assert (np.diff(np.diff(marks)) >= -4).all()
