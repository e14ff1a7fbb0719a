"""Every verb that writes says beside its result by which command, arguments and versions."""

import contextlib
import json
import re
import shutil

import numpy as np
import pytest
from PIL import Image

from aligned_jax import loading
from aligned_jax.checkpoint import read_manifest
from aligned_jax.convert.programs import is_program, read_record
from aligned_jax.tools.main import VERBS
from aligned_jax.utils.paths import zoo_folder

PEOPLE = str(zoo_folder() / "personas64" / "samples.png")
# What is written, and by which file it is found how.
LINES = {
    "convert P {}": ["{}"],
    "export P {}.safetensors": ["{}.safetensors"],
    "export P {}.pt": ["{}.pt"],
    "export P {}.onnx --no-check": ["{}.onnx"],
    "export P {}.jaxexport --no-check": ["{}.jaxexport"],
    "publish P hf://me/x --license other --seeds 0 --dry-run --out {}": [
        "{}/network.safetensors",
        "{}/samples.png",
    ],
    "data avatars --style critters --count 2 --resolution 8 --workers 1 --out {}": [
        "{}/metadata.json"
    ],
    "data images I --resolution 8 --workers 1 --out {}": ["{}/metadata.json"],
    "data pairs P C --count 2 --out {}": ["{}/metadata.json"],
    "data inspect D --out {}.png": ["{}.png"],
    "generate P --seeds 0-1 --out {}.png": ["{}.png"],
    "generate P --seeds 0-1 --out {}.npz": ["{}.npz"],
    "generate P --seeds 0-1 --out {}.html": ["{}.html"],
    "generate P --seeds 0-1 --out {}": ["{}/seed0001.png", "{}/meta.json"],
    "generate P --latents L.npz --out {}.png": ["{}.png", "{}.npz"],
    "compare P C --seeds 0 --out {}": ["{}/resets.png", "{}/change.json"],
    "reset P C --components mapping --out {}": ["{}"],
    "interpolate P C --weight 0.5 --out {}": ["{}"],
    "interpolate P C --strip 0,1 --seeds 0 --out {}.png": ["{}.png"],
    "swap P C --resolution 4 --out {}": ["{}"],
    "swap P C --strip 4 --seeds 0 --out {}.png": ["{}.png"],
    "arithmetic a+b a=P b=C --out {}": ["{}"],
    "resize P --resolution 16 --out {}": ["{}"],
    "family P C --seeds 0 --out {}.png": ["{}.png"],
    "directions sefa P --count 1 --out {}": ["{}/sefa-00.npz"],
    "edit P C --channel 1_1 --strength 2 --seeds 0 --out {}.png": [
        "{}.png",
        "{}.json",
    ],
    "edit P C --channel 1_1 --strength 2 --latents L.npz --out {}.png": [
        "{}.png",
        "{}.json",
        "{}.npz",
    ],
    "alignment P C --seeds 0-3 --statistics 8 --resamples 2 --out {}": ["{}/alignment.json"],
    "channels P C --seeds 0-3 --statistics 8 --top 2 --out {}": [
        "{}/channels.json",
        "{}/channels.png",
    ],
    "evaluate I --data I --metrics kid_vgg --num 2 --subset-size 2 --no-cache --out {}.json": [
        "{}.json"
    ],
    "invert P I8 --space z --steps 2 --samples 20 --perceptual none --pixels 1 --out {}": [
        "{}/inversions.json",
        "{}/one.png",
        "{}/index.html",
    ],
    "invert P I8 --space w --steps 2 --samples 20 --perceptual none --pixels 1 --tune "
    "--tune-steps 2 --tune-perceptual none --out {}": ["{}/one.safetensors"],
    "label P --name x --yes 0-9 --no 10-19 --pool 0-19 --out {}.json": ["{}.json"],
    "label P --name x --yes 0-9 --no 10-19 --pool 0-19 --out {}.csv": ["{}.csv.json"],
    "translate P C --seeds 0 --out {}.png": ["{}.png"],
    "translate P C --seeds 0 --out {}.html": ["{}.html"],
    "translate P C --seeds 0 --out {}.npz": ["{}.npz"],
    "translate P C --latents L.npz --out {}.png": ["{}.png", "{}.npz"],
    "mix P --rows 0 --columns 1 --out {}.png": ["{}.png"],
    "nearest zoo:personas64 --data I --neighbours 1 --seeds 0 --out {}.json": ["{}.json"],
    "nearest zoo:personas64 --data I --neighbours 1 --seeds 0 --out {}.png": ["{}.png"],
    "perceptual I I --out {}.json": ["{}.json"],
    "related P C --out {}.json": ["{}.json"],
    "attributes read zoo:people-reader people.png --out {}.json": ["{}.json"],
    "attributes read zoo:people-reader people.png --out {}.csv": ["{}.csv.json"],
    "attributes read zoo:people-reader people.png --out {}.npz": ["{}.npz.json"],
    "attributes read zoo:people-reader people.png --out {}.png": ["{}.png"],
}
# What these lines need, and not everybody has.
NEEDED = {".onnx": "onnx", ".jaxexport": "flatbuffers"}
# These compile and import little.
QUICK = ("convert", "export", "data images", "generate", "family", "translate", "mix", "related")
# Their records have tests where their work is tested, because it takes long.
ELSEWHERE = {
    *("morph", "transition", "walk", "zero-shot"),
    *("demo", "figures", "pretrain", "finetune", "encoder", "resume"),
}
# They write no results.
NOTHING = {"zoo", "features", "info", "view"}


