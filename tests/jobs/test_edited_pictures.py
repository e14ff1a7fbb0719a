"""`edit` of pictures: inverted in the parent, shown beside what becomes of them, kept in a file."""

import numpy as np
import pytest
from PIL import Image

from aligned_jax import inversion, jobs
from aligned_jax.errors import UserError
from aligned_jax.semantics import Direction
from aligned_jax.tools.main import main
from tests.jobs.small_inputs import PARENT, aligned, noise_images, save_images

HOW = jobs.PictureOptions(steps=2, perceptual="none", pixels=1.0)
WORDS = ("--steps", 2, "--perceptual", "none", "--pixels", 1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """w.npz and z.npz, directions; photos/, pictures."""
    place = tmp_path_factory.mktemp("files")
    vector = np.float32([1, 2, 0, -1, 0, 1]) / np.sqrt(np.float32(7))
    for space in ("w", "z"):
        jobs.write_direction(place / f"{space}.npz", Direction(space, {space: vector}, 0.7, "", 0))
    save_images(place / "photos", noise_images(2))
    return place


@pytest.fixture(scope="module")
def word(folder):
    return f"{folder}/w.npz:2"


@pytest.fixture(scope="module")
def family(child, folder, word):
    return jobs.edit([PARENT, child], jobs.EditRequest([word]), latents=folder / "photos",
                     pictures=HOW)  # fmt: skip


def test_the_first_column_is_the_picture(family):
    images, sheet = noise_images(2), family.sheet()
    assert sheet.columns == ("0", "inverted", "+2", "1", "inverted", "+2") and sheet.group == 3
    assert sheet.rows == (PARENT.stem, "child")
    np.testing.assert_array_equal(sheet.images[0, ::3], images)
    assert (sheet.images[1, ::3] == 255).all()  # the picture is the parent's
    seeds = jobs.edit(list(family.networks.values()), jobs.EditRequest(list(family.recipe.edits)),
                      latents=family.latents)  # fmt: skip
    np.testing.assert_array_equal(seeds.sheet().images, sheet.images)
    film = family.film(frames=4)
    assert (film.frames[0] != film.frames[2]).any()


def test_latents_are_kept_with_their_pictures(family, tmp_path, monkeypatch):
    family.write_latents(tmp_path / "found.npz")
    monkeypatch.setattr(inversion, "invert", None)
    networks, request = list(family.networks.values()), jobs.EditRequest(list(family.recipe.edits))
    again = jobs.edit(networks, request, latents=tmp_path / "found.npz")
    assert again.latents.names == ("0", "1") and not again.usage.pictures
    np.testing.assert_array_equal(again.sheet().images, family.sheet().images)
    one = jobs.edit(networks, request, latents=f"{tmp_path}/found.npz@1")
    assert one.sheet().columns == ("1", "inverted", "+2")
    with pytest.raises(UserError, match="already exists"):
        family.write_latents(tmp_path / "found.npz")
    with np.load(tmp_path / "found.npz") as file:
        arrays = dict(file)
    for pictures, message in (
        (
            arrays["pictures"][:1],
            r"pictures is uint8 \[1, 8, 8, 3\], expected uint8 \[2, 8, 8, 3\]",
        ),
        (arrays["pictures"] / 2, "pictures is float64"),
    ):
        np.savez(tmp_path / "x.npz", **arrays | {"pictures": pictures})
        with pytest.raises(UserError, match=message):
            jobs.edit(networks, request, latents=tmp_path / "x.npz")
    np.savez(tmp_path / "x.npz", **arrays | {"meta_json": np.asarray('{"names": ["a"]}')})
    found = jobs.edit(networks, request, latents=tmp_path / "x.npz")
    assert found.latents.names == ("row 0", "row 1")


def test_what_cannot_be_is_told_before_anything_is_inverted(network, folder, word, monkeypatch):
    monkeypatch.setattr(inversion, "invert", None)

    def refused(message, *edits, space=None, **more):
        with pytest.raises(UserError, match=message):
            jobs.edit([network], jobs.EditRequest(edits, **more), latents=folder / "photos",
                      pictures=HOW, invert_space=space)  # fmt: skip

    refused("an edit in an earlier space than the latents, which are in w", f"{folder}/z.npz:2")
    refused("an edit in an earlier space than the latents, which are in s", word, space="s")
    refused(r"the rows of these latents differ \(W\+\)", word, to=True)
    refused("these are style vectors", random=0, space="s")
    refused("a random channel is in s, where no target is defined", random=0, to=True)
    refused("x.png: no such file", word, mask="x.png")
    with pytest.raises(UserError, match="earlier space than the latents"):
        jobs.translate(network, network, noise_images(1), edits=[f"{folder}/z.npz:2"], space="w",
                       pictures=HOW)  # fmt: skip
    with pytest.raises(UserError, match="earlier space than the latents"):
        jobs.translate(network, network, noise_images(1), edits=[f"{folder}/z.npz:2"], space="w",
                       pictures=HOW, edit_in="parent")  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("space", ["z", "w"])
def test_the_space_decides_what_can_be_done(network, folder, word, space):
    words = [word] if space == "w" else [f"{folder}/z.npz:2"]
    family = jobs.edit([network], jobs.EditRequest(words, to=space == "w"), pictures=HOW,
                       latents=noise_images(1), invert_space=space)  # fmt: skip
    assert family.latents.in_z == (space == "z") == family.usage.in_z
    before, after = family.sheet().images[0, 1:]
    assert (before != after).any()


def test_the_verb_does_the_same(child, family, folder, word, tmp_path):
    out = tmp_path / "e.png"
    line = ("edit", PARENT, child, "--edit", word)
    said = aligned(*line, "--pictures", folder / "photos", *WORDS, "--out", out)
    assert f"wrote {tmp_path}/e.npz: the latents, for --latents" in said
    with Image.open(out) as image:
        shown = np.asarray(image)
    np.testing.assert_array_equal(shown, family.sheet().picture())
    aligned("edit", PARENT, child, "--recipe", tmp_path / "e.json", "--latents",
            tmp_path / "e.npz", "--out", tmp_path / "again.png")  # fmt: skip
    with Image.open(tmp_path / "again.png") as image:
        np.testing.assert_array_equal(np.asarray(image), shown)


def test_pictures_are_not_replaced_and_idle_options_are_told(word, tmp_path, capsys):
    [picture] = save_images(tmp_path / "p", noise_images(1)).iterdir()
    line = ["edit", PARENT, "--edit", word]
    more = ("--pictures", picture, *WORDS, "--overwrite", "--out", picture)
    assert main([str(one) for one in (*line, *more)]) == 2
    assert "the results would replace what is given" in capsys.readouterr().err
    aligned(*line, "--seeds", 0, "--steps", 3, "--invert-space", "z", "--out", tmp_path / "e.png")
    said = capsys.readouterr().err
    assert "--steps and --invert-space change nothing: there are no pictures to invert" in said
    assert not (tmp_path / "e.npz").exists()


@pytest.mark.parametrize(
    "option",
    [("--steps", 3), ("--pixels", 2), ("--invert-seed", 1), ("--restarts", 2), ("--align", "none"),
     ("--invert-space", "w"), ("--start", "E"), ("--encoder", "E"), ("--perceptual", "vgg"),
     ("--psi", 0.3), ("--batch", 2)],
)  # fmt: skip
def test_every_option_of_pictures_arrives(folder, word, option, monkeypatch, tmp_path):
    seen = []

    class Enough(Exception):
        pass

    def spy(*networks, **more):
        seen.append({key: value for key, value in more.items() if key != "report"})
        raise Enough

    monkeypatch.setattr(jobs, "edit", spy)
    words = WORDS if option[0] not in ("--encoder",) else ()
    for more in ((), option):
        with pytest.raises(Enough):
            aligned("edit", PARENT, "--edit", word, "--pictures", folder / "photos", *words, *more,
                    "--out", tmp_path / "e.png")  # fmt: skip
    assert seen[0] != seen[1] and seen[1]["kind"] == "pictures"
