"""`aligned pretrain`, `finetune`, `resume` and `transition` on the smallest data."""

import json
import sys

import numpy as np
import pytest
from PIL import Image

from aligned_jax import loading

# Few channels and two phases only: most of the time is compilation.
_SMALL = """
--generator.synthesis.channels 3 3 --discriminator.channels 3 3
--generator.z-dim 4 --generator.w-dim 4 --generator.mapping.num-layers 1
--snapshots.images 4 --snapshots.tick-kimg 1 --gan.pl-weight 0 --gan.r1-gamma 0
"""
SMALL = _SMALL.split()


@pytest.fixture(scope="module")
def data(aligned, tmp_path_factory):
    """48 images of 8 pixels in two classes."""
    folder = tmp_path_factory.mktemp("images")
    pixels = np.random.RandomState(0).randint(0, 256, (48, 8, 8, 3)).astype(np.uint8)
    for number, image in enumerate(pixels):
        path = folder / "src" / "ab"[number % 2] / f"{number:02d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(path)
    made = aligned(
        *("data", "images", folder / "src", "--resolution", 8, "--workers", 1),
        *("--out", folder / "d"),
    )
    assert made.code == 0, made.err
    return folder / "d"


def here(data, run, *more):
    """Arguments of a run on one device, without a cache outside of the test's folder."""
    return ("--data", data, "--run", run, "--devices", 1, "--no-cache", *more)


@pytest.fixture(scope="module")
def trained(aligned, data, tmp_path_factory):
    """A conditional run of 1 kimg."""
    folder = tmp_path_factory.mktemp("trained") / "run"
    command = ("pretrain", "tiny32", *here(data, folder), "--kimg", 1, "--batch", 100)
    result = aligned(*command, "--data.labels", "label", "--tensorboard", *SMALL)
    assert result.code == 0, result.err
    assert f"{folder} is trained: 1 kimg" in result.out
    assert "1 of 1 kimg, " in result.err
    return folder


@pytest.mark.slow
def test_a_conditional_run(trained, ok):
    config = json.loads((trained / "config.json").read_text("utf-8"))
    assert config["config"]["generator"]["c_dim"] == 2
    assert config["config"]["data"]["labels"] == "label"
    assert config["origin"]["command"].startswith("aligned pretrain tiny32 --data ")
    assert list((trained / "tensorboard").iterdir())
    assert loading.load(trained, "D").config.c_dim == 2
    assert "made by `aligned pretrain" in ok("info", trained)


@pytest.mark.slow
def test_resume(trained, ok, refused, aligned, data):
    assert "it can only be lengthened" in refused("resume", trained, "--kimg", 0)
    assert "nowhere" in refused("resume", trained, "--data", "nowhere")
    assert "is not a run folder" in refused("resume", data)
    assert "no such folder" in refused("resume", "nowhere")
    result = aligned("resume", trained, "--kimg", 2, "--devices", 1, "--no-cache")
    assert result.code == 0, result.err
    assert f"going on with {trained} at 1.0 of 2 kimg" in result.out
    assert (trained / "checkpoints" / "kimg-000002").exists()


@pytest.mark.slow
def test_transition(trained, ok, refused, tmp_path):
    out = tmp_path / "strip.png"
    drawn = ("transition", trained, "--label", 0, "--psi", 1, "--out", out)
    text = ok(*drawn, "--kimg", "0,1")
    assert "4 rows, 2 columns" in text
    first = np.asarray(Image.open(out))
    ok(
        "transition",
        trained,
        "--kimg",
        "1,0",
        "--label",
        0,
        "--psi",
        1,
        "--out",
        out,
        "--overwrite",
    )
    assert (np.asarray(Image.open(out)) != first).any()
    message = refused(
        "transition", trained, "--kimg", "5", "--label", 0, "--out", tmp_path / "x.png"
    )
    assert "has no snapshot at 5 kimg; it has 0, 1" in message
    assert "is not a run folder" in refused("transition", tmp_path, "--out", tmp_path / "x.png")


