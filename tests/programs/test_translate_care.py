"""`aligned translate`: what is looked at first, left out, warned of, and told."""

import json
import re

import jax
import numpy as np
import pytest
from PIL import Image

from aligned_jax import translation
from aligned_jax.latents import noise_fields, z_from_seeds

INVERT = ("--steps", 3, "--perceptual", "none", "--pixels", 1)


@pytest.mark.usefixtures("stand_in")
def test_what_diverges_in_one_space_is_left_out_of_all(
    aligned, refused, parent, child, photos, tmp_path
):
    Image.new("RGB", (8, 8)).save(photos / "black.png")
    Image.new("RGB", (8, 8), "white").save(photos / "white.png")
    out = ("--out", tmp_path / "x.png", "--overwrite")
    command = ("translate", parent, child, photos, *INVERT, "--space", "z,w+", *out)
    found = aligned(*command)
    assert found.code == 0 and "2 rows, 5 columns" in found.out
    black, white = found.err.splitlines()
    grown = "its numbers grew beyond all bounds in w+"
    assert {black, white} == {f"warning: skipped {photos}/{n}.png: {grown}" for n in
                              ("black", "white")}  # fmt: skip
    alone = (*command[:3], photos / "black.png", *command[4:])
    assert "not one inversion stayed finite" in refused(*alone)


@pytest.mark.parametrize("kind", ["page", "npz", "folder", "texture", "reference"])
def test_an_image_that_is_not_finite_does_not_stop_the_others(aligned, pair, parent, child, kind,
                                                              tmp_path, contents):  # fmt: skip
    ws = np.array(pair[0].mapping(z_from_seeds(pair[0].config, [3, 4, 5])))
    ws[1] = 3e38
    np.savez(tmp_path / "ws.npz", ws=ws)
    np.savez(tmp_path / "bad.npz", ws=ws[1:2])
    out = tmp_path / {"npz": "x.npz", "folder": "x"}.get(kind, "x.png")
    mixed = {"texture": ("--texture", "7,8"), "reference": ("--reference", "7,8")}
    mix = (*mixed[kind], "--layers", "2,3") if kind in mixed else ()

    def run(file):
        command = ("translate", parent, child, "--latents", tmp_path / file, *mix)
        return aligned(*command, "--batch", 2, "--out", out, "--overwrite")

    bad = run("bad.npz")
    assert bad.code == 2 and "beyond all bounds in every image" in bad.err and not out.exists()
    found = run("ws.npz")
    assert found.code == 0
    names = [f"row 1, seed {seed}" for seed in (7, 8)] if kind == "reference" else ["row 1"]
    why = "its numbers grew beyond all bounds in its images"
    assert found.err.splitlines() == [f"warning: skipped {name}: {why}" for name in names]
    if kind == "npz":
        with np.load(out) as file:
            assert json.loads(str(file["meta_json"]))["images"] == ["row 0", "row 2"]
            expected = translation.translate(pair[1], {"ws": ws[[0, 2]]})
            np.testing.assert_allclose(file["images"], expected, atol=1e-4)
    elif kind == "folder":
        assert contents(out) == ["meta.json", "row0000.png", "row0002.png"]
    else:
        rows = {"page": "2 rows, 2", "texture": "2 rows, 6", "reference": "4 rows, 5"}[kind]
        assert f"{rows} columns" in found.out


@pytest.mark.usefixtures("never_inverts")
def test_everything_is_looked_at_before_pictures_are_inverted(
    refused, parent, child, photos, tmp_path
):
    np.savez(tmp_path / "w.npz", ws=np.zeros((1, 9, 9), np.float32))

    def no(*argv, out="x.png"):
        command = ("translate", parent, child, photos, *argv, *INVERT, "--layers", 2)
        return refused(*command, "--out", tmp_path / out)

    assert "no such file" in no("--reference", tmp_path / "none.npz")
    assert "does not fit this network" in no("--reference", tmp_path / "w.npz")
    assert "no such picture" in no("--reference", tmp_path / "none.png")
    assert "one list of seeds" in no("--reference", "3", "4")
    assert "given twice" in no("--reference", "7,7", out="folder")
    assert "given twice" in no("--texture", "7,7", out="folder")


