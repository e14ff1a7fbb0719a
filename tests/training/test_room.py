"""What a training on a TPU says of the memory of R1."""

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


@pytest.fixture
def tpu(monkeypatch):
    """A TPU with the memory of a v5e."""
    monkeypatch.setattr(jax, "default_backend", lambda: "tpu")
    monkeypatch.setattr(room, "_memory", lambda: V5E)


@pytest.mark.parametrize("config, rows", [(LARGE, 8), (LARGE, 4)])
def test_what_the_compiler_counted_is_met(config, rows):
    """14.49 and 13.23 GiB, compiled for a v5e."""
    counted = {8: 14.49, 4: 13.23}[rows] * 2**30
    assert room.r1_bytes(config, rows) == pytest.approx(counted, rel=0.1)


def test_too_many_images_at_a_time_are_told_of(tpu, monkeypatch):
    (told,) = room.notice(LARGE, GanOptions(64), 4)
    assert "16 images of 1024 px at a time takes some 29.0 GiB" in told
    assert "too much for a device with 15.8; `gan.rounds` of 2 make it 8 at a time" in told
    (told,) = room.notice(LARGE, GanOptions(64, rounds=2), 4)
    assert "much beside networks and optimisers" in told and "`gan.rounds` of 4 make it 4" in told
    assert room.notice(LARGE, GanOptions(64, r1_gamma=0.0), 4) == []
    assert room.notice(dataclasses.replace(LARGE, architecture="skip"), GanOptions(64), 4) == []
    monkeypatch.setattr(room, "_memory", lambda: None)
    assert room.notice(LARGE, GanOptions(64), 4) == []
    monkeypatch.setattr(room, "_memory", lambda: 2 * V5E)
    assert room.notice(LARGE, GanOptions(64, rounds=2), 4) == []
    monkeypatch.setattr(room, "_memory", lambda: V5E // 4)
    assert "too much" in room.notice(LARGE, GanOptions(8), 4)[0]


def test_other_devices_say_nothing(monkeypatch):
    monkeypatch.setattr(room, "_memory", lambda: V5E)
    assert room.notice(LARGE, GanOptions(64), 4) == []


def test_a_training_tells_it_when_it_begins(tpu):
    config = presets.config_of("stylegan2", DataOptions("-"), presets.Sizes(1024), 512, "none", 8, "tpu")
    assert "of 8 images" in GanTask(config).notices()[0]
    gan = dataclasses.replace(config.gan, rounds=1)
    config = dataclasses.replace(config, gan=gan)
    (told,) = GanTask(config).notices()  # 64 images on each of eight devices
    assert "R1 of 64 images" in told and "`gan.rounds` of 8" in told
