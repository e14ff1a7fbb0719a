"""What a training on a TPU says of the memory of its regularisation."""

import dataclasses

import jax
import pytest

from aligned_jax.config import DiscriminatorConfig
from aligned_jax.data.options import DataOptions
from aligned_jax.runs import presets
from aligned_jax.runs.tasks.gan import GanTask
from aligned_jax.training import room
from aligned_jax.training.options import GanOptions

LARGE = DiscriminatorConfig(1024)
V5E = int(15.75 * 2**30)
R1, PATHS = {"pl_weight": 0.0}, {"r1_gamma": 0.0}


@pytest.fixture
def tpu(monkeypatch):
    """A TPU with the memory of a v5e."""
    monkeypatch.setattr(jax, "default_backend", lambda: "tpu")
    monkeypatch.setattr(room, "_memory", lambda: V5E)


@pytest.mark.parametrize(
    "rows, without, gathered, counted",
    [
        (4, R1, False, 13.23),
        (8, R1, False, 14.49),
        (4, R1, True, 19.34),
        (8, R1, True, 24.12),
        (4, PATHS, False, 11.56),
        (8, PATHS, False, 15.33),
    ],
)
def test_what_the_compiler_counted_is_met(rows, without, gathered, counted):
    """GiB of temporaries, compiled for a v5e."""
    found = room.regularisation_bytes(LARGE, GanOptions(32, **without), rows, gathered) / 2**30
    assert found == pytest.approx(counted, rel=0.05)


def test_too_many_images_at_a_time_are_told_of(tpu, monkeypatch):
    (told,) = room.notice(LARGE, GanOptions(32), 4, False)
    assert "8 images of 1024 px at a time takes some 15.2 GiB" in told
    assert "a device with 15.8; `gan.rounds` of 2 make it 4 at a time" in told
    quiet = [
        room.notice(LARGE, GanOptions(32, rounds=2), 4, False),
        room.notice(LARGE, GanOptions(32, pl_weight=0.0), 4, False),
        room.notice(LARGE, GanOptions(32, r1_gamma=0.0, pl_weight=0.0), 1, False),
        room.notice(dataclasses.replace(LARGE, architecture="skip"), GanOptions(64), 4, False),
    ]
    monkeypatch.setattr(room, "_memory", lambda: None)
    quiet.append(room.notice(LARGE, GanOptions(32), 4, False))
    monkeypatch.setattr(room, "_memory", lambda: 2 * V5E)
    assert [*quiet, room.notice(LARGE, GanOptions(32), 4, False)] == [[]] * 6
    monkeypatch.setattr(room, "_memory", lambda: V5E // 4)
    (told,) = room.notice(LARGE, GanOptions(32), 4, False)
    assert "too much" in told and "gan.rounds" not in told  # groups of four stay together


def test_other_devices_say_nothing(monkeypatch):
    monkeypatch.setattr(room, "_memory", lambda: V5E)
    assert room.notice(LARGE, GanOptions(64), 4, False) == []


def test_a_training_tells_it_when_it_begins(tpu):
    config = presets.config_of("stylegan2", DataOptions("-"), presets.Sizes(1024), 64, "none", 8)
    assert GanTask(config).notices() == []
    gan = dataclasses.replace(config.gan, rounds=1)
    (told,) = GanTask(dataclasses.replace(config, gan=gan)).notices()  # on each of eight devices
    assert "regularisation of 8 images" in told and "`gan.rounds` of 2" in told


def test_gathered_augmentation_takes_too_much_at_the_largest_size(tpu):
    config = presets.config_of("paper1024", DataOptions("-"), presets.Sizes(1024), devices=8)
    slow, large = GanTask(config).notices()
    assert "one by one" in slow and "of 4 images" in large and "too much" in large