@pytest.mark.usefixtures("stand_in")
def test_options_that_change_nothing_are_named(aligned, parent, child, photos, tmp_path):
    def said(*argv):
        out = ("--out", tmp_path / "x.png", "--overwrite")
        found = aligned("translate", parent, child, *argv, *out)
        assert found.code == 0
        return found.err

    idle = ("--steps", 9, "--align", "none", "--perceptual", "alex", "--pixels", 0.5)
    idle += ("--restarts", 2, "--invert-seed", 0, "--noise-seed", 3)
    options = "steps and --restarts and --invert-seed and --perceptual and --pixels and --align"
    noise = "warning: --noise-seed changes nothing: noise is const\n"
    assert said("--seeds", 1, *idle) == (
        f"warning: --{options} change nothing: there are no pictures to invert\n{noise}"
    )
    assert said("--seeds", 1, "--noise", "random", *idle[-2:]) == ""
    assert said(photos, *idle) == noise
    assert said("--seeds", 1, "--layers", 2, "--reference", photos, *idle[:-2]) == ""


@pytest.mark.usefixtures("stand_in")
def test_pages_say_what_was_done(ok, parent, child, photos, tmp_path):
    out = tmp_path / "x.html"

    def told(*argv):
        ok("translate", parent, child, *argv, "--out", out, "--overwrite")
        top = out.read_text().partition("<img")[0]
        return dict(re.findall(r"<td>([^<]*)</td><td>([^<]*)</td>", top))

    found = told(photos, *INVERT, "--space", "z,w+", "--restarts", 2)
    assert found["latents z"] == "inverted in z, 3 steps, noise drop, best of 2, psi 0.5"
    assert found["latents w+"] == "inverted in w+, 3 steps, noise drop, best of 2"
    assert (found["psi"], found["noise"], found["align"]) == ("0.5", "const", "center")
    found = told("--seeds", 1, "--preset", "toonify", "--noise-seed", 4)
    assert (found["latents"], found["noise"], found["noise_seed"]) == ("psi 0.5", "random", "4")
    assert not {"steps", "perceptual", "restarts", "align", "pixels"} & set(found)
    found = told("--seeds", 1, "--layers", 2, "--reference", photos, "--perceptual", "alex")
    assert found["latents of the child"] == "inverted in z, 500 steps, noise drop, psi 0.5"
    assert found["perceptual"] == "alex" and "noise_seed" not in found


def test_a_file_of_one_row_gives_its_name(results, ok, parent, child, tmp_path):
    ok("generate", parent, "--seeds", "3", "--out", tmp_path / "me.npz")
    ok("generate", parent, "--seeds", "3,4", "--out", tmp_path / "two.npz")
    names = [
        json.loads(str(results(parent, child, "--latents", tmp_path / word)["meta_json"]))["images"]
        for word in ("me.npz", "me.npz@0", "two.npz")
    ]
    assert names == [["me"], ["me"], ["row 0", "row 1"]]


def test_noise_maps_of_a_file_are_those_of_the_child(results, pair, parent, child, tmp_path):
    z = z_from_seeds(pair[0].config, [3])
    fields = noise_fields(pair[0].config, jax.random.key(5), np.zeros(1, np.uint32))
    maps = {f"noise/{layer}": np.asarray(value) for layer, value in fields.items()}
    np.savez(tmp_path / "kept.npz", z=z, **maps)
    found = results(parent, child, "--latents", tmp_path / "kept.npz")["images"]
    expected = pair[1].render(translation.styles_of(pair[1], {"z": z}), fields)
    np.testing.assert_allclose(found, expected, atol=1e-4)
    none = results(parent, child, "--latents", tmp_path / "kept.npz", "--noise", "none")["images"]
    expected = pair[1].render(translation.styles_of(pair[1], {"z": z}), "none")
    np.testing.assert_allclose(none, expected, atol=1e-4)
