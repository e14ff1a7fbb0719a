"""Type checkers see what users get: public names resolve, and loading tells kinds apart."""

import re
import sys
from pathlib import Path

import pytest
from mypy import api

SNIPPET = """\
import aligned_jax as aj

reveal_type(aj.load("x"))
reveal_type(aj.load("x", "G"))
reveal_type(aj.load("x", "D"))
reveal_type(aj.load("x", "E"))
reveal_type(aj.load("x", str(1)))
reveal_type(aj.load_encoder("x", aj.load("y")))
reveal_type(aj.weights.interpolate(aj.load("a"), aj.load("b"), 0.5))
reveal_type(aj.load("x").mapping)
reveal_type(aj.data.open_dataset)
reveal_type(aj.GeneratorConfig(64).num_ws)
reveal_type(aj.jobs.family)
aj.load("x").mappings
"""
ROOM = r"aligned_jax\.networks\.network\."
ENCODER = r"aligned_jax\.networks\.encoder_network\.EncoderNetwork"
EXPECTED = [
    f"{ROOM}Network",
    f"{ROOM}Network",
    f"{ROOM}DiscriminatorNetwork",
    ENCODER,
    rf"{ROOM}Network \| {ROOM}DiscriminatorNetwork \| {ENCODER}",
    ENCODER,
    f"{ROOM}Network",
    r"def \(z: \S*Array \| .*ndarray.*, c: .* =, psi: .*\) -> \S*Array",
    r"def \(options: \S*DataOptions\) -> aligned_jax\.data\.dataset\.Dataset",
    "(builtins.)?int",
    r"def \(.*\) -> \S+",
]


@pytest.mark.slow
def test_public_names_have_types(tmp_path, monkeypatch):
    path = tmp_path / "snippet.py"
    path.write_text(SNIPPET)
    monkeypatch.chdir(tmp_path)  # away from the project's own settings
    # mypy does not follow the hooks of editable installs.
    monkeypatch.setenv("MYPYPATH", str(Path(__file__).parent.parent))
    options = ["--follow-imports=silent", "--ignore-missing-imports", "--no-error-summary"]
    said, complaints, _ = api.run(
        [*options, "--python-executable", sys.executable, "--cache-dir", str(tmp_path), str(path)]
    )
    types = re.findall(r'Revealed type is "(.*)"', said)
    assert len(types) == len(EXPECTED), said + complaints
    for revealed, expected in zip(types, EXPECTED, strict=True):
        assert re.fullmatch(expected, revealed), said
    assert '"Network" has no attribute "mappings"' in said