@pytest.fixture(scope="module")
def workplace(tmp_path_factory, parent, child, aligned):
    """A folder with networks P and C, images I, a dataset D and latents L.npz."""
    place = tmp_path_factory.mktemp("workplace")
    shutil.copy(parent, place / "P")
    shutil.copytree(child, place / "C")
    shutil.copy(PEOPLE, place / "people.png")
    random = np.random.RandomState(0)
    for name in ("one", "two"):
        pixels = random.randint(0, 256, (64, 64, 3)).astype(np.uint8)
        for folder, size in (("I", 64), ("I8", 8)):
            (place / folder).mkdir(exist_ok=True)
            Image.fromarray(pixels[:size, :size]).save(place / folder / f"{name}.png")
    ws = random.standard_normal((2, loading.load(parent).config.num_ws, 16)).astype(np.float32)
    with contextlib.chdir(place):
        done = aligned("data", "images", "I", "--resolution", "8", "--workers", "1", "--out", "D")
        assert done.code == 0, done.err
        config = loading.load("P").config
        ws = random.standard_normal((2, config.num_ws, config.w_dim)).astype(np.float32)
        np.savez("L.npz", ws=ws)
    return place


def record(path):
    """What a result says of itself, wherever its kind keeps it."""
    if path.is_dir():
        return read_manifest(path).provenance
    if is_program(path):
        return read_record(path)["provenance"]
    if path.suffix == ".png":
        with Image.open(path) as picture:
            assert picture.text["Comment"] and picture.text["Software"]
            return json.loads(picture.text["aligned_jax"])
    if path.suffix == ".npz":
        with np.load(path) as file:
            return json.loads(str(file["meta_json"]))
    if path.suffix == ".html":
        text = path.read_text("utf-8")
        return json.loads(re.search(r'id="aligned_jax">(.*?)</script>', text)[1])
    if path.suffix == ".json":
        document = json.loads(path.read_text("utf-8"))
        return document.get("meta") or document
    known = loading.describe(path).provenance  # of a delta itself, of other files what they hold
    return known.get("provenance", known)


def test_every_verb_is_looked_at():
    tried = {line.split()[0] for line in LINES}
    assert tried | ELSEWHERE | NOTHING | {"directions", "attributes"} == set(VERBS)
    assert not tried & (ELSEWHERE | NOTHING)


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(line, marks=[] if line.startswith(QUICK) else [pytest.mark.slow])
        for line in LINES
    ],
)
def test_a_result_says_how_it_was_made(line, workplace, aligned, monkeypatch):
    monkeypatch.chdir(workplace)
    name = re.sub(r"\W+", "-", line)[:80]
    words = line.format(name).split()
    for ending, package in NEEDED.items():
        if f"{ending} " in line:
            pytest.importorskip(package, reason="the extra onnx is not installed")
    done = aligned(*words)
    assert done.code == 0, done.err
    command = " ".join(["aligned", *words])
    for out in LINES[line]:
        told = record(workplace / out.format(name))
        assert told["command"].replace("'", "") == command, out
        assert told["versions"].keys() >= {"python", "aligned_jax", "jax", "numpy"}, out
        assert told.get("arguments") or told["source"], out  # of a dataset
