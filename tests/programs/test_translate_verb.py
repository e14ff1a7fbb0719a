"""`aligned translate`: pages and folders, and every option."""

import argparse
import base64
import io
import json
import re

import jax
import numpy as np
import pytest
from PIL import Image

from aligned_jax import loading, translation
from aligned_jax.latents import noise_fields, z_from_seeds
from aligned_jax.tools import translate
from aligned_jax.viz import figure, to_uint8
from tests.helpers import DATA


@pytest.fixture
def page(ok, tmp_path):
    """page(PARENT, CHILD, ...) -> pixels, and what the command said."""

    def run(*argv):
        out = tmp_path / "page.png"
        said = ok("translate", *argv, "--out", out, "--overwrite")
        with Image.open(out) as image:
            assert image.text["Comment"].startswith("aligned translate ")
            return np.asarray(image).astype(int), said

    return run


def styles_of(network, seeds, psi=0.5):
    return translation.styles_of(network, {"z": z_from_seeds(network.config, seeds)}, psi)


def same(pixels, columns, labels, rows):
    expected = figure(np.stack([to_uint8(images) for images in columns], axis=1), labels, rows)
    return pixels.shape == expected.shape and np.abs(pixels - expected).max() <= 1


def test_a_page_shows_the_parent_and_the_child(page, parent, child, pair):
    pixels, said = page(parent, child, "--seeds", "3,5")
    assert "2 rows, 2 columns" in said
    columns = [network.render(styles_of(network, [3, 5])) for network in pair]
    assert same(pixels, columns, [parent.stem, "child"], ["seed 3", "seed 5"])


def test_a_page_in_html(ok, page, parent, child, tmp_path):
    out = tmp_path / "page.html"
    said = ok("translate", parent, child, "--seeds", "3,5", "--psi", 0.6, "--out", out)
    assert "2 rows, 2 columns" in said
    text = out.read_text()
    found = re.findall(r'<img alt="([^"]+)" src="data:image/png;base64,([^"]+)"', text)
    labels = [f"seed {seed}, {name}" for seed in (3, 5) for name in (parent.stem, "child")]
    assert [alt for alt, _ in found] == labels
    assert len({data for _, data in found}) == text.count("<img") == 4
    top = text.partition("<img")[0]
    assert f"aligned translate {parent} {child} --seeds 3,5" in top
    assert "<td>psi</td><td>0.6</td>" in top
    sheet, _ = page(parent, child, "--seeds", "3,5", "--psi", 0.6)
    for _, data in found:
        with Image.open(io.BytesIO(base64.b64decode(data))) as image:
            large = np.asarray(image).repeat(14, axis=0).repeat(14, axis=1)
        windows = np.lib.stride_tricks.sliding_window_view(sheet[:, :, 0], large.shape[:2])
        assert (windows[:, :, ::13, ::13] == large[::13, ::13, 0]).all((2, 3)).any()


def test_spaces_side_by_side(page, parent, child, pair):
    pixels, _ = page(parent, child, "--seeds", "3,5", "--space", "z,w,s")
    z = {"z": z_from_seeds(pair[0].config, [3, 5])}
    # The parent draws the same in every space: once is enough.
    columns, labels = [translation.translate(pair[0], z)], [parent.stem]
    for space in ("z", "w", "s"):
        latents = translation.in_space(pair[0], z, space)
        columns.append(translation.translate(pair[1], latents))
        labels.append(f"child {space}")
    assert same(pixels, columns, labels, ["seed 3", "seed 5"])


def test_references_by_pairs(page, parent, child, pair):
    pixels, said = page(parent, child, "--seeds", "3,5", "--reference", "7", "--layers", "all")
    assert "2 rows, 9 columns" in said
    _, network = pair
    sources, reference = styles_of(network, [3, 5]), styles_of(network, [7])
    mixed = translation.mixtures(network.config, sources, reference, range(6))
    images = np.asarray(network.render(mixed)).reshape(2, 6, 8, 8, 3)
    columns = [pair[0].render(styles_of(pair[0], [3, 5])), network.render(sources)]
    columns += [np.repeat(network.render(reference), 2, axis=0)]
    columns += [images[:, k] for k in range(6)]
    labels = [parent.stem, "child", "reference", *(f"keeps {n}" for n in range(6))]
    assert same(pixels, columns, labels, ["seed 3, seed 7", "seed 5, seed 7"])


