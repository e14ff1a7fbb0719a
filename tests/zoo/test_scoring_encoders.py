"""Encoders beside optimisation, on images that neither has seen."""

import json

import jax
import numpy as np
import pytest
from PIL import Image

import aligned_jax as aj
from aligned_jax import features, viz
from aligned_jax.data.images import scan
from aligned_jax.data.writer import write_dataset
from aligned_jax.networks import init_variables
from aligned_jax.train import zoo_encoders
from aligned_jax.zoo import scoring_encoders
from tests import standins
from tests.networks.small_encoder import ENCODER, GENERATOR, filled, provenance_of


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Generator, encoder, and a dataset of images that the generator drew."""
    generator = aj.Network(GENERATOR, init_variables(GENERATOR, jax.random.key(0)))
    whose = {"generator": provenance_of("parent", generator)}
    aj.save(tmp_path / "parent", generator)
    encoder = aj.EncoderNetwork(ENCODER, init_variables(ENCODER, jax.random.key(1)), whose)
    aj.save(tmp_path / "encoder", encoder, whose)
    z = aj.latents.z_from_seeds(GENERATOR, range(6))
    (tmp_path / "images").mkdir()
    for number, image in enumerate(viz.to_uint8(np.asarray(generator(z)))):
        Image.fromarray(image).save(tmp_path / "images" / f"{number}.png")
    write_dataset(scan(tmp_path / "images", 32, test=0.5), tmp_path / "data", workers=1)
    lpips = {"alex": aj.inversion.Pixels(), "vgg": standins.Squares()}
    monkeypatch.setattr(features, "lpips", lpips.__getitem__)
    monkeypatch.setattr(scoring_encoders, "STEPS", 30)
    monkeypatch.setattr(scoring_encoders, "STEPS_AFTER", 10)
    return tmp_path


def measured(folder, *more):
    names = [str(folder / name) for name in ("encoder", "parent", "data", "out.json")]
    words = [names[0], "--generator", names[1], "--data", names[2], "--out", names[3], *more]
    code = zoo_encoders.main(words)
    return code, json.loads((folder / "out.json").read_text("utf-8")) if code == 0 else None


@pytest.mark.slow
def test_optimisation_comes_nearer_than_an_encoder_that_learnt_nothing(folder):
    code, document = measured(folder)
    assert code == 0 and document["images"] == 3 and document["data"]["split"] == "test"
    rows = {row["method"]: row for row in document["scores"]}
    encoder, both, optimisation = (rows[name] for name in scoring_encoders.METHODS.values())
    for key in ("lpips_vgg", "pixel_rmse"):
        assert optimisation[key] < encoder[key] and both[key] < encoder[key]
    assert (folder / "samples.png").stat().st_size > 1000
    _, fewer = measured(folder, "--num", "2")
    assert fewer["images"] == 2 and fewer["scores"] != document["scores"]


@pytest.mark.slow
def test_an_encoder_of_another_generator_is_refused(folder, capsys):
    aj.save(folder / "other", aj.Network(GENERATOR, filled(GENERATOR, 5)))
    assert measured(folder, "--generator", str(folder / "other"))[0] == 2
    assert "the encoder belongs to parent" in capsys.readouterr().err


def test_distances():
    images = np.full((2, 32, 32, 3), 100, np.uint8)
    others = images.copy()
    others[1] += 51
    values = scoring_encoders.distances(images, others, standins.Squares())
    assert values["pixel_rmse"] == pytest.approx((0 + 51 / 127.5) / 2)
    assert values["lpips_vgg"] == pytest.approx((51 / 127.5) ** 2 / 2, rel=1e-4)
