"""`aligned invert`: what it writes, every option, and bad pictures among good ones."""

import base64
import contextlib
import functools
import io
import json
import re
from dataclasses import dataclass

import jax
import numpy as np
import pytest
from PIL import Image

from aligned_jax import features, inversion, loading, viz
from aligned_jax.cli import console
from aligned_jax.jobs.inversion import run as inversions
from tests.helpers import DATA

# No feature network, few steps.
IN_Z = ("--perceptual", "none", "--pixels", 1, "--steps", 4)
QUICK = (*IN_Z, "--samples", 20)  # in other spaces than Z and Z+


@functools.partial(jax.tree_util.register_dataclass, data_fields=["scale"], meta_fields=[])
@dataclass(frozen=True)
class StandIn:
    """Answers as `features.Lpips`."""

    scale: float

    def embed(self, images):
        return [self.scale * images[:, ::2], self.scale * images[:, :, ::2]]


def picture(path, seed=0, size=(8, 8)):
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.RandomState(seed).randint(0, 256, (size[1], size[0], 3))
    Image.fromarray(pixels.astype(np.uint8)).save(path)
    return path


@pytest.fixture
def ws(ok, tmp_path):
    """ws(NETWORK, PICTURE, ...) -> the latent of one picture, as `aligned generate` reads it."""

    def run(network, image, *options):
        out = tmp_path / "out"
        quick = IN_Z if "z" in options else QUICK
        ok("invert", network, image, *quick, *options, "--out", out, "--overwrite")
        with np.load(out / f"{image.stem}.npz") as file:
            return file["ws"]

    return run