def test_textures_in_columns(page, parent, child, pair):
    pixels, said = page(parent, child, "--seeds", "3,5", "--texture", "7-9", "--layers", "8px")
    assert "2 rows, 5 columns" in said
    _, network = pair
    sources, textures = styles_of(network, [3, 5]), styles_of(network, [7, 8, 9])
    mixed = translation.mixtures(network.config, sources, textures, [2])
    images = np.asarray(network.render(mixed)).reshape(2, 3, 8, 8, 3)
    columns = [member.render(styles_of(member, [3, 5])) for member in pair]
    columns += [images[:, k] for k in range(3)]
    labels = [parent.stem, "child", "seed 7", "seed 8", "seed 9"]
    assert same(pixels, columns, labels, ["seed 3", "seed 5"])


def test_results_alone(results, ok, images, parent, child, pair, tmp_path, contents):
    arguments = (parent, child, "--seeds", "3,5", "--reference", "7,8", "--layers", "2,3")
    found = results(*arguments)
    network, sources = pair[1], styles_of(pair[1], [3, 5])
    mixed = translation.mixtures(network.config, sources, styles_of(network, [7, 8]), [2, 3])
    np.testing.assert_allclose(found["images"], network.render(mixed), atol=1e-4)
    meta = json.loads(str(found["meta_json"]))
    assert meta["images"][:3] == [
        "seed 3, seed 7, layers 2", "seed 3, seed 7, layers 3", "seed 3, seed 8, layers 2"
    ]  # fmt: skip
    again = images(child, "--latents", tmp_path / "results.npz")
    np.testing.assert_allclose(again, found["images"], atol=1e-4)
    ok("translate", *arguments, "--out", tmp_path / "folder")
    names = [
        f"seed000{s}_seed000{r}_layers000{n}.png" for s in (3, 5) for r in (7, 8) for n in (2, 3)
    ]
    assert contents(tmp_path / "folder") == ["meta.json", *names]
    with Image.open(tmp_path / "folder" / names[1]) as image:
        assert np.abs(np.asarray(image).astype(int) - to_uint8(found["images"][1])).max() <= 1


PLAIN = ("--seeds", "3")
MIXED = (*PLAIN, "--reference", "7", "--layers", "2")


@pytest.mark.parametrize(
    ("arguments", "option"),
    [
        (PLAIN, ("--seeds", "4")), (PLAIN, ("--psi", 0.8)), (PLAIN, ("--noise", "none")),
        (PLAIN, ("--noise", "random")), (PLAIN, ("--preset", "toonify")), (PLAIN, ("--space", "w")),
        (PLAIN, ("--network-key", "G")), (MIXED, ("--layers", "3")), (MIXED, ("--reference", "8")),
        ((*PLAIN, "--noise", "random"), ("--noise-seed", 1)),
        ((*PLAIN, "--space", "w"), ("--psi", 0.8)),
        ((*PLAIN, "--texture", "7", "--layers", "2"), ("--texture", "8")),
    ],
)  # fmt: skip
def test_every_option_changes_the_results(results, parent, child, arguments, option):
    before = results(parent, child, *arguments)["images"]
    after = results(parent, child, *arguments, *option)["images"]
    assert np.abs(before - after).max() > 1e-3


@pytest.mark.slow
def test_labels_of_conditional_networks(results, refused, tmp_path):
    network = DATA / "generator_cond16.pkl"
    arguments = (network, network, "--seeds", "3", "--texture", "7", "--layers", "3")
    first, second = (results(*arguments, "--label", k)["images"] for k in (0, 1))
    assert np.abs(first - second).max() > 1e-3
    out = ("--out", tmp_path / "x.png")
    assert "choose a class with --label" in refused("translate", *arguments, *out)


def test_batches_change_rounding_alone(results, parent, child):
    found = [results(parent, child, "--seeds", "3-5", "--batch", n)["images"] for n in (2, 8)]
    np.testing.assert_allclose(*found, atol=1e-4)


def test_the_noise_of_a_source_is_the_same_in_all_its_pictures(results, parent, child, pair):
    noise = ("--noise", "random", "--noise-seed", 4)
    found = results(parent, child, "--seeds", "3", "--texture", "7,8", "--layers", "5", *noise)
    fields = noise_fields(pair[1].config, jax.random.key(4), np.asarray([3], np.uint32))
    expected = pair[1].render(styles_of(pair[1], [3]), fields)
    np.testing.assert_allclose(found["images"], np.repeat(expected, 2, axis=0), atol=1e-4)


