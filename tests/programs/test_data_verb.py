import json
import shutil

import numpy as np
import pytest
from PIL import Image

from aligned_jax.data import DataOptions, open_dataset


def avatars(out, *more):
    return ["data", "avatars", "--style", "personas", "--count", 6, "--resolution", 8,
            "--workers", 1, "--out", out, *more]  # fmt: skip


@pytest.fixture(scope="module")
def faces(aligned, tmp_path_factory):
    out = tmp_path_factory.mktemp("verb") / "faces"
    result = aligned(*avatars(out, "--test", 3))
    assert (result.code, result.err) == (0, "")
    assert "6 train, 3 test images of 8 px" in result.out
    return out


def images(path):
    data = open_dataset(DataOptions(str(path)))
    return np.stack([data[k][0] for k in range(len(data))])


@pytest.mark.parametrize(
    "option",
    [
        ("--seed", 1),
        ("--roll", 30),
        ("--yaw", 1),
        ("--zoom", 1.5),
        ("--background", "#ff0000,#00ff00"),
        ("--style", "toon-head"),
    ],
)
def test_every_option_changes_the_faces(ok, faces, tmp_path, option):
    ok(*avatars(tmp_path / "d", *option))
    assert (images(tmp_path / "d") != images(faces)).any()


def test_the_command_is_recorded(faces):
    metadata = json.loads((faces / "metadata.json").read_text())
    assert metadata["command"].startswith("aligned data avatars --style personas")


def test_more_faces_begin_with_the_same(ok, faces, tmp_path):
    ok(*avatars(tmp_path / "d", "--count", 8, "--test", 0))
    np.testing.assert_array_equal(images(tmp_path / "d")[:6], images(faces))


def test_inspect(ok, faces, tmp_path):
    out = ok("data", "inspect", faces, "--out", tmp_path / "x.png", "--images", 4)
    assert "6 train, 3 test images of 8 px, 3 channels" in out
    assert "glasses: " in out and "skin_color: (" in out and "made by: aligned data" in out
    with Image.open(tmp_path / "x.png") as sheet:
        assert sheet.size == (4 * 8, 2 * 8 + 8)
        assert sheet.text["Comment"].startswith("aligned data inspect")
    again = ok("data", "inspect", faces, "--out", tmp_path / "x.png", "--images", 2, "--overwrite")
    assert "up to 2 images" in again
    with Image.open(tmp_path / "x.png") as sheet:
        assert sheet.size == (2 * 8, 2 * 8 + 8)


def test_inspect_does_not_replace(aligned, faces, tmp_path):
    (tmp_path / "x.png").write_text("precious")
    result = aligned("data", "inspect", faces, "--out", tmp_path / "x.png")
    assert result.code == 2 and "already exists" in result.err


@pytest.fixture
def folder(tmp_path):
    for k in range(8):
        file = tmp_path / "src" / "ab"[k % 2] / f"{k}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        values = np.random.default_rng(k).integers(0, 256, (12, 10, 3), np.uint8)
        Image.fromarray(values).save(file)
    return tmp_path / "src"


def test_images(ok, aligned, folder, tmp_path):
    shared = ("--resolution", 8, "--workers", 1)
    out = ok("data", "images", folder, *shared, "--test", 0.25, "--out", tmp_path / "d")
    assert "6 train, 2 test images of 8 px" in out
    labelled = open_dataset(DataOptions(str(tmp_path / "d"), labels="label"))
    assert labelled.label_names == ("a", "b")
    ok("data", "images", folder, *shared, "--gray", "--no-labels", "--out", tmp_path / "e")
    gray = open_dataset(DataOptions(str(tmp_path / "e")))
    assert gray.channels == 1
    assert "label:" not in ok("data", "inspect", tmp_path / "e")
    (folder / "a" / "bad.png").write_text("x")
    refused = aligned("data", "images", folder, *shared, "--out", tmp_path / "f")
    assert refused.code == 2 and "a/bad.png" in refused.err
    result = aligned("data", "images", folder, *shared, "--skip-bad", "--out", tmp_path / "f")
    assert result.code == 0 and "left out a/bad.png" in result.err


