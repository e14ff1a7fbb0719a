"""The CLIP in the package: small, described, asked by default, and right about what is drawn."""

import json

import numpy as np
import pytest

from aligned_jax.data import draw_avatar
from aligned_jax.errors import UserError
from aligned_jax.features import clip
from aligned_jax.tools.main import main
from aligned_jax.train import zoo_clip
from aligned_jax.zoo import captions, clip_making, clip_packing, clip_scoring
from aligned_jax.zoo.making import PACKAGE_ZOO

FOLDER = PACKAGE_ZOO / clip_packing.NAME


@pytest.fixture(scope="module")
def seer():
    return clip.load()


def test_it_is_small_and_asked_by_default(seer):
    assert f"zoo:{clip_packing.NAME}" == clip.ZOO_CLIP and clip.zoo_clips() == [clip_packing.NAME]
    assert seer.fingerprint == clip.load(FOLDER).fingerprint
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 5e6


def test_its_card_says_what_was_measured_and_which_words_it_knows(seer):
    card = (FOLDER / "card.md").read_text("utf-8")
    scores = json.loads((FOLDER / "scores.json").read_text("utf-8"))
    assert all(word in card for word in seer.tokens.words)
    for name in clip_scoring.hardly_learned(scores["groups"]):
        assert name in card
    for line in clip_making.drawings().values():
        assert " ".join(line) in card
    assert "licensed under" in card
    weak = clip_scoring.hardly_learned(scores["groups"])
    for group in ("kind", "body", "glasses", "shirt", "skin"):
        assert scores["groups"][group]["balanced"] > 0.9
        assert not [name for name in weak if name.startswith(f"{group} ")]


def test_it_tells_faces_that_it_never_saw(seer):
    pairs = [draw_avatar("personas", f"new {k}", zoom=1.25) for k in range(24)]
    vectors = clip_scoring.embedded(seer, np.stack([image for image, _ in pairs]))
    values = ["yes", "no"]
    texts = np.asarray(seer.embed_texts(captions.statements("glasses", values, "person")))
    texts = texts / np.linalg.norm(texts, axis=1, keepdims=True)
    found = [values[k] for k in (vectors @ texts.T).argmax(axis=1)]
    assert np.mean([one == told.glasses for one, (_, told) in zip(found, pairs, strict=True)]) > 0.9


def test_words_that_it_does_not_know_are_refused_by_name(tmp_path, capsys):
    with pytest.raises(UserError, match="zebra"):
        clip.load().embed_texts(["a zebra"])
    line = ["directions", "text", "zoo:personas64", "--target", "a person in a sombrero"]
    assert main([*line, "--neutral", "a person", "--out", str(tmp_path / "x.npz")]) == 2
    error = capsys.readouterr().err
    assert "sombrero" in error and "glasses" in error and error.count("\n") == 1


def test_what_is_there_is_not_made_again(tmp_path):
    assert zoo_clip.main(["--work", str(tmp_path / "work")]) == 0
    assert not (tmp_path / "work").exists()