@pytest.mark.slow
def test_a_child_of_an_official_file(parent, data, aligned, tmp_path):
    """FreezeD, adaptive augmentation whose probability moves, from a pickle."""
    command = ("finetune", parent, "tiny32", *here(data, tmp_path / "run"), "--kimg", 1)
    overrides = "--discriminator.freeze-layers 1 --ada.target -1 --gan.pl-weight 0 --gan.r1-gamma 0"
    result = aligned(
        *command, "--batch", 100, "--augment", "blit", *overrides.split(), *SMALL[-8:-4]
    )
    assert result.code == 0, result.err
    before, after = loading.load_all(parent), loading.load_all(tmp_path / "run")
    frozen, moved = (
        [net["D"].variables["params"]["b8"][layer]["weight"] for net in (before, after)]
        for layer in ("fromrgb", "conv0")
    )
    np.testing.assert_array_equal(*frozen)
    assert not np.array_equal(*moved)
    stats = json.loads((tmp_path / "run" / "stats.jsonl").read_text("utf-8"))
    assert 0 < stats["augment_p"] <= 0.01  # one kimg of a hundred
    origin = json.loads((tmp_path / "run" / "config.json").read_text("utf-8"))["origin"]
    assert origin["parents"]["network"]["network"] == str(parent)
    assert len(origin["parents"]["network"]["sha256"]) == 64
    assert aligned("export", tmp_path / "run", tmp_path / "x.safetensors").code == 0
    said = loading.describe(tmp_path / "x.safetensors").provenance["provenance"]
    assert said["parents"]["network"]["images"] == 1000  # how long it was trained


@pytest.mark.slow
def test_a_dry_run(data, aligned, tmp_path):
    result = aligned("pretrain", "tiny32", *here(data, tmp_path / "run"), "--dry-run", *SMALL)
    assert (result.code, result.err) == (0, "")
    assert '"img_resolution": 8' in result.out
    for text in ("trainable parameters: G ", "GiB by the compiler's count", " img/s, "):
        assert text in result.out
    assert not (tmp_path / "run").exists()


def test_options_are_listed(data, ok, tmp_path):
    text = ok("pretrain", "tiny32", *here(data, tmp_path / "run"), "--options", "--gan.r1-gamma", 7)
    assert "--gan.r1-gamma FLOAT" in text.replace("_", "-") and "(default: 7.0)" in text


LINES = {
    "pretrain best --data D --run R": "presets are auto, stylegan2",
    "pretrain tiny32 --data nowhere --run R": "nowhere",
    "pretrain tiny32 --run R": "the following arguments are required: --data",
    "pretrain tiny32 --data D --run R --kimg 0": "kimg is 0; it must be at least 1",
    "pretrain tiny32 --data D --run R --seed -1": "seed is -1",
    "pretrain tiny32 --data D --run R --batch 0": "--batch is 0",
    "pretrain tiny32 --data D --run R --batch 18": "a batch of 18 is not made of groups of 4",
    "pretrain tiny32 --data D --run R --threads 0": "--threads is 0",
    "pretrain tiny32 --data D --run R --devices 99": "--devices is 99; this machine has",
    "pretrain tiny32 --data D --run R --augment x": "augmentation 'x' is unknown",
    "pretrain tiny32 --data D --run R --gan.r1-gama 3": "Perhaps you meant: --gan.r1_gamma",
    "pretrain tiny32 --data D --run R --data.labels hair": "hair",
    "pretrain tiny32 --data D --run R --generator.img-resolution 16": "the networks do not fit",
    "pretrain tiny32 --data D --run R --distributed x": "must be HOST:PORT,COUNT,INDEX",
    "finetune nowhere --data D --run R": "nowhere",
    "finetune P --data D --run R --discriminator.c-dim 2": "discriminator.c_dim is 2",
}


@pytest.mark.parametrize("line", LINES)
def test_bad_input(line, data, parent, refused, tmp_path):
    names = {"D": data, "R": tmp_path / "run", "P": parent}
    message = refused(*[names.get(word, word) for word in line.split()], "--no-cache")
    assert LINES[line] in message
    assert not (tmp_path / "run" / "config.json").exists()


def test_tensorboard_that_is_missing(data, refused, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorboardX", None)
    message = refused("pretrain", "tiny32", *here(data, tmp_path / "run"), "--tensorboard")
    assert "pip install 'aligned_jax[tensorboard]'" in message


def test_hosts_and_devices_exclude_each_other(data, refused, tmp_path):
    argv = here(data, tmp_path / "run", "--distributed")
    assert "exclude each other" in refused("pretrain", "tiny32", *argv)
