"""Judges: readers, scores by seed and functions of the user; what is no judge is refused."""

import numpy as np
import pytest

from aligned_jax.errors import FormatError, UserError
from aligned_jax.features.attributes.file import save_reader
from aligned_jax.jobs.judges import (
    NamedJudge,
    SeedScores,
    check_scores,
    load_judge,
    load_picture_judge,
    load_segment,
    scores_of,
)
from tests.labelled_pictures import noise, reader


@pytest.fixture
def function(tmp_path):
    """function(BODY) -> FILE.py:judge, whose parameter is `images`."""

    def write(body):
        (tmp_path / "mine.py").write_text(f"def judge(images):\n    {body}\n")
        return f"{tmp_path / 'mine.py'}:judge"

    return write


def test_a_reader_is_a_judge(tmp_path):
    save_reader(tmp_path / "r.safetensors", reader())
    judge = load_judge(tmp_path / "r.safetensors")
    images = noise(3)
    told, expected = judge(images), reader().judge()(images)
    assert judge.names == tuple(told) == tuple(expected)
    assert all((told[name] == expected[name]).all() for name in told)
    assert judge.odds == {"glasses", "hair=curly", "hair=long", "hair=short"}
    assert list(scores_of(judge, images, ["yaw", "glasses"])) == ["yaw", "glasses"]
    with pytest.raises(UserError, match=r"does not know hat, hair; it knows glasses, hair=curly"):
        check_scores(judge, ["hat", "yaw", "hair"])


def test_a_function_of_the_user_is_a_judge(function):
    judge = load_judge(function("return {'light': images.mean(axis=(1, 2, 3))}"))
    images = noise(3)
    np.testing.assert_allclose(judge(images)["light"], images.mean(axis=(1, 2, 3)), rtol=1e-6)
    assert judge.names is None and judge.odds == frozenset()
    check_scores(judge, ["anything"])  # nothing is known before it is called
    with pytest.raises(UserError, match="does not know dark; it knows light"):
        scores_of(judge, images, ["dark"])


def test_a_function_of_a_module_is_a_judge():
    judge = load_judge("tests.labelled_pictures:noise")
    assert isinstance(judge, NamedJudge) and judge.judge is noise


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("return images", "returns ndarray; a judge returns a dictionary"),
        ("return {3: images[:, 0, 0, 0]}", "returns dict; a judge returns a dictionary"),
        ("return {'a': images[:, 0]}", r"returns a \(float32 \[3, 8, 3\]\) of 3 pictures"),
        ("return {'a': images[:, 0, 0, 0] / 0}", "one finite number"),
        ("return {'a': ['x'] * len(images)}", "one finite number"),
    ],
)
def test_what_a_function_may_not_return(function, body, said):
    with np.errstate(divide="ignore"), pytest.raises(UserError, match=said):
        load_judge(function(body))(noise(3))


def test_functions_that_are_not_there(tmp_path, function):
    named = function("return {}")
    with pytest.raises(UserError, match="has no function other; it has judge"):
        load_judge(named.replace(":judge", ":other"))
    with pytest.raises(UserError, match="is no file"):
        load_judge(f"{tmp_path}/none.py:judge")
    with pytest.raises(UserError, match="cannot be imported: ModuleNotFoundError"):
        load_judge("no_such_module:judge")
    (tmp_path / "bad.py").write_text("1 / 0")
    with pytest.raises(UserError, match="cannot be imported: ZeroDivisionError"):
        load_judge(f"{tmp_path}/bad.py:judge")


def test_nothing_of_the_data_is_imported(tmp_path):
    """A name that is no function of a module is not imported, whatever it begins with."""
    for name in ("somebody", "tests.labelled_pictures", "x:", ":y", "a:b c"):
        with pytest.raises(UserError, match="is no judge; give READER"):
            load_judge(name)


