"""`aligned evaluate` and `aligned perceptual`, with small feature networks."""

import json
import zipfile

import jax
import numpy as np
import pytest
from PIL import Image

from aligned_jax import features
from tests import standins

_LOAD = features.load


@pytest.fixture(autouse=True)
def networks(monkeypatch, tmp_path):
    """Stand-ins for the feature networks, one device, and a cache of this test's own."""
    standins.replace(monkeypatch)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(jax, "local_devices", lambda: jax.devices()[:1])


def write(folder, count=12, seed=0, size=8, mode="RGB"):
    """A folder of random pictures."""
    folder.mkdir(parents=True, exist_ok=True)
    shape = (count, size, size, 3) if mode == "RGB" else (count, size, size)
    for number, image in enumerate(np.random.RandomState(seed).randint(0, 256, shape)):
        Image.fromarray(image.astype(np.uint8)).save(folder / f"{number:02d}.png")
    return folder


def scores(ok, *argv):
    return json.loads(ok("evaluate", *argv, "--json"))["scores"]


def test_a_network_against_a_folder(ok, aligned, parent, tmp_path):
    data, out = write(tmp_path / "data"), tmp_path / "scores.json"
    told = ok(
        *("evaluate", parent, "--data", data, "--metrics", "fd_vgg,kid_vgg,pr,is"),
        *("--num", 10, "--seed", 3, "--psi", 0.5, "--out", out, "--splits", 2),
    )
    document = json.loads(out.read_text())
    assert told.splitlines()[:2] == [
        f"{parent}: 10 images, psi 0.5, seeds 3-12",
        f"against {data}: 12 images",
    ]
    for name, value in document["scores"].items():
        assert f"{name} " in told and f"{value:.6g}" in told
    assert document["scores"].keys() == {
        *("fd_vgg", "kid_vgg", "kid_vgg_std", "precision", "recall", "is", "is_std"),
    }
    assert document["images"]["psi"] == 0.5 and len(document["images"]["weights_sha256"]) == 64
    assert document["reals"]["images"] == 12 and len(document["reals"]["fingerprint"]) == 64
    assert document["metrics"]["fd_vgg"]["features"]["sha256"] == "stand-in"
    assert document["command"].startswith("aligned evaluate ")
    # Said once more, without the cache, and with the raw generator, which is the same here.
    again = (parent, "--data", data, "--metrics", "fd_vgg", "--num", 10, "--seed", 3, "--no-cache")
    known = scores(ok, *again, "--psi", 0.5, "--network-key", "G")["fd_vgg"]
    assert known == pytest.approx(document["scores"]["fd_vgg"], rel=1e-6)
    assert scores(ok, *again, "--psi", 0.5, "--noise", "none")["fd_vgg"] != known
    assert "already exists" in aligned("evaluate", *again, "--out", out).err


def test_sets_of_images(ok, aligned, tmp_path):
    data, other = write(tmp_path / "data"), write(tmp_path / "other", seed=1)
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as archive:
        for file in other.iterdir():
            archive.write(file, file.name)
    names = ("--metrics", "fd_vgg,kid_vgg,diversity", "--pairs", 9)
    scored = scores(ok, other, "--data", data, *names)
    assert scores(ok, tmp_path / "other.zip", "--data", data, *names) == scored
    same = scores(ok, data, "--data", data, "--metrics", "fd_vgg,pr_vgg")
    assert same["fd_vgg"] == pytest.approx(0, abs=1e-9)
    assert (same["precision_vgg"], same["recall_vgg"]) == (1, 1)
    few = aligned("evaluate", other, "--data", data, "--metrics", "fd_vgg", "--num", 5)
    assert few.code == 0
    assert few.err.startswith("warning: fd_vgg: 5 images are no more than the 6 features")


