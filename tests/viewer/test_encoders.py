"""Uploads by the zoo's encoder: alone, and as the start of the optimiser."""

import io
import json
import shlex
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from aligned_jax.tools.main import main
from aligned_jax.utils.reporting import QUIET
from aligned_jax.viewer.serving import ViewOptions, open_session
from aligned_jax.viewer.uploads import cut_out, read_options
from tests.helpers import same_bits


@pytest.fixture(scope="module")
def zoo():
    return open_session(["zoo:personas64"], ViewOptions(encoders=["zoo:personas64-e4e"]))


@pytest.mark.slow
@pytest.mark.optimised
@pytest.mark.parametrize(
    "words",
    [{"way": "encoder"}, {"way": "start", "steps": "2", "compare": "pixels"}],
    ids=lambda words: words["way"],
)
def test_the_command_finds_the_same_latents(zoo, words, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    file = io.BytesIO()
    pixels = np.random.RandomState(0).randint(0, 256, (80, 100, 3)).astype(np.uint8)
    Image.fromarray(pixels).save(file, "PNG")
    face = [[20, 5], [80, 15], [70, 75], [10, 65]]
    parent, options = zoo.engine.family.parent, read_options({**words, "face": json.dumps(face)})
    picture, place = cut_out(file.getvalue(), options, parent)
    Path("p.png").write_bytes(file.getvalue())
    Path("f.json").write_text(json.dumps({"p.png": [face]}))
    latents, distances = zoo.uploads.invert(parent, picture, place, options, QUIET)
    line = zoo.uploads.command("zoo:personas64", "p.png", "f.json", "p-inverted", options)
    assert line[:3] == ["aligned", "invert", "zoo:personas64"] and shlex.join(line)
    assert main(line[1:]) == 0, capsys.readouterr().err
    with np.load("p-inverted/p.npz") as found:
        assert same_bits(found["ws"], latents.arrays["ws"])
    assert set(distances) == {"perceptual", "pixel"}