@pytest.mark.parametrize("ending", [".csv", ".npz"])
def test_scores_by_seed(tmp_path, ending):
    path = tmp_path / f"scores{ending}"
    if ending == ".csv":
        path.write_text("seed,glasses,yaw\n3,0.5,-1\n0,-2,4\n")
    else:
        np.savez(path, seed=[3, 0], glasses=[0.5, -2], yaw=[-1, 4])
    scores = load_judge(path)
    assert isinstance(scores, SeedScores) and scores.names == ("glasses", "yaw")
    found = scores.of([0, 3, 0])
    assert found["glasses"].tolist() == [-2, 0.5, -2] and found["yaw"].dtype == np.float32
    with pytest.raises(UserError, match="has no scores of seeds 1, 2"):
        scores.of([0, 1, 2])
    with pytest.raises(UserError, match="does not know smile; it knows glasses, yaw"):
        check_scores(scores, ["smile"])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("picture,glasses\na,1\n", "has no seed, but picture, glasses"),
        ("seed,glasses\n1,x\n", "glasses must be finite numbers"),
        ("seed,glasses\n1,nan\n", "glasses must be finite numbers"),
        ("seed,glasses\n1,1e39\n", "glasses must be finite numbers"),
        ("seed,glasses\n1.5,1\n", "seed must be finite numbers, and seeds whole ones"),
        ("seed,glasses\n-1,1\n", "seeds whole ones"),
        ("seed,glasses\n1,1\n1,2\n", "seeds come twice"),
        ("seed\n1\n", "no scores of another number"),
        ("seed,glasses\n1\n", "lines as long"),
        ("seed,glasses,glasses\n1,2,3\n", "different names"),
        ("", "a line of different names"),
    ],
)
def test_damaged_tables_of_scores(tmp_path, text, said):
    path = tmp_path / "scores.csv"
    path.write_text(text)
    with pytest.raises(UserError, match=said):
        load_judge(path)


def test_other_files_are_no_scores(tmp_path):
    (tmp_path / "scores.npz").write_bytes(b"PK nothing")
    with pytest.raises(FormatError, match=r"is no \.npz"):
        load_judge(tmp_path / "scores.npz")
    np.savez(tmp_path / "scores.npz", seed=np.asarray([{}], object), glasses=[1])
    with pytest.raises(FormatError, match=r"is no \.npz"):
        load_judge(tmp_path / "scores.npz")
    # Zeros that unpack a thousandfold are never made.
    np.savez_compressed(tmp_path / "scores.npz", seed=[1], glasses=np.zeros(2**24))
    with pytest.raises(FormatError, match="glasses unpacks from"):
        load_judge(tmp_path / "scores.npz")
    np.savez(tmp_path / "scores.npz", seed=[1], glasses=np.asarray([1j]))
    with pytest.raises(FormatError, match="glasses holds complex128"):
        load_judge(tmp_path / "scores.npz")
    np.savez(tmp_path / "scores.npz", seed=[1, 2], glasses=[1])
    with pytest.raises(UserError, match="2 seeds and glasses scores of another number"):
        load_judge(tmp_path / "scores.npz")
    with pytest.raises(UserError, match="is no file"):
        load_judge(tmp_path / "missing.csv")


@pytest.mark.slow
def test_parts_are_told_by_readers_and_functions(tmp_path):
    save_reader(tmp_path / "parts.safetensors", reader(parts=("hair", "rest")))
    segment = load_segment(tmp_path / "parts.safetensors")
    assert segment.names == ("hair", "rest") and segment(noise(2)).shape == (2, 8, 8, 2)
    assert load_segment("tests.labelled_pictures:noise") is noise
    save_reader(tmp_path / "plain.safetensors", reader())
    with pytest.raises(UserError, match=r"plain\.safetensors tells no parts of pictures"):
        load_segment(tmp_path / "plain.safetensors")


def test_a_table_cannot_judge_other_pictures(tmp_path):
    (tmp_path / "s.csv").write_text("seed,a\n1,0.5\n2,0.7\n")
    with pytest.raises(UserError, match="tells scores of seeds, but here other pictures"):
        load_picture_judge(tmp_path / "s.csv")
    assert load_picture_judge("tests.labelled_pictures:noise").judge is noise
