"""Scores of encoders: distances of images to what their latents draw."""

import dataclasses

import jax
import numpy as np
import pytest
from PIL import Image

import aligned_jax as aj
from aligned_jax import features, viz
from aligned_jax.data import open_dataset
from aligned_jax.data.images import scan
from aligned_jax.data.options import DataOptions
from aligned_jax.data.writer import write_dataset
from aligned_jax.networks import fingerprint, init_variables
from aligned_jax.runs.config import SnapshotOptions
from aligned_jax.runs.encoder_run import EncoderRun
from aligned_jax.runs.launch import task_of
from aligned_jax.training.encoder_options import EncoderOptions
from tests import standins
from tests.training import tiny_encoder as tiny


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A generator, and the same 24 images with and without a split for tests."""
    folder = tmp_path_factory.mktemp("scores")
    variables = jax.jit(lambda: init_variables(tiny.GENERATOR, jax.random.key(0)))()
    aj.save(folder / "parent", aj.Network(tiny.GENERATOR, jax.tree.map(np.asarray, variables)))
    (folder / "images").mkdir()
    for number in range(24):
        pixels = np.random.RandomState(number).randint(0, 256, (32, 32, 3)).astype(np.uint8)
        Image.fromarray(pixels).save(folder / "images" / f"{number}.png")
    for name, test in (("split", 0.5), ("whole", 0.0)):
        write_dataset(scan(folder / "images", 32, test=test), folder / name, workers=1)
    return folder


def config_of(place, metrics, data="split", count=9):
    parent = aj.load(place / "parent")
    return EncoderRun(
        DataOptions(str(place / data), mirror=True),
        str(place / "parent"),
        fingerprint(parent.variables),
        tiny.GENERATOR,
        tiny.E4E,
        EncoderOptions(),
        snapshots=SnapshotOptions(metrics=metrics, metric_images=count),
    )


def scores_of(config):
    return task_of(config).scores(open_dataset(config.data), None)


@pytest.mark.slow
def test_scores(place, monkeypatch):
    monkeypatch.setattr(features, "lpips", standins.lpips)
    config = config_of(place, "lpips_vgg, pixel_rmse,lpips_alex,pixel_rmse")
    found = scores_of(config)
    assert [score.name for score in found] == ["lpips_vgg", "pixel_rmse", "lpips_alex"]
    assert not any(score.higher_is_better or score.warnings for score in found)
    make = jax.jit(lambda seed: init_variables(tiny.E4E, jax.random.key(seed)))
    encoders = [aj.EncoderNetwork(tiny.E4E, make(seed)) for seed in (1, 2)]
    vgg, pixels, alex = (score(encoders[0], 4) for score in found)
    assert alex == pytest.approx(2 * vgg) and found[0].details == {"images": 9, "split": "test"}

    # By hand: the images are some of those that nobody trains on.
    images = found[0].rebuilt.images
    held_out = open_dataset(dataclasses.replace(config.data, split="test", mirror=False))
    known = {held_out[i][0].tobytes() for i in range(len(held_out))}
    assert len({image.tobytes() for image in images} & known) == 9
    ws = encoders[0](images.astype(np.float32) / 127.5 - 1)
    made = viz.to_uint8(np.asarray(aj.load(place / "parent").synthesis(ws)))
    squares = np.square((images.astype(float) - made) / 127.5).mean((1, 2, 3))
    assert pixels == pytest.approx(np.sqrt(squares).mean(), rel=1e-4)
    assert vgg == pytest.approx(squares.mean(), rel=1e-4)

    other = [score(encoders[1], 8) for score in found]
    assert all(new != old for new, old in zip(other, (vgg, pixels, alex), strict=True))


@pytest.mark.slow
def test_data_without_others_lend_those_that_are_trained_on(place):
    (score,) = scores_of(config_of(place, "pixel_rmse", "whole", count=99))
    assert score.details == {"images": 48, "split": "train"}  # with the mirrored ones
    assert "scores are of images that are trained on" in score.warnings[0]
    assert scores_of(config_of(place, "")) == []
