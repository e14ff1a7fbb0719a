"""Edited and translated faces back in their photographs, and what they keep of them."""

import dataclasses
import json
import zipfile

import numpy as np
import pytest
from PIL import Image

from aligned_jax import inversion, jobs, viz
from aligned_jax.errors import UserError
from aligned_jax.jobs.keeping import as_floats
from aligned_jax.jobs.pasting import result_names
from aligned_jax.rendering.keeping import with_colours
from aligned_jax.rendering.latent_files import write_latents
from aligned_jax.tools.main import main
from tests.data.test_placements import FACE, turned
from tests.jobs.small_inputs import PARENT, aligned
from tests.jobs.small_photographs import PROFILE, SIZE, in_square, outside, photo_of


def halves(images):
    """The left half of every picture, and what is bright."""
    left = np.zeros(images.shape[:3], np.float32)
    left[:, :, :4] = 1
    return np.stack([left, (images.mean(axis=-1) > 0).astype(np.float32)], axis=-1)


halves.names = ("left", "bright")


def edited(place, networks, strength=4, **more):
    request = jobs.EditRequest([f"{place}/w.npz:{strength}"])
    return jobs.edit(networks, request, latents=place / "two.npz", **more)


def test_no_edit_changes_no_photograph(place, network):
    before = photo_of(place)
    photos = edited(place, [network], 0).photographs()
    assert len(photos) == 1
    [(name, same)] = photos.images()
    assert name == "two" and same.shape == before.shape
    np.testing.assert_array_equal(outside(same), outside(before))
    assert np.abs(same.astype(int) - before).max() <= 1
    family = edited(place, [network])
    [(_, other)] = family.photographs().images()
    np.testing.assert_array_equal(outside(other), outside(before))
    whole = family.sheet().images[0, 1::2].astype(int)
    for k in range(2):
        difference = np.abs(in_square(other, k) - whole[k])
        assert difference[2:6, 2:6].max() <= 1  # beyond the feather, the edited face
        assert np.abs(in_square(other, k) - in_square(before, k)).max() > 5


def test_every_network_has_its_photograph(place, network, child):
    photos = edited(place, [network, child], names=["people", "a/b"]).photographs()
    results = dict(photos.images())
    assert list(results) == ["two-people", "two-a_b"]
    assert (results["two-people"] != results["two-a_b"]).any()
    for image in results.values():
        np.testing.assert_array_equal(outside(image), outside(photo_of(place)))
    wide = edited(place, [network], paste=jobs.PasteOptions(feather=0.5)).photographs()
    [(_, wide)] = wide.images()
    assert (wide != results["two-people"]).any()
    with pytest.raises(UserError, match=r"`feather` is 0.7"):
        jobs.PasteOptions(feather=0.7)


def test_a_translation_goes_back_too(place, network, child):
    before = photo_of(place)
    found = jobs.translate(network, child, place / "two.npz", space="w+")
    [(name, image)] = found.photographs().images()
    assert name == "two"
    np.testing.assert_array_equal(outside(image), outside(before))
    drawn = viz.to_uint8(found.images()).astype(int)
    for k in range(2):
        assert np.abs(in_square(image, k) - drawn[k])[2:6, 2:6].max() <= 1
    same = jobs.translate(network, network, place / "two.npz", space="w+")
    [(_, same)] = same.photographs().images()
    assert np.abs(same.astype(int) - before).max() <= 1
    mixed = jobs.translate(network, child, place / "two.npz", texture="0", layers=1)
    for several in (mixed, jobs.translate(network, child, place / "two.npz", space=["w+", "s"])):
        with pytest.raises(UserError, match="goes back into its photograph in one translation"):
            several.photographs()


