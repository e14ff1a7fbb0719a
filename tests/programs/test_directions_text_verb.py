"""`aligned directions text` on a tiny network and a tiny CLIP of random weights."""

import numpy as np
import pytest

from aligned_jax.jobs.direction_files import read_direction
from aligned_jax.loading import load
from aligned_jax.tools.main import main
from tests.features.clip.conftest import FOLDER
from tests.helpers import DATA

NETWORK = DATA / "hostile_baseline_ok.pkl"
QUICK = ("--index-seeds", "4", "--group", "2", "--samples", "100")
WORDS = ("--target", "a smiling face", "--neutral", "a face")


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


def verb(*argv, clip=FOLDER):
    words = ["directions", "text", NETWORK, *WORDS, "--clip", clip, *QUICK, *argv]
    return main([str(word) for word in words])


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    out = tmp_path_factory.mktemp("plain") / "plain.npz"
    assert verb("--out", out, "--unreliable") == 0
    return read_direction(out)


def test_it_writes_a_direction_and_a_sheet(tmp_path, capsys):
    out, sheet = tmp_path / "smile.npz", tmp_path / "smile.png"
    # Nobody may trust what a CLIP of random weights sees.
    assert verb("--out", out, "--sheet", sheet, "--unreliable") == 0
    said = capsys.readouterr()
    assert "wrote" in said.out and "seeds agree" in said.out and sheet.exists()
    direction = read_direction(out, load(NETWORK))
    assert direction.space == "s" and direction.found["target"] == "a smiling face"
    assert set(direction.found["merits"]) == {"agreement", "chance", "rise", "rose"}
    assert verb("--out", out, "--unreliable") == 2
    assert "already exists" in capsys.readouterr().err
    assert verb("--out", out, "--unreliable", "--overwrite") == 0


@pytest.mark.slow
@pytest.mark.parametrize(
    "option",
    [
        ("--threshold", "0.01"),
        ("--layers", "b8.conv1"),
        ("--template", "the face: {}"),
        ("--strength", "1"),
        ("--psi", "1"),
        ("--first-seed", "9"),
        ("--activation", "gelu"),
        ("--samples", "200"),
        ("--index-seeds", "6"),
        ("--group", "4"),
    ],
)
def test_every_option_changes_the_direction(tmp_path, plain, option):
    assert verb("--out", tmp_path / "other.npz", "--unreliable", *option) == 0
    other = read_direction(tmp_path / "other.npz")
    same = plain.found["merits"] == other.found["merits"] and all(
        np.array_equal(plain.vectors.get(layer), vector) for layer, vector in other.vectors.items()
    )
    assert not same


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        (("--heads", "3"), "--heads has 1 numbers"),
        (("--end-token", "9999"), "tokens are 0 to 684"),
        (("--tokenizer", DATA), "no tokenizer.json"),
        (("--threshold", "2"), "the largest threshold that passes one"),
        (("--template", "no place"), "once each"),
        (("--label", "1"), "label"),
        (("--layers", "b3.conv7"), "no such style layer"),
    ],
)
def test_bad_input_is_one_sentence(tmp_path, capsys, argv, says):
    assert verb("--out", tmp_path / "x.npz", *argv) == 2
    error = capsys.readouterr().err
    assert says in error and error.count("\n") == 1
    assert not (tmp_path / "x.npz").exists()


def test_names_are_refused_before_any_work(tmp_path, capsys):
    assert verb("--out", tmp_path / "x.png") == 2
    assert verb("--out", tmp_path / "x.npz", "--sheet", tmp_path / "x.pdf") == 2
    assert verb("--out", tmp_path / "x.npz", clip=tmp_path / "none") == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 3 and "written to NAME.npz" in said


def test_a_direction_that_is_not_reliable_is_refused(tmp_path, capsys):
    assert verb("--out", tmp_path / "x.npz") == 2
    assert "no reliable direction" in capsys.readouterr().err


def test_help_alone_shows_an_example(capsys):
    assert main(["directions", "text", "--help"]) == 0
    assert "aligned directions text zoo:personas64" in capsys.readouterr().out
