"""Films of a face inside its photograph, and families in theirs."""

import dataclasses
import hashlib

import numpy as np
import pytest
from PIL import Image

from aligned_jax import jobs
from aligned_jax.data import placements
from aligned_jax.data.photographs import read_photograph
from aligned_jax.errors import UserError
from aligned_jax.jobs.films import Film, drawn_once
from aligned_jax.jobs.pasted_films import place_of
from aligned_jax.rendering import latents_of_seeds
from aligned_jax.rendering.pasting import Face, pasted
from aligned_jax.tools.main import main
from tests.jobs.small_inputs import PARENT, aligned, frames_of
from tests.jobs.small_photographs import SQUARES, in_square, outside, photo_of

SHORT = ("--frames", 3, "--hold", 0, "--lossless")


def test_a_film_lies_in_the_photograph_of_its_first_key_frame(place, child, tmp_path):
    """Of its size, with the faces of the other film, and around them not a pixel changes."""
    before, line = photo_of(place), ("morph", PARENT, child, f"{place}/two.npz@1", 3, *SHORT)

    def run(name, *more):
        out, whole = tmp_path / f"{name}-face.webp", tmp_path / f"{name}.webp"
        said = aligned(*line, "--out", out, "--paste-back", whole, *more)
        assert f"wrote {whole}: 3 frames, 0.1 s of 60x40 pixels, in {place}/two.png" in said
        return frames_of(out), frames_of(whole)

    faces, film = run("plain")
    with Image.open(tmp_path / "plain.webp") as image:
        assert image.getexif()[0x010E].startswith("aligned morph ")
    where = dataclasses.replace(placements.of_box(np.asarray([30, 20, 38, 28]), (60, 40)))
    for face, frame in zip(faces, film, strict=True):
        np.testing.assert_array_equal(frame, pasted(before, [Face(face, where)], 0.1))
        np.testing.assert_array_equal(outside(frame), outside(before))
        np.testing.assert_array_equal(in_square(frame, 0), in_square(before, 0))
    assert np.abs(in_square(film[0], 1) - in_square(before, 1)).max() <= 1  # it begins as it is
    assert np.abs(in_square(film[2], 1) - in_square(before, 1)).max() > 5
    _, soft = run("soft", "--feather", 0.4)
    assert (soft[2] != film[2]).any()
    large, same = run("large", "--scale", 3)  # of the face alone
    assert large.shape == (3, 24, 24, 3)
    np.testing.assert_array_equal(same, film)


def test_the_first_that_knows_its_place_counts(place, network, child):
    both = jobs.edit([network], jobs.EditRequest([f"{place}/w.npz:1"]), latents=place / "two.npz")
    first, second = both.latents.take([0]), both.latents.take([1])
    seed = latents_of_seeds(network.config, [3])
    nameless = dataclasses.replace(
        first, placements=(dataclasses.replace(first.placements[0], photo=""),)
    )
    assert place_of([seed, second, first]) == second.placements[0]
    assert place_of([nameless, first, second]) == first.placements[0]
    assert place_of([seed, nameless]) is None
    film = jobs.morph(network, child, first, second, frames=3, hold=0)
    frames = film.in_photograph().frames
    assert frames.shape == (3, 40, 60, 3)
    # The face of the other place comes to this one.
    np.testing.assert_array_equal(in_square(frames[2], 1), in_square(photo_of(place), 1))
    with pytest.raises(UserError, match="no key frame of this film says"):
        jobs.morph(network, child, 1, 2, frames=3).in_photograph()


def test_a_grey_photograph_takes_colours(place, network, tmp_path):
    file = tmp_path / "grey.png"
    Image.fromarray(photo_of(place)).convert("L").save(file)
    known = jobs.edit(
        [network], jobs.EditRequest([f"{place}/w.npz:1"]), latents=place / "two.npz"
    ).latents.take([0])
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    where = dataclasses.replace(known.placements[0], photo=str(file), digest=digest)
    assert read_photograph(where).pixels.shape == (40, 60, 1)
    moved = dataclasses.replace(known, placements=(where,))
    film = jobs.morph(network, None, moved, 3, frames=2, hold=0).in_photograph()
    assert film.shape == film.frames.shape == (2, 40, 60, 3)