def test_what_cannot_go_back_is_told_first(place, network, child, tmp_path):
    def refused(message, paste=None, latents=None, **more):
        paste = paste or jobs.PasteOptions(tmp_path / "out")
        latents = place / "two.npz" if latents is None else latents
        with pytest.raises(UserError, match=message):
            jobs.translate(network, child, latents, paste=paste, **more)
        if not more:
            with pytest.raises(UserError, match=message):
                request = jobs.EditRequest([f"{place}/w.npz:1"])
                jobs.edit([network], request, latents=latents, paste=paste)

    refused("do not say where in which photograph they belong", latents="0-1")
    refused("in one translation; leave out `reference`", space=["w+", "s"])
    refused("in one translation", texture="0", layers=1)
    refused("is a file; give the name of a folder", jobs.PasteOptions(place / "w.npz"))
    refused("is not empty", jobs.PasteOptions(place))
    refused("would replace what is given", jobs.PasteOptions(place, overwrite=True))
    (tmp_path / "x.png").write_bytes((place / "two.png").read_bytes())
    known = latents_at(place, network, tmp_path / "x.png", tmp_path / "y.png")
    (tmp_path / "x.png").write_bytes(b"another")
    refused(r"but .*/y.png \(no such file\) cannot be read; .*/x.png changed since", latents=known)
    pictures = np.zeros((1, 8, 8, 3), np.uint8)
    how = jobs.PictureOptions(perceptual="none", pixels=1.0, steps=1)
    refused("pictures in memory have no file", latents=pictures, pictures=how)


def latents_at(place, network, *files):
    """The latents of two.npz, as if the faces were those of these files."""
    known = jobs.edit([network], jobs.EditRequest([f"{place}/w.npz:1"]),
                      latents=place / "two.npz").latents  # fmt: skip
    places = [dataclasses.replace(one, photo=str(file))
              for one, file in zip(known.placements, files, strict=True)]  # fmt: skip
    return dataclasses.replace(known, placements=tuple(places))


def test_photographs_of_one_name_stay_apart(place, network, tmp_path):
    files = [tmp_path / folder / "p.png" for folder in ("a", "b")]
    for file in files:
        file.parent.mkdir()
        file.write_bytes((place / "two.png").read_bytes())
    known = latents_at(place, network, *files)
    found = jobs.translate(network, network, known)
    assert [name for name, _ in found.photographs().images()] == ["0000_p", "0001_p"]


@pytest.mark.parametrize(
    ("photos", "networks"),
    [
        (["p.png"], ["a/b", "a_b"]),
        (["p.png", "p-x.png"], ["x-y", "y"]),
        (["a/P.png", "b/p.png"], ["X", "x"]),
        (["p.png"], ["a/b", "a_b", "0-a_b"]),
    ],
)
def test_no_result_takes_the_place_of_another(photos, networks):
    names = result_names(photos, networks)
    assert names.keys() == {(photo, one) for photo in photos for one in networks}
    assert len({name.lower() for name in names.values()}) == len(names)


def test_results_are_called_by_photograph_and_network_where_that_is_enough():
    assert result_names(["d/p.png", "d/p.png"], ["a"]) == {("d/p.png", "a"): "p"}
    assert set(result_names(["p.png", "q.jpg"], ["a/b", "c"]).values()) == {
        *("p-a_b", "q-a_b", "p-c", "q-c")
    }


def test_a_photograph_is_found_from_another_folder(place, network, tmp_path, monkeypatch):
    """As far as the folder above that the command once started in."""
    home = tmp_path / "home"
    (home / "photos").mkdir(parents=True)
    (home / "photos" / "p.png").write_bytes((place / "two.png").read_bytes())
    monkeypatch.chdir(home)
    moved = latents_at(place, network, "photos/p.png", "photos/p.png")
    (home / "found" / "deep").mkdir(parents=True)
    with open(home / "found" / "deep" / "p.npz", "wb") as file:
        write_latents(file, moved, {})
    monkeypatch.chdir(tmp_path)
    found = jobs.translate(network, network, "home/found/deep/p.npz")
    [(name, _)] = found.photographs().images()
    assert name == "p"
    (home / "photos" / "p.png").unlink()
    found = jobs.translate(network, network, "home/found/deep/p.npz")
    with pytest.raises(UserError, match=r"photos/p\.png \(no such file\) cannot be read"):
        list(found.photographs().images())