@pytest.mark.slow
def test_one_bad_picture_does_not_stop_the_others(aligned, images, child, tmp_path, contents):
    folder = tmp_path / "photos"
    picture(folder / "wide.png", 1, (20, 12))
    picture(folder / "again" / "wide.png", 2)
    Image.open(folder / "wide.png").save(folder / "wide.jpg")
    whole = picture(folder / "whole.png", 3).read_bytes()
    (folder / "cut.png").write_bytes(whole[: len(whole) // 2])
    (folder / "text.png").write_text("no picture")
    out = tmp_path / "out"
    result = aligned(
        *("invert", child, folder, *QUICK, "--noise", "keep", "--out", out, "--video"),
        *("--batch", 3),
    )
    assert result.code == 0, result.err
    names = ["again_wide", "whole", "wide_jpg", "wide_png"]
    endings = (".npz", ".png", ".webp")
    expected = [f"{name}{ending}" for name in names for ending in endings]
    assert contents(out) == sorted([*expected, "index.html", "inversions.json"])
    warnings = result.err.splitlines()
    assert len(warnings) == 2
    assert warnings[0].startswith(f"warning: skipped {folder}/cut.png: ")
    assert warnings[1] == f"warning: skipped {folder}/text.png: no picture, or a damaged one"
    document = json.loads((out / "inversions.json").read_text())
    assert [row["name"] for row in document["images"]] == names
    assert list(document["skipped"]) == [f"{folder}/cut.png", f"{folder}/text.png"]
    assert result.out.splitlines()[-1] == f"wrote {out}: 4 images inverted in w"
    assert f"mean        {document['mean']['perceptual']:.4f}  pixels" in result.out
    # The latents are drawn with the noise that was kept.
    drawn = np.clip(images(child, "--latents", out / "whole.npz")[0], -1, 1)
    target = np.asarray(Image.open(folder / "whole.png"), np.float32) / 127.5 - 1
    rows = {row["name"]: row for row in document["images"]}
    assert np.square(drawn - target).mean() == pytest.approx(rows["whole"]["pixel"], rel=1e-4)
    pair = np.asarray(Image.open(out / "whole.png"))
    assert (pair[:, :8] == np.asarray(Image.open(folder / "whole.png"))).all()
    np.testing.assert_allclose(pair[:, 8:], (drawn + 1) * 127.5, atol=1)
    assert (images(child, "--latents", out / "whole.npz", "--noise", "none")[0] != drawn).any()
    with Image.open(out / "whole.webp") as film:
        assert (film.size, film.n_frames) == ((16, 8), 4)
    shown = (out / "index.html").read_text()
    assert f"aligned invert {child} {folder}" in shown.partition("<img")[0]
    pictures = re.findall(r'<img alt="([^"]+)" src="data:image/png;base64,([^"]+)"', shown)
    assert [alt for alt, _ in pictures] == [
        f"{name}, {what}" for name in names for what in ("target", "inversion")
    ]
    assert len({data for _, data in pictures}) == 8
    with Image.open(io.BytesIO(base64.b64decode(dict(pictures)["whole, inversion"]))) as image:
        assert (np.asarray(image) == pair[:, 8:]).all()
    assert shown.count("<polyline") == 4 and "cut.png</td>" in shown
    assert f"<td>{rows['whole']['pixel']:.4f}</td>" in shown
    # What was written can be read again, and is refused to be replaced.
    loaded = inversion.load(out / "whole.npz", loading.load(child))
    assert loaded.facts["image"] == f"{folder}/whole.png"
    assert aligned("invert", child, folder, *QUICK, "--out", out).code == 2


def test_photographs_are_never_replaced(refused, child, tmp_path):
    face = picture(tmp_path / "photos" / "a.png")
    before = face.read_bytes()
    for words in ((face.parent,), (face,)):
        said = refused("invert", child, *words, *QUICK, "--out", face.parent, "--overwrite")
        assert f"the results would replace what is given: {face}" in said
        assert [*face.parent.iterdir()] == [face] and face.read_bytes() == before
    for verb in (
        ("translate", child, child, face, "--out", face.parent),
        ("translate", child, child, face, "--out", face),
        ("morph", child, child, face, 3, "--grid", "2x2", "--out", face),
    ):
        assert "the results would replace what is given" in refused(*verb, "--overwrite")
        assert face.read_bytes() == before


def test_edits_replace_nothing_that_is_given(refused, child, tmp_path):
    face = picture(tmp_path / "photos" / "a.png")
    table, vector = tmp_path / "b.json", tmp_path / "b.npz"
    table.write_text("{}")
    vector.write_bytes(b"a direction")
    edit = ("edit", child, "--pictures", face, "--out", tmp_path / "b.png", "--overwrite")
    said = refused(*edit, "--edit", "2_1:3", "--align", table)
    assert f"the results would replace what is given: {table}" in said
    said = refused(*edit, "--edit", f"{vector}:2")
    assert f"the results would replace what is given: {vector}" in said
    assert vector.read_bytes() == b"a direction" and table.read_text() == "{}"


def test_a_folder_that_refuses_is_known_at_once(refused, child, tmp_path, monkeypatch):
    face = picture(tmp_path / "face.png")
    monkeypatch.setattr(loading, "load", None)
    words = ("invert", child, face, *QUICK, "--out")
    assert "/proc/none/x was not written" in refused(*words, "/proc/none/x")


@pytest.mark.slow
def test_all_kinds_of_pictures_and_one_bad_in_a_hundred(aligned, parent, tmp_path):
    folder, out = tmp_path / "photos", tmp_path / "out"
    plain = np.asarray(Image.open(picture(folder / "00.png")).resize((4, 4)).resize((8, 8), 0))
    rgb = Image.fromarray(plain)
    grey = plain[..., 0]
    rgb.convert("L").save(folder / "grey.png")
    Image.fromarray(np.dstack([plain, np.zeros_like(grey)])).save(folder / "alpha.png")
    Image.fromarray(grey.astype(np.uint16) * 257).save(folder / "deep.png")
    rgb.convert("CMYK").save(folder / "cmyk.tif")
    rgb.save(folder / "film.png", save_all=True, append_images=[Image.new("RGB", (8, 8))])
    rgb.resize((24, 16), 0).save(folder / "large.png")
    for number in range(1, 93):
        picture(folder / f"{number:02d}.png", number)
    (folder / "cut.png").write_bytes((folder / "00.png").read_bytes()[:100])
    quick = (*QUICK, "--steps", 1, "--noise", "const", "--batch", 33)
    result = aligned("invert", parent, folder, *quick, "--out", out)
    assert result.code == 0 and "wrote" in result.out.splitlines()[-1]
    assert "99 images inverted in w" in result.out
    assert result.err.startswith(f"warning: skipped {folder}/cut.png: ")
    assert result.err.count("\n") == 1

    def target(name):
        return np.asarray(Image.open(out / f"{name}.png")).astype(int)[:, :8]

    expected = {"alpha": np.full((8, 8, 3), 255), "deep": np.dstack([grey] * 3), "film": plain}
    expected["grey"] = np.dstack([np.asarray(rgb.convert("L"))] * 3)
    for name, pixels in expected.items():
        assert np.abs(target(name) - pixels).max() <= 1, name
    assert np.abs(target("cmyk") - plain).max() <= 2
    assert target("large").shape == (8, 8, 3)
    said = aligned("invert", parent, folder / "cut.png", *quick, "--out", tmp_path / "none")
    assert said.code == 2 and "no picture can be used" in said.err


def test_styles_can_be_drawn_again(ok, images, child, tmp_path):
    face = picture(tmp_path / "face.png")
    ok("invert", child, face, *QUICK, "--space", "s", "--noise", "const", "--out", tmp_path / "o")
    drawn = images(child, "--latents", tmp_path / "o" / "face.npz")
    document = json.loads((tmp_path / "o" / "inversions.json").read_text())
    target = np.asarray(Image.open(face), np.float32) / 127.5 - 1
    error = np.square(np.clip(drawn[0], -1, 1) - target).mean()
    assert error == pytest.approx(document["images"][0]["pixel"], rel=1e-4)


@pytest.mark.slow
def test_options_of_the_verb_change_the_latents(ws, child, tmp_path, monkeypatch):
    monkeypatch.setattr(features, "lpips", lambda net: StandIn({"vgg": 1.0, "alex": 1e-4}[net]))
    wide = picture(tmp_path / "wide.png", 1, (20, 12))
    plain, seen = ws(child, wide), []
    assert (ws(child, wide) == plain).all()
    for options in (
        ("--seed", 1),
        ("--network-key", "G"),
        ("--space", "w+"),
        ("--perceptual", "vgg"),
        ("--perceptual", "vgg", "--pixels", 0),
        ("--perceptual", "alex", "--pixels", 0),
        ("--pixels", 1e-6),
    ):
        found = ws(child, wide, *options)
        assert all((found != other).any() for other in (plain, *seen)), options
        seen.append(found)


def test_restarts_take_turns_and_the_film_is_that_of_the_best(ok, child, tmp_path, monkeypatch):
    faces = [picture(tmp_path / "faces" / f"{k}.png", k) for k in range(3)]
    told, kept = [], {}

    @contextlib.contextmanager
    def progress(total, what):
        yield lambda count, note="": told.append(count)
        assert sum(told) == total == len(faces) * 4

    monkeypatch.setattr(console.CONSOLE, "progress", progress)
    keep = inversions.InversionRun.keep

    def noted(run, part, index, number):
        turns = run.films.turns[number]
        kept[number] = (turns, viz.to_uint8(part.images[index]), part.restart[index])
        return keep(run, part, index, number)

    monkeypatch.setattr(inversions.InversionRun, "keep", noted)
    out = tmp_path / "out"
    ok("invert", child, *faces, *QUICK, "--restarts", 3, "--spread", 1, "--video", "--out", out)
    winners = {number: restart for number, (_, _, restart) in kept.items()}
    assert winners.keys() == {0, 1, 2} and 1 in winners.values()  # neither first nor last
    for number, (turns, image, restart) in kept.items():
        assert [*turns] == [0, 1, 2] and all(len(frames) == 4 for frames in turns.values())
        assert (turns[restart][-1] == image).all()
        with Image.open(out / f"{number}.webp") as film:
            film.seek(3)
            last = np.asarray(film.convert("RGB")).astype(int)[:, 8:]
        errors = [np.abs(last - turns[turn][-1]).mean() for turn in turns]
        assert np.argmin(errors) == restart


def test_company_does_not_change_a_bit(ok, child, tmp_path):
    folder = tmp_path / "faces"
    pictures = [picture(folder / f"{k}.png", k) for k in range(2)]

    def latents(words, out, *options):
        ok("invert", child, *words, *options, "--out", tmp_path / out)
        return [np.load(tmp_path / out / f"{path.stem}.npz")["ws"] for path in pictures]

    for space, options in (("z", IN_Z), ("w+", QUICK)):
        together = latents([folder], f"{space}-both", *options, "--space", space)
        for k, path in enumerate(pictures):
            out = tmp_path / f"{space}-{k}"
            ok("invert", child, path, *options, "--space", space, "--out", out)
            with np.load(out / f"{path.stem}.npz") as alone:
                assert alone["ws"].tobytes() == together[k].tobytes()


def test_the_middle_is_cut_out_or_nothing(ws, refused, child, tmp_path):
    wide, out = picture(tmp_path / "wide.png", 1, (20, 12)), tmp_path / "out"
    middle = tmp_path / "middle.png"
    Image.open(wide).crop((4, 0, 16, 12)).save(middle)
    assert (ws(child, wide) == ws(child, middle, "--align", "none")).all()
    said = refused("invert", child, wide, *QUICK, "--align", "none", "--out", out, "--overwrite")
    assert "no picture can be used" in said
    assert "wide.png: 20x12 pixels are not square" in said


@pytest.mark.slow
def test_a_label_changes_the_latent(ws, refused, tmp_path):
    face, network = picture(tmp_path / "face.png"), DATA / "generator_options16.pkl"
    options = ("--noise", "const", "--space", "z")
    first, second = (ws(network, face, *options, "--label", label) for label in (0, 1))
    assert (first != second).any()
    said = refused("invert", network, face, *QUICK, "--out", tmp_path / "none")
    assert "choose a class with --label, from 0 to 2" in said


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("PARENT nowhere.png", "no such picture, folder or zip: nowhere.png"),
        ("PARENT EMPTY", "empty: there are no pictures in it"),
        ("PARENT FACE --perceptual none", "--pixels is 0; with --perceptual none it must be"),
        ("PARENT FACE --pixels -1", "--pixels is -1"),
        ("PARENT FACE --rampup 2", "rampup is 2.0; it must lie between 0 and 1"),
        ("PARENT FACE --psi 0.5", "only z and z+ are truncated"),
        ("PARENT FACE --label 1", "this network is unconditional"),
        (
            "PARENT FACE --perceptual none --pixels 1 --lr 1e30 --noise const --steps 4 --rampup 0",
            "not one inversion stayed finite",
        ),
    ],
)
def test_bad_input_is_one_line(line, expected, refused, parent, tmp_path, contents):
    (tmp_path / "empty").mkdir()
    places = {"PARENT": parent, "EMPTY": tmp_path / "empty"}
    places["FACE"] = picture(tmp_path / "face.png")
    before = contents(tmp_path)
    words = [places.get(word, word) for word in line.split()]
    assert expected in refused("invert", *words, "--samples", 20, "--out", tmp_path / "out")
    assert contents(tmp_path) == before