def test_files_of_generated_latents_keep_their_z_and_psi(results, ok, parent, child, tmp_path):
    file = tmp_path / "drawn.npz"
    ok("generate", parent, "--seeds", "3,5", "--psi", 0.8, "--out", file)
    expected = results(parent, child, "--seeds", "3,5", "--psi", 0.8)["images"]
    np.testing.assert_allclose(
        results(parent, child, "--latents", file)["images"], expected, atol=1e-4
    )
    row = results(parent, child, "--latents", f"{file}@1", f"{file}@0")
    np.testing.assert_allclose(row["images"], expected[::-1], atol=1e-4)
    assert json.loads(str(row["meta_json"]))["images"] == ["drawn, row 1", "drawn, row 0"]
    other = results(parent, child, "--latents", file, "--psi", 0.3)["images"]
    assert np.abs(other - expected).max() > 1e-3


INVERT = ("--steps", 3, "--perceptual", "none", "--pixels", 1)


def test_pictures_are_inverted_in_the_parent(aligned, ok, results, parent, child, photos, tmp_path):
    out = tmp_path / "page.png"
    (photos / "bad.png").write_text("no picture")
    result = aligned("translate", parent, child, photos, *INVERT, "--out", out)
    assert result.code == 0 and "2 rows, 3 columns" in result.out
    assert result.err == f"warning: skipped {photos}/bad.png: no picture, or a damaged one\n"
    (photos / "bad.png").unlink()
    ok("invert", parent, photos, *INVERT, "--space", "z", "--out", tmp_path / "inverted")
    files = [tmp_path / "inverted" / f"{name}.npz" for name in ("one", "two")]
    direct = results(parent, child, photos, *INVERT)
    saved = results(parent, child, "--latents", *files)
    assert json.loads(str(direct["meta_json"]))["images"] == ["one", "two"]
    assert json.loads(str(saved["meta_json"]))["images"] == ["one", "two"]
    np.testing.assert_allclose(direct["images"], saved["images"], atol=1e-3)


@pytest.mark.usefixtures("stand_in")
def test_references_are_inverted_in_the_child(results, parent, child, photos):
    picture = (photos / "one.png", *INVERT)
    found = results(parent, child, "--seeds", "3", "--layers", "0", "--reference", *picture)
    expected = results(child, child, *picture)
    np.testing.assert_allclose(found["images"], expected["images"], atol=1e-4)
    wrong = results(parent, child, *picture)
    assert np.abs(wrong["images"] - expected["images"]).max() > 1e-2


@pytest.mark.parametrize(
    "option",
    [("--steps", 4), ("--pixels", 2), ("--invert-seed", 1), ("--space", "w+"), ("--space", "s"),
     ("--psi", 0.8), ("--restarts", 2), ("--perceptual", "vgg"), ("--perceptual", "alex")],
)  # fmt: skip
@pytest.mark.usefixtures("stand_in")
def test_every_option_reaches_the_inversion(results, parent, child, photos, option):
    arguments = (parent, child, photos / "one.png", *INVERT)
    before, after = (results(*arguments, *more)["images"] for more in ((), option))
    assert np.abs(before - after).max() > 1e-3


@pytest.mark.usefixtures("stand_in")
def test_pictures_that_are_left_out(aligned, refused, page, parent, child, photos, tmp_path):
    Image.new("RGB", (8, 8), "white").save(photos / "lost.png")  # its inversion is not finite
    Image.new("RGB", (9, 8)).save(photos / "wide.png")
    out = ("--out", tmp_path / "x.png", "--overwrite")
    found = aligned("translate", parent, child, photos, *INVERT, *out)
    assert "3 rows, 3 columns" in found.out
    assert found.err == f"warning: skipped {photos}/lost.png: its numbers grew beyond all bounds\n"
    uncut = aligned("translate", parent, child, photos, *INVERT, *out, "--align", "none")
    assert "2 rows, 3 columns" in uncut.out and f"skipped {photos}/wide.png" in uncut.err
    alone = ("translate", parent, child, photos / "lost.png", *INVERT, *out)
    assert "not one inversion stayed finite" in refused(*alone)
    for number in range(9):
        (photos / f"{number}.png").write_text("no picture")
    many = aligned("translate", parent, child, photos, *INVERT, *out).err.splitlines()
    assert len(many) == 9 and many[-1] == "warning: skipped 2 more"