@pytest.mark.parametrize("verb", ["edit", "translate"])
def test_the_verbs_write_photographs(verb, place, child, tmp_path):
    """Of the size of the photographs, with their profile, and with a record of the command."""
    edit = ("--edit", f"{place}/w.npz:4") if verb == "edit" else ("--space", "w+")
    line = (verb, PARENT, child, "--latents", place / "two.npz", *edit, "--out")

    def run(name, *more):
        out = tmp_path / f"{name}.png"
        said = aligned(*line, out, "--paste-back", tmp_path / name, *more)
        files = sorted((tmp_path / name).iterdir())
        assert f"wrote {tmp_path}/{name}: {len(files)} photograph" in said
        with Image.open(files[-1]) as image, Image.open(out) as sheet:
            assert image.info["icc_profile"] == PROFILE and image.size == SIZE
            record = json.loads(image.text["aligned_jax"])
            assert f"--paste-back {tmp_path}/{name}" in record["command"] and "networks" in record
            return [file.name for file in files], np.asarray(image), np.asarray(sheet)

    names, plain, sheet = run("plain")
    assert names == (["two-child.png", f"two-{PARENT.stem}.png"] if verb == "edit" else ["two.png"])
    np.testing.assert_array_equal(outside(plain), outside(photo_of(place)))
    assert (run("soft", "--feather", 0.4)[1] != plain).any()
    for name, more in {
        "colour": ["--keep-colour"],
        "mask": ["--keep", place / "mask.png"],
        "parts": ["--keep", "left", "--reader", f"{place}/reader.py:halves"],
    }.items():
        _, kept, shown = run(name, *more)
        assert (kept != plain).any() and (shown != sheet).any()
        if name != "colour":
            left, before = kept.astype(int), photo_of(place)
            for k in range(2):
                # Their borders are as soft as a pixel of the picture.
                np.testing.assert_array_equal(
                    in_square(left, k)[:, :3], in_square(before, k)[:, :3]
                )


@pytest.mark.parametrize("verb", ["edit", "translate"])
def test_verbs_refuse(verb, place, child, tmp_path, capsys):
    edit = ("--edit", f"{place}/w.npz:4") if verb == "edit" else ()
    line = [
        verb,
        PARENT,
        child,
        "--latents",
        place / "two.npz",
        *edit,
        "--out",
        tmp_path / "x.png",
    ]
    Image.new("L", (8, 6), 255).save(tmp_path / "wide.png")
    for more, message in (
        (("--feather", 0.1), "--feather can only be used together with --paste-back"),
        (("--feather", 0.7, "--paste-back", tmp_path / "o"), "--feather is 0.7"),
        (("--keep", "hair"), "hair: no such file; if it is a part of pictures, say who finds it"),
        (("--keep", tmp_path / "wide.png"), "the mask has 8 x 6 pixels; it must be square"),
        (("--keep", tmp_path / "x.png"), "x.png: no such file"),
        (("--reader", "zoo:people-reader"), "--reader finds the parts that"),
        (("--keep", place / "mask.png", "--reader", "zoo:people-reader"), "--reader finds"),
        (("--keep", "nose", "--reader", f"{place}/reader.py:halves"), "nose"),
        (("--paste-back", place / "w.npz"), "is a file; give the name of a folder"),
        (("--paste-back", tmp_path / "x.png"), "--paste-back and --out are both"),
    ):
        assert main([str(word) for word in (*line, *more)]) == 2
        said = capsys.readouterr().err
        assert message in said and said.count("\n") == 1, said
    assert not (tmp_path / "x.png").exists()


def test_children_keep_of_the_parent_what_they_have_no_picture_of(network, child):
    plain = jobs.translate(network, child, "0-2", space="w")
    coloured = jobs.translate(network, child, "0-2", space="w",
                              keep=jobs.KeepOptions(keep_colour=True))  # fmt: skip
    parent, result = coloured.sheet().images[:, 0], coloured.sheet().images[:, 1]
    before = plain.sheet().images[:, 1]
    wanted = with_colours(as_floats(before), as_floats(parent))
    np.testing.assert_array_equal(result, viz.to_uint8(wanted))
    # Alone, the results are the same but for rounding.
    assert np.abs(viz.to_uint8(coloured.images()).astype(int) - result).max() <= 2
    some = coloured.drawing.take([2, 0])
    np.testing.assert_array_equal(
        viz.to_uint8(some.images()), viz.to_uint8(coloured.images())[[2, 0]]
    )
    parts = jobs.translate(network, child, "0-2", space="w",
                           keep=jobs.KeepOptions(keep="left", reader=halves))  # fmt: skip
    shown = parts.sheet().images[:, 1]
    np.testing.assert_array_equal(shown[:, :, :4], parent[:, :, :4])
    np.testing.assert_array_equal(shown[:, :, 4:], before[:, :, 4:])