def test_a_dataset(ok, refused, tmp_path):
    folder = write(tmp_path / "src")
    made = tmp_path / "made"
    ok("data", "images", folder, "--resolution", 8, "--workers", 1, "--out", made)
    # The same images in another order.
    value = scores(ok, made, "--data", folder, "--metrics", "fd_vgg")["fd_vgg"]
    assert value == pytest.approx(0, abs=1e-9)
    assert "no split 'test'" in refused("evaluate", made, "--data", made, "--split", "test")


def test_bad_input(refused, parent, tmp_path):
    data = write(tmp_path / "data")
    said = {
        "no such metric: fido": (parent, "--data", data, "--metrics", "fido"),
        "give them with --data": (parent, "--metrics", "fid"),
        "ppl can only be had of a network": (data, "--metrics", "ppl"),
        "nowhere": ("nowhere", "--data", data),
        "nothing does not exist": (parent, "--data", tmp_path / "nothing"),
        "is a network": (parent, "--data", parent),
        "without labels": (data, "--data", data, "--labels", "class"),
        "epsilon is 2": (parent, "--metrics", "ppl", "--ppl-epsilon", 2),
    }
    for words, argv in said.items():
        assert words in refused("evaluate", *argv)
    empty = tmp_path / "empty"
    empty.mkdir()
    assert "holds no images" in refused("evaluate", empty, "--data", data)
    write(empty, count=2, size=16)
    Image.new("RGB", (8, 9)).save(empty / "other.png")
    mixed = refused("evaluate", empty, "--data", data)
    assert "2 sizes: 16x16 (2, such as 00.png), 8x9 (1, such as other.png)" in mixed
    (data / "bad.png").write_bytes(b"no picture")
    assert "bad.png" in refused("evaluate", parent, "--data", data)


def test_a_missing_feature_network_is_explained(refused, monkeypatch, tmp_path):
    monkeypatch.setattr(features, "load", _LOAD)
    data = write(tmp_path / "data", size=16)
    said = refused("evaluate", data, "--data", data, "--metrics", "fid")
    assert "inception" in said and "aligned features add FILE" in said


def test_perceptual(ok, refused, tmp_path):
    first, second = write(tmp_path / "a"), write(tmp_path / "b", seed=1)
    out = tmp_path / "distances.json"
    told = ok("perceptual", first, second, "--out", out, "--batch", 5)
    document = json.loads(out.read_text())
    assert len(document["pairs"]) == 12 and len(told.splitlines()) == 13
    pixels = [np.asarray(Image.open(f / "07.png"), np.float32) / 127.5 for f in (first, second)]
    expected = ((pixels[0] - pixels[1]) ** 2).mean()
    assert document["pairs"]["07.png"] == pytest.approx(expected, rel=1e-5)
    assert document["mean"] == pytest.approx(np.mean(list(document["pairs"].values())))
    alone = json.loads(ok("perceptual", first / "07.png", second / "07.png", "--json"))
    assert alone["mean"] == pytest.approx(expected, rel=1e-5)
    other = json.loads(ok("perceptual", first, second, "--net", "alex", "--json"))
    assert other["network"]["network"] == "lpips_alex" != document["network"]["network"]
    assert other["mean"] == pytest.approx(2 * document["mean"], rel=1e-5)
    (first / "99.png").write_bytes((first / "07.png").read_bytes())
    assert f"without a partner of the same name: {first}/99.png" in refused(
        "perceptual", first, second
    )
    assert "give two pictures" in refused("perceptual", first / "07.png", second)
    assert "8x8 and 16x16 pixels" in refused("perceptual", second, write(tmp_path / "c", size=16))
    assert "no picture" in refused("perceptual", "nowhere", second)


@pytest.mark.slow  # loops as users have them: the quick ones round differently, to 1e-15
def test_an_image_is_at_no_distance_from_itself(ok, tmp_path):
    folder = write(tmp_path / "a")
    assert json.loads(ok("perceptual", folder, folder, "--json"))["mean"] == 0