def test_what_cannot_be_filmed_is_told_first(place, child, tmp_path, capsys):
    line = ["morph", PARENT, child, f"{place}/two.npz@0", 3, *SHORT[:-1]]
    line += ["--out", tmp_path / "x.webp"]
    seeds = ["morph", PARENT, child, 1, 2, "--out", tmp_path / "x.webp"]
    grid = ["morph", PARENT, child, 1, 2, "--grid", "2x2", "--out", tmp_path / "x.png"]
    whole = ["--paste-back", tmp_path / "y.webp"]
    for words, message in (
        (seeds + whole, "no key frame says in which photograph it belongs"),
        ([*line, "--feather", 0.2], "--feather can only be used together with --paste-back"),
        (line + whole + ["--feather", 0.7], "--feather is 0.7"),
        ([*line, "--paste-back", tmp_path / "x.webp"], "--paste-back and --out are both"),
        ([*line, "--paste-back", tmp_path / "y.jpg"], "a film is NAME.webp"),
        ([*line, "--paste-back", place / "w.npz"], "a film is NAME.webp"),
        (grid + whole, "--paste-back cannot be used together with --grid"),
    ):
        assert main([str(word) for word in words]) == 2
        said = capsys.readouterr().err
        assert message in said and said.count("\n") == 1, said
    assert not list(tmp_path.iterdir())


def test_photographs_that_changed_are_refused(place, network, tmp_path):
    known = jobs.edit(
        [network], jobs.EditRequest([f"{place}/w.npz:1"]), latents=place / "two.npz"
    ).latents.take([0])
    where = dataclasses.replace(known.placements[0], digest="00")
    paste = jobs.PasteOptions(tmp_path / "y.webp")
    with pytest.raises(UserError, match=r"two\.png changed since"):
        jobs.morph(network, None, dataclasses.replace(known, placements=(where,)), 3, paste=paste)
    huge = dataclasses.replace(known.placements[0], size=(20000, 40))
    with pytest.raises(UserError, match="may have 16383; write a folder of frames, NAME/"):
        jobs.morph(network, None, dataclasses.replace(known, placements=(huge,)), 3, paste=paste)


def test_frames_are_drawn_once_for_several_files():
    drawn = []

    def draw():
        for number in range(4):
            drawn.append(number)
            yield np.full((2, 3, 1), number, np.uint8)

    with drawn_once(Film((4, 2, 3, 1), draw, 20.0, 1, None)) as film:
        first = iter(film)
        assert [int(next(first)[0, 0, 0]) for _ in range(2)] == [0, 1]
        for _ in range(2):
            assert [int(frame[0, 0, 0]) for frame in film] == [0, 1, 2, 3]
    assert drawn == [0, 1, 2, 3]


def test_a_family_goes_back_into_its_photograph(place, child, tmp_path, capsys):
    """As every network draws it, without an edit; seeds do not."""
    line = ("family", PARENT, child, "--latents", place / "two.npz", "--batch", 1)
    said = aligned(*line, "--out", tmp_path / "f.png", "--paste-back", tmp_path / "party")
    assert f"wrote {tmp_path}/party: 2 photographs" in said
    before = photo_of(place)
    images = {}
    for name in (PARENT.stem, "child"):
        with Image.open(tmp_path / "party" / f"two-{name}.png") as image:
            images[name] = np.asarray(image)
        np.testing.assert_array_equal(outside(images[name]), outside(before))
    assert np.abs(images[PARENT.stem].astype(int) - before).max() <= 1
    for k in range(len(SQUARES)):
        assert np.abs(in_square(images["child"], k) - in_square(before, k)).max() > 5
    soft = ("--feather", 0.4, "--paste-back", tmp_path / "soft")
    aligned(*line, "--out", tmp_path / "g.png", *soft)
    with Image.open(tmp_path / "soft" / "two-child.png") as image:
        assert (np.asarray(image) != images["child"]).any()
    seeds = ("family", PARENT, "--out", tmp_path / "s.png", "--paste-back", tmp_path / "s")
    assert main([str(word) for word in seeds]) == 2
    assert "do not say where in which photograph" in capsys.readouterr().err