def test_every_fit_and_opacity(ok, refused, folder, tmp_path):
    """The pictures are 10 pixels wide and 12 high."""
    shared = ("data", "images", folder, "--resolution", 8, "--workers", 1)
    said, pixels = {}, {}
    lines = {
        "plain": (),
        "crop": ("--fit", "crop"),
        "pad": ("--fit", "pad"),
        "red": ("--fit", "pad", "--pad-colour", "#f00"),
        "stretch": ("--fit", "stretch"),
        "alpha": ("--alpha",),
    }
    for name, more in lines.items():
        said[name] = ok(*shared, *more, "--out", tmp_path / name).splitlines()
        pixels[name] = images(tmp_path / name)
    wrote = f"wrote {tmp_path / 'crop'}: 8 train images of 8 px"
    labels = "  2 classes: a, b (from the names of folders)"
    assert said["crop"] == [wrote, labels, "  8 of 8 pictures were cropped, by 16.7 % at most"]
    assert said["pad"][2] == "  8 of 8 pictures were given margins, which take 16.7 % at most"
    assert said["stretch"][2] == "  8 of 8 pictures were stretched, by a factor of 1.2 at most"
    assert said["alpha"][3] == "  no picture is transparent anywhere; alpha is 255 in all"
    np.testing.assert_array_equal(pixels["plain"], pixels["crop"])
    np.testing.assert_array_equal(pixels["alpha"][..., :3], pixels["crop"])
    different = [pixels[name] for name in ("crop", "pad", "red", "stretch")]
    for number, one in enumerate(different):
        assert all((one != other).any() for other in different[:number])
    assert "not allowed with" in refused(*shared, "--gray", "--alpha", "--out", tmp_path / "x")
    message = refused(*shared, "--pad-colour", "#fff", "--out", tmp_path / "x")
    assert "--pad-colour is for --fit pad" in message


@pytest.mark.parametrize("line", ["images", "avatars"])
def test_sizes_that_no_network_has_are_told(aligned, folder, tmp_path, line):
    lines = {"images": ["data", "images", folder, "--workers", 1], "avatars": avatars("x")[:-2]}
    for size, told in ((8, False), (12, True)):
        result = aligned(*lines[line], "--resolution", size, "--out", tmp_path / str(size))
        warning = f"warning: no network has {size} pixels: they have 8, 16, 32 and so on, to 1024"
        assert result.code == 0 and result.err.startswith(warning) == told
        assert result.err.count("\n") == told


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["data"], "avatars|images|pairs|inspect"),
        (["data", "avatars"], "--style"),
        (["data", "inspect", "nothing"], "does not exist"),
        (["data", "images", "nothing", "--resolution", 8, "--out", "x"], "does not exist"),
        (avatars("x", "--style", "avataaars"), "there is no style 'avataaars'"),
        (avatars("x", "--yaw", 3), "yaw 3"),
        (avatars("x", "--background", "blue"), "'blue' is no colour"),
        (avatars("x", "--resolution", 4), "4"),
        (avatars("gs://bucket/x"), "local"),
    ],
)
def test_bad_input_is_one_line(aligned, tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    result = aligned(*arguments)
    assert result.code == 2 and message in result.err
    assert result.err.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_inspect_checks_the_files(ok, refused, faces, tmp_path):
    said = "are those that were recorded"
    assert said in ok("data", "inspect", faces, "--check")
    assert said not in ok("data", "inspect", faces)
    broken = tmp_path / "faces"
    shutil.copytree(faces, broken)
    shard = next(broken.glob("*train*.array_record*"))
    content = bytearray(shard.read_bytes())
    content[len(content) // 2] ^= 1  # of the same length, which opening it compares
    shard.write_bytes(content)
    message = refused("data", "inspect", broken, "--check")
    assert f"damaged are {shard.name}; make it again" in message
    info = json.loads((broken / "metadata.json").read_text("utf-8"))
    (broken / "metadata.json").write_text(json.dumps({k: info[k] for k in info if k != "files"}))
    assert "records no SHA-256 of" in refused("data", "inspect", broken, "--check")
