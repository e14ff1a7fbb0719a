"""Inversions of faces in photographs, and what their files say of where the faces lie."""

import dataclasses
import json

import numpy as np
import pytest
from PIL import Image

from aligned_jax import inversion, loading
from aligned_jax.data.faces import Detector, FaceTable
from aligned_jax.data.placements import of_document
from aligned_jax.errors import UserError
from aligned_jax.jobs.inversion.request import request_inversions
from aligned_jax.jobs.picture_cuts import align_name, alignment_of, shared
from aligned_jax.jobs.sources import PictureOptions, SourceOptions, read_source
from aligned_jax.jobs.zero_shot.pictures import given_pictures
from aligned_jax.provenance import Command
from aligned_jax.rendering.latent_files import read_latents, write_latents
from aligned_jax.rendering.latent_words import latents_of_files
from tests.data.test_faces import MOVES, SIZE, face_at, photo_of
from tests.jobs.small_inputs import PARENT, aligned

BOTH = [face_at(*move).tolist() for move in MOVES]
QUICK = ("--perceptual", "none", "--pixels", 1, "--steps", 1, "--samples", 2, "--noise", "const")
FINDER = "def find(image):\n    return " + repr(BOTH[:1]) + "\n"


def made_up(network, images, loss, settings, key, start, **more):
    """Results of an inversion that nobody made: what is cut is looked at here."""
    zeros = np.zeros(len(images), np.float32)
    yield inversion.Inverted(
        settings,
        np.zeros((len(images), network.config.w_dim), np.float32),
        None,
        {"perceptual": zeros, "pixel": zeros},
        {"distance": np.zeros((settings.steps, len(images)), np.float32)},
        images / np.float32(127.5) - 1,
        zeros,
    )


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """me.png with two faces, faces.json, finder.py; `inverted`, what the verb made of them."""
    folder = tmp_path_factory.mktemp("place")
    Image.fromarray(photo_of(*MOVES)).save(folder / "me.png")
    (folder / "faces.json").write_text(json.dumps({"me.png": BOTH}))
    (folder / "finder.py").write_text(FINDER)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(inversion, "parts", made_up)
        aligned("invert", PARENT, folder / "me.png", "--align", folder / "faces.json", *QUICK,
                "--out", folder / "inverted")  # fmt: skip
    return folder


def test_files_say_where_faces_lie(place):
    network = loading.load(PARENT)
    files = [place / "inverted" / f"me_face{k}.npz" for k in (1, 2)]
    for file, move in zip(files, MOVES, strict=True):
        known = inversion.load(file, network)
        found = of_document(known.facts["placement"])
        assert found.photo == f"{place}/me.png" and found.size == SIZE
        assert known.facts["align"] == f"{place}/faces.json"
        assert found.side == pytest.approx(64 * move[1])
    latents = latents_of_files(network.config, [*map(str, files)])
    assert [one.side for one in latents.placements] == pytest.approx([64 * 0.8, 64 * 0.9])
    assert latents.take([1]).placements == latents.placements[1:]
    assert latents.with_psi(0.3).placements == latents.placements
    with open(place / "both.npz", "wb") as file:
        write_latents(file, latents, {})
    again = latents_of_files(network.config, [f"{place}/both.npz@1"])
    assert again.placements == latents.placements[1:]
    # Others know nothing of it, and what is damaged counts as nothing.
    plain = dataclasses.replace(latents, placements=None)
    with open(place / "plain.npz", "wb") as file:
        write_latents(file, plain, {"placements": [{"corner": 3}, {}]})
    assert read_latents(place / "plain.npz", network.config).placements is None
    mixed = latents_of_files(network.config, [str(files[0]), f"{place}/plain.npz"])
    assert mixed.placements is None and len(mixed) == 3


def test_the_place_decides_what_is_taken_up_again(place):
    asked = [
        request_inversions(PARENT, place / "me.png", {"steps": 1, "samples": 2}, space="w",
                encoder=None, start=None, label=None, perceptual="none", pixels=1.0, align=align,
                seed=0, batch=None, network_key="G_ema", command=Command())
        for align in (place / "faces.json", f"{place}/finder.py:find", "center")
    ]  # fmt: skip
    told = [one.facts(one.targets.targets[0]) for one in asked]
    assert [one["align"] for one in told] == [
        f"{place}/faces.json", f"{place}/finder.py:find", "center"
    ]  # fmt: skip
    places = [one["placement"] for one in told]
    assert places[0] == places[1] != places[2]
    assert told[0]["input"] == told[1]["input"] != told[2]["input"]
    assert [len(one.targets) for one in asked] == [2, 1, 1]


def test_words_of_alignment(place):
    assert alignment_of("center") == "center" and alignment_of("none") == "none"
    table = alignment_of(place / "faces.json")
    assert isinstance(table, FaceTable) and not table.others and len(table.faces["me.png"]) == 2
    found = alignment_of(f"{place}/finder.py:find")
    assert isinstance(found, Detector) and found.find(None) == BOTH[:1]
    assert alignment_of(table) is table and shared(found) is found and shared("none") == "none"
    assert shared(place / "faces.json").others
    assert align_name(table) == f"{place}/faces.json" and align_name("none") == "none"
    for word, message in (
        (
            "middle",
            "`align` is 'middle'; it is center, none, a file of faces F.json, or a function",
        ),
        ("finder.py", "it is center"),
        (f"{place}/x.json", "x.json cannot be read"),
        (f"{place}/x.py:find", "x.py is no file"),
        (f"{place}/finder.py:look", "has no function look; it has find"),
    ):
        with pytest.raises(UserError, match=message):
            alignment_of(word)
    with pytest.raises(UserError, match="`align` is 'middle'"):
        PictureOptions(align="middle")


def test_one_file_may_name_the_pictures_of_several_sources(place):
    network = loading.load(PARENT)
    named = {"me.png": BOTH, "you.png": BOTH}
    table = FaceTable({name: [np.asarray(f) for f in faces] for name, faces in named.items()})
    how = PictureOptions(align=table, perceptual="none", pixels=1.0)

    def read(pictures):
        [pending] = read_source(network, f"{place}/me.png", ["w"], SourceOptions(pictures=pictures))
        return pending

    with pytest.raises(UserError, match=r"no picture is called you.png"):
        read(how)
    assert read(how.shared()).names == ("me_face1", "me_face2")
    labelled = given_pictures(network.config, f"{place}/me.png", place / "faces.json")
    assert labelled.names == ("me_face1", "me_face2")
    np.testing.assert_array_equal(labelled.images, read(how.shared()).targets.images())
