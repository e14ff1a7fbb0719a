"""Readers learn the parts of pictures, and forget nothing."""

import dataclasses

import numpy as np
import pytest
from PIL import Image

from aligned_jax import jobs
from aligned_jax.errors import UserError
from aligned_jax.features.attributes import load
from aligned_jax.jobs.attributes.parts import overlaps
from aligned_jax.jobs.attributes.training import TrainedReader
from aligned_jax.provenance import Command, record
from aligned_jax.training.attributes import ReaderTraining
from aligned_jax.training.parts import train_parts
from tests.helpers import same_bits
from tests.labelled_pictures import noise, reader

NAMES = ("ground", "hat")


def halves(count):
    """uint8 pictures of which some columns are a red hat, and where it is."""
    random = np.random.default_rng(0)
    masks = np.zeros((count, 8, 8), np.uint8)
    for mask in masks:
        start = int(random.integers(6))
        mask[:, start : start + 3] = 1
    images = np.where(masks[..., None], np.uint8([220, 30, 30]), np.uint8([60, 90, 200]))
    return images.astype(np.uint8), masks


@pytest.fixture
def folders(tmp_path):
    for name, arrays in zip(("images", "masks"), halves(24), strict=True):
        (tmp_path / name).mkdir()
        for k, values in enumerate(arrays):
            Image.fromarray(values).save(tmp_path / name / f"{k}.png")
    return {"data": tmp_path / "images", "masks": tmp_path / "masks", "names": NAMES}


@pytest.mark.slow
@pytest.mark.optimised
def test_parts_are_learnt_and_kept_in_the_file(folders, tmp_path):
    known = reader()
    training = ReaderTraining(epochs=12, batch=8, learning_rate=2e-2)
    taught = jobs.teach_parts(known, **folders, training=training, half=True)
    taught.write(tmp_path / "r.safetensors")
    found = load(tmp_path / "r.safetensors")
    assert found.part_names == NAMES
    images, masks = halves(40)
    assert min(overlaps(found, images[24:], masks[24:]).values()) > 0.8
    shares = found.parts(images.astype(np.float32) / 127.5 - 1)
    assert shares.shape == (40, 8, 8, 2) and shares.dtype == np.float32
    np.testing.assert_allclose(shares.sum(axis=-1), 1, rtol=1e-5)
    assert found.parts(noise(1, 16, 24, 3)).shape == (1, 16, 24, 2)
    assert set(found.card["parts"]["scores"]) == set(NAMES)
    assert "parts (intersection over union): ground" in jobs.reader_card(found).text()
    # What it tells of attributes is as before, but for half precision.
    again, before = found(noise(3)), known(noise(3))
    np.testing.assert_allclose(again["age"], before["age"], atol=0.2)


def test_the_card_keeps_both_commands(tmp_path):
    known = dataclasses.replace(reader(parts=NAMES), card={"command": "aligned one", "parts": {}})
    taught = TrainedReader(known, False, (), "parts")
    taught.write(tmp_path / "r.safetensors", Command("aligned two"))
    card = jobs.reader_card(tmp_path / "r.safetensors")
    assert card.reader.card["command"] == "aligned one"
    assert card.reader.card["parts"] == record(Command("aligned two"))
    assert "made by: aligned one" in card.text() and "parts made by: aligned two" in card.text()


@pytest.mark.slow
def test_every_option_changes_the_parts():
    images, masks = halves(16)
    known = reader()
    config = dataclasses.replace(known.config, parts=NAMES)
    trunk = known.params["attributes"]["trunk"]
    usual = ReaderTraining(epochs=1, batch=8)

    def trained(**change):
        return train_parts(config, trunk, dataclasses.replace(usual, **change), images, masks)

    plain = trained()
    assert same_bits(trained(), plain) and "trunk" not in plain
    for change in ({"seed": 1}, {"epochs": 2}, {"flip": False}, {"augment": False}):
        assert not same_bits(trained(**change), plain), change


def test_what_cannot_be_taught(folders, tmp_path):
    known = reader()
    with pytest.raises(UserError, match="given together"):
        jobs.teach_parts(known, folders["data"], masks=folders["masks"])
    with pytest.raises(UserError, match="4 pictures are too few"):
        jobs.teach_parts(known, **folders, num=4)
    (tmp_path / "taken").write_text("x")
    with pytest.raises(UserError, match="already exists"):
        jobs.teach_parts(known, **folders, out=tmp_path / "taken")
    with pytest.raises(UserError, match="tells no parts"):
        known.parts(noise(1))