@pytest.mark.slow
def test_what_cannot_be_translated(refused, aligned, ok, parent, child, tmp_path):
    out = ("--out", tmp_path / "x.png")

    def no(*argv):
        return refused("translate", parent, child, *argv, *out)

    assert "give one of IMAGES, --seeds, --latents and --film" in no()
    assert "give one of IMAGES" in no("--seeds", "1", "--latents", "x.npz")
    assert "--layers can only be used" in no("--seeds", "1", "--layers", "2")
    assert "not allowed with" in no("--seeds", "1", "--texture", "2", "--reference", "3")
    assert "needs --space z" in no("--seeds", "1", "--preset", "toonify", "--space", "w")
    assert "no list of different z" in no("--seeds", "1", "--space", "z,z")
    assert "give one --space" in no("--seeds", "1", "--space", "z,w", "--texture", "1")
    assert "from 0 to 5" in no("--seeds", "1", "--texture", "1", "--layers", "6")
    assert "not a list of seeds" in no("--seeds", "photos")
    assert "not a list of seeds" in no("--seeds", "1", "--layers", "2", "--texture", "photos")
    assert "no such picture" in no("0-3")
    assert "no such file" in no("--latents", tmp_path / "x.npz")
    file = tmp_path / "drawn.npz"
    ok("generate", parent, "--seeds", "3,5", "--out", file)
    assert "rows 0 to 1" in no("--latents", f"{file}@2")
    with np.load(file) as drawn:
        drawn_ws = drawn["ws"]
    np.savez(tmp_path / "ws.npz", ws=drawn_ws)
    ws = ("--latents", tmp_path / "ws.npz")
    idle = aligned("translate", parent, child, *ws, "--psi", 0.5, "--out", tmp_path / "idle.png")
    assert idle.err == "warning: --psi changes nothing: these latents are not in z\n"
    assert "from which no way leads to z" in no(*ws, "--space", "z")
    rows = np.repeat(drawn_ws, 2, axis=0)
    rows[0, 1:] += 0.5
    np.savez(tmp_path / "rows.npz", ws=rows)
    assert "of w+, from which no way leads to w;" in no(
        "--latents", tmp_path / "rows.npz", "--space", "w"
    )
    assert "of w+, from which no way leads to z;" in no(
        "--latents", tmp_path / "rows.npz", "--preset", "toonify"
    )
    assert "different spaces" in no(*ws, file)
    assert "one list of seeds" in no("--seeds", "1", "--layers", "2", "--reference", "1", file)
    other = DATA / "avatars_parent.pkl"
    result = aligned("translate", parent, other, "--seeds", "1", *out)
    assert result.code == 2 and "not aligned" in result.err and "img_resolution" in result.err
    twice = ("translate", parent, child, "--seeds", "1,1", "--out", tmp_path / "folder")
    assert "given twice" in refused(*twice)
    assert not (tmp_path / "x.png").exists() and not (tmp_path / "folder").exists()


def test_strangers_are_translated_with_a_warning(aligned, parent, pair, tmp_path):
    stranger = jax.tree.map(lambda value: value + np.float32(0.1), pair[0])
    folders = [tmp_path / name for name in ("stranger", "finetuned")]
    loading.save(folders[0], stranger, {"kind": "made for a test"})
    made = {"command": f"aligned finetune {parent} tiny64 --data x", "kind": "trained"}
    loading.save(folders[1], stranger, made)
    out = ("--seeds", "1", "--out", tmp_path / "x.png", "--overwrite")
    said = [aligned("translate", parent, folder, *out) for folder in folders]
    assert [result.code for result in said] == [0, 0]
    assert said[0].err.startswith(f"warning: {parent} and {folders[0]} have no common ancestor")
    assert said[1].err == ""


def test_the_presets_are_those_of_the_library():
    parser = argparse.ArgumentParser()
    translate.add_arguments(parser)
    [preset] = [action for action in parser._actions if action.dest == "preset"]
    assert list(preset.choices) == list(translation.PRESETS)