@pytest.mark.slow
def test_mixtures_keep_what_is_their_sources(network, child):
    how = {"space": "w", "reference": "5,6", "layers": "all"}
    keep = jobs.KeepOptions(keep="left", reader=halves)
    found = jobs.translate(network, child, "0-1", keep=keep, **how)
    images, plain = (
        found.sheet().images,
        jobs.translate(network, child, "0-1", **how).sheet().images,
    )
    np.testing.assert_array_equal(images[:, 2], plain[:, 2])  # the references themselves
    for column in range(3, images.shape[1]):
        np.testing.assert_array_equal(images[:, column, :, :4], images[:, 0, :, :4])
        np.testing.assert_array_equal(images[:, column, :, 4:], plain[:, column, :, 4:])


def test_edits_keep_of_pictures(place, network, child):
    """Of latents that know their photographs, the pictures are cut out again."""
    keep = jobs.KeepOptions(keep="left", reader=halves)
    family = edited(place, [network, child], keep=keep)
    images = family.sheet().images
    assert family.sheet().columns[:3] == ("row 0", "inverted", "+4")
    before = photo_of(place)
    for k in range(2):
        np.testing.assert_array_equal(images[0, 3 * k], in_square(before, k))
        for row in range(2):
            np.testing.assert_array_equal(
                images[row, 3 * k + 2, :, :4], in_square(before, k)[:, :4]
            )
    seeds = jobs.edit([network, child], jobs.EditRequest([f"{place}/w.npz:4"]), latents="0",
                      keep=jobs.KeepOptions(keep_colour=True))  # fmt: skip
    plain = jobs.edit([network, child], jobs.EditRequest([f"{place}/w.npz:4"]), latents="0")
    before, after = plain.sheet().images, seeds.sheet().images
    np.testing.assert_allclose(after[0, 0].astype(int), before[0, 0], atol=2)
    assert np.abs(after[1].astype(int) - before[1]).max() > 5


def test_options_that_contradict_each_other():
    with pytest.raises(UserError, match="`keep` names"):
        jobs.KeepOptions(reader=halves)
    assert not jobs.KeepOptions().keeper(8).keeps


def test_turned_faces_come_back_from_inversions_of_any_photograph(network, tmp_path, monkeypatch):
    """From points, through a zip, grey and turned by the camera; nothing outside changes."""

    def invert(network, images, perceptual, settings, key, *, start, c, batch, watch):
        latent = np.zeros((len(images), network.config.num_ws, network.config.w_dim), np.float32)
        zeros = np.zeros(len(images))
        return inversion.Inverted(
            settings, latent, None, {"perceptual": zeros, "pixel": zeros}, {}, images, zeros
        )

    monkeypatch.setattr(inversion, "invert", invert)
    exif = Image.Exif()
    exif[0x0112] = 6
    grey = np.random.RandomState(1).randint(0, 256, (120, 150)).astype(np.uint8)
    stored = Image.fromarray(grey).rotate(90, expand=True)
    stored.save(tmp_path / "p.png", exif=exif)
    with zipfile.ZipFile(tmp_path / "z.zip", "w") as file:
        file.write(tmp_path / "p.png", "in/p.png")
    points = turned(FACE, 20, 0.8, (40, 25))
    (tmp_path / "f.json").write_text(json.dumps({"in/p.png": [points.tolist()]}))
    how = jobs.PictureOptions(perceptual="none", pixels=1.0, steps=1, align=tmp_path / "f.json")
    found = jobs.translate(network, network, tmp_path / "z.zip", space="w+", pictures=how,
                           paste=jobs.PasteOptions(tmp_path / "out"))  # fmt: skip
    [(name, image)] = found.photographs().images()
    assert name == "p" and image.shape == (120, 150, 3)
    [where] = found.sources[0].placements
    assert where.photo == f"{tmp_path}/z.zip/in/p.png"
    changed = (image != grey[..., None]).any(axis=-1)
    y, x = np.nonzero(changed)
    inside = where.from_photo(np.stack([x, y], axis=-1) + 0.5)
    assert ((inside > 0) & (inside < 1)).all() and changed.sum() > 0.8 * where.side**2
