"""A disk that fills up half way: exit code 2, one clear line, nothing left behind."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

pytestmark = pytest.mark.slow
# The size limit stands for the full disk: writing beyond it fails in the same
# way, only with another name. It binds a whole process, so this is another one.
PROGRAM = """
import contextlib, io, json, resource, sys
from aligned_jax.tools.main import main

soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
results = []
for limit, argv in json.loads(sys.argv[1]):
    out, err = io.StringIO(), io.StringIO()
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    sys.argv = ["aligned", *argv]
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main()
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    results.append([code, out.getvalue(), err.getvalue()])
print(json.dumps(results))
"""
# Bytes that fit: some of the output, not all of it.
LINES = {
    "convert {parent} {out}": 2000,
    "interpolate {parent} {child} --weight 0.5 --out {out}": 2000,
    "reset {parent} {child} --components mapping --out {out}": 2000,
    "swap {parent} {child} --resolution 4 --out {out}": 2000,
    "arithmetic a+0.5*(b-a) a={parent} b={child} --out {out}": 2000,
    "resize {parent} --resolution 16 --out {out}": 2000,
    "export {parent} {out}.safetensors": 2000,
    "export {parent} {out}.pt": 2000,
    "generate {parent} --seeds 0-7 --out {out}.npz": 4000,
    "generate {parent} --seeds 0-63 --batch 8 --out {out}.png": 4000,
    "generate {parent} --seeds 0-7 --out {out}": 500,
    "generate {parent} --seeds 0-7 --out {out}.html": 4000,
    "morph {parent} {child} 1 2 --frames 6 --out {out}.webp": 1000,
    "morph {parent} {child} 1 2 --frames 6 --out {out}.mp4": 300,
    "compare {parent} {child} --seeds 0-7 --out {out}": 10000,
    "family {parent} {child} --seeds 0-7 --out {out}.png": 600,
    "edit {parent} {child} --channel 1_0 --out {out}.png": 300,
    "mix {parent} --rows 0-3 --columns 4-7 --layers 1-2 --out {out}.png": 2000,
    "walk {parent} --seeds 0-2 --frames 4 --out {out}.webp": 1000,
    "walk {parent} --seeds 0-2 --frames 4 --out {out}.gif": 1000,
    "walk {parent} --seeds 0-2 --frames 4 --out {out}/": 400,
    "swap {parent} {child} --strip 4,8 --seeds 0-7 --out {out}.png": 4000,
}
# What can be gone on with stays, in a hidden folder; the same command does it.
DATA_LINES = {
    "data images {photos} --resolution 64 --workers 1 --out {out}": 30_000,
    "data images {photos} --resolution 64 --workers 2 --out {out}": 30_000,
    "data avatars --style personas --count 40 --resolution 64 --workers 1 --out {out}": 30_000,
    "data images {photos} --resolution 8 --workers 1 --out {out}": 200,
}


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """Eight pictures of 64 pixels that no format makes small."""
    folder = tmp_path_factory.mktemp("photos")
    for number in range(8):
        pixels = np.random.default_rng(number).integers(0, 256, (64, 64, 3), np.uint8)
        Image.fromarray(pixels).save(folder / f"{number}.png")
    return folder


@pytest.fixture(scope="module")
def results(parent, child, photos, tmp_path_factory):
    """{line: (exit code, stdout, stderr, names left behind, folder)}."""
    folders, jobs = [], []
    lines = {**LINES, **DATA_LINES}
    for number, (line, limit) in enumerate(lines.items()):
        folders.append(tmp_path_factory.mktemp(f"disk{number}"))
        names = {"parent": parent, "child": child, "photos": photos, "out": folders[-1] / "out"}
        words = [word.format(**names) for word in line.split()]
        jobs.append((limit, words))
    command = [sys.executable, "-c", PROGRAM, json.dumps(jobs)]
    # Compiled programs would not be kept beyond the limit either, which JAX warns of.
    environment = {k: v for k, v in os.environ.items() if k != "JAX_COMPILATION_CACHE_DIR"}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    answers = json.loads(done.stdout.splitlines()[-1])
    left = [sorted(path.name for path in folder.iterdir()) for folder in folders]
    return {
        line: (*answer, names, folder)
        for line, answer, names, folder in zip(lines, answers, left, folders, strict=True)
    }


@pytest.mark.parametrize("line", LINES)
def test_nothing_is_left_behind(line, results):
    code, out, err, names, _ = results[line]
    assert (code, out, names) == (2, "", []), err
    assert err.startswith(f"aligned {line.split()[0]}: ") and err.count("\n") == 1
    # The system stops ffmpeg, which writes films, at the limit.
    assert ("the disk of" if line.endswith(".mp4") else "File too large") in err
    assert "nothing was left behind" in err


@pytest.mark.parametrize("line", DATA_LINES)
def test_datasets_are_gone_on_with(line, results, photos, aligned):
    code, out, err, names, folder = results[line]
    assert (code, out, names) == (2, "", [".out.partial"]), err
    assert err == (
        f"aligned data: {folder}/out was not written: File too large; the same command goes on "
        "from where it stopped\n"
    )
    # Nothing half written takes the room that is missing.
    sizes = [path.stat().st_size for path in (folder / ".out.partial").iterdir()]
    assert sum(sizes) < 2000
    words = [word.format(photos=photos, out=folder / "out") for word in line.split()]
    assert aligned(*words).code == 0
    assert [path.name for path in folder.iterdir()] == ["out"]
