"""A disk that fills up half way: exit code 2, one clear line, nothing left behind."""

import json
import subprocess
import sys

import pytest

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
    "export {parent} {out}.safetensors": 2000,
    "generate {parent} --seeds 0-7 --out {out}.npz": 4000,
    "generate {parent} --seeds 0-63 --batch 8 --out {out}.png": 4000,
    "generate {parent} --seeds 0-7 --out {out}": 500,
    "compare {parent} {child} --seeds 0-7 --out {out}": 10000,
    "swap {parent} {child} --strip 4,8 --seeds 0-7 --out {out}.png": 4000,
}


@pytest.fixture(scope="module")
def results(parent, child, tmp_path_factory):
    """{line: (exit code, stdout, stderr, names left behind)}."""
    folders, jobs = [], []
    for number, (line, limit) in enumerate(LINES.items()):
        folders.append(tmp_path_factory.mktemp(f"disk{number}"))
        out = folders[-1] / "out"
        words = [word.format(parent=parent, child=child, out=out) for word in line.split()]
        jobs.append((limit, words))
    command = [sys.executable, "-c", PROGRAM, json.dumps(jobs)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    answers = json.loads(done.stdout.splitlines()[-1])
    left = [sorted(path.name for path in folder.iterdir()) for folder in folders]
    return {
        line: (*answer, names) for line, answer, names in zip(LINES, answers, left, strict=True)
    }


@pytest.mark.parametrize("line", LINES)
def test_nothing_is_left_behind(line, results):
    code, out, err, names = results[line]
    assert (code, out, names) == (2, "", []), err
    assert err.startswith(f"aligned {line.split()[0]}: /") and err.count("\n") == 1
    assert "File too large" in err and "nothing was left behind" in err
