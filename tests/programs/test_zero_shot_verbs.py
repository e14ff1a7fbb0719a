"""`aligned label` and `aligned zero-shot`, once each, and their bad input."""

import csv
import json

import numpy as np
import pytest

from aligned_jax import jobs
from aligned_jax.semantics import Direction
from tests.jobs.small_inputs import JUDGE, noise_images, save_images

LABEL = ("--name", "bright", "--yes", "0-9", "--no", "10-19", "--pool", "0-29", "--batch", "30")
SHORT = ("--samples", "60", "--child-samples", "40", "--batch", "60")


@pytest.fixture(scope="module")
def labels(aligned, parent, tmp_path_factory):
    """A file of labels, and what was said of it."""
    path = tmp_path_factory.mktemp("labels") / "bright.json"
    result = aligned("label", parent, *LABEL, "--unclear", "29", "--out", path)
    assert result.code == 0 and result.err == ""
    return path, result.out


@pytest.fixture(scope="module")
def judge(tmp_path_factory):
    path = tmp_path_factory.mktemp("judge") / "own.py"
    path.write_text(JUDGE)
    return f"{path}:judge"


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    return save_images(tmp_path_factory.mktemp("pictures") / "p", noise_images(5))


def test_labels_from_lists(labels, parent):
    path, said = labels
    stored = jobs.read_labels(path)
    assert stored.answers.yes == tuple(range(10)) and stored.answers.unclear == (29,)
    assert "10 yes, 10 no, 1 unclear; AUC" in said and "would tell most: " in said
    assert json.loads(path.read_text())["command"].startswith("aligned label")


@pytest.mark.slow
@pytest.mark.parametrize(
    "option",
    [("--space", "s"), ("--psi", "0.5"), ("--pool", "0-39"), ("--suggest", "2"), ("--seed", "1"),
     ("--yes", "20-28"), ("--no", "11-19"), ("--unclear", "28"), ("--name", "x")],
)  # fmt: skip
def test_every_option_changes_the_labels(ok, labels, parent, tmp_path, option):
    ok("label", parent, *LABEL, *option, "--out", tmp_path / "x.json")
    before, after = (json.loads(p.read_text()) for p in (labels[0], tmp_path / "x.json"))
    for document in (before, after):
        del document["command"], document["arguments"]
    if option[0] != "--unclear":
        before["answers"]["unclear"] = after["answers"]["unclear"]
    assert before != after


def test_scores_alone(ok, parent, tmp_path):
    ok("label", parent, *LABEL, "--out", tmp_path / "x.csv")
    rows = list(csv.DictReader((tmp_path / "x.csv").read_text().splitlines()))
    assert len(rows) == 30 and rows[0].keys() == {"seed", "bright"}


def test_what_cannot_be_labelled(refused, parent, tmp_path):
    out = ("--out", tmp_path / "x.json")
    assert "single class" in refused("label", parent, "--name", "x", "--yes", "1-3", *out)
    assert "several answers" in refused("label", parent, *LABEL, "--unclear", "3", *out)
    assert "--port" in refused("label", parent, *LABEL, "--port", "80", *out)
    assert "NAME.csv" in refused("label", parent, *LABEL, "--out", tmp_path / "x.png")
    assert "not a list of seeds" in refused("label", parent, *LABEL, "--yes", "a", *out)
    assert not list(tmp_path.iterdir())


def test_classify_and_regress(ok, parent, child, pictures, judge, labels, tmp_path):
    networks = (parent, child, pictures, *SHORT)
    page = tmp_path / "x.html"
    said = ok("zero-shot", "classify", *networks, "--judge", judge, "--way",
              "latent,translate,paired", "--attributes", "bright", "--out", page)  # fmt: skip
    assert "5 pictures" in said and "neutral" in page.read_text()
    said = ok("zero-shot", "regress", *networks, "--judge", judge, "--out", tmp_path / "x.csv")
    rows = list(csv.DictReader((tmp_path / "x.csv").read_text().splitlines()))
    assert {row["name"] for row in rows} == {"bright", "yaw"} and len(rows) == 10
    ok("zero-shot", "classify", *networks, "--labels", labels[0], "--out", tmp_path / "x.json")
    document = json.loads((tmp_path / "x.json").read_text())
    values = [row["value"] for row in document["pictures"]]
    assert len(values) == 5 and np.ptp(values) > 0


def test_classify_by_directions(ok, refused, parent, child, pictures, tmp_path):
    vector = np.float32([1, 2, 0, -1, 0, 1]) / np.sqrt(np.float32(7))
    for name, sign in (("up", 1), ("down", -1)):
        found = Direction("w", {"w": sign * vector}, 0.7, "", 0.0)
        jobs.write_direction(tmp_path / f"{name}.npz", found)
    np.save(tmp_path / "alone.npy", vector)
    words = ("zero-shot", "classify", parent, child, pictures, *SHORT)
    up, down, alone = (("--direction", tmp_path / f) for f in ("up.npz", "down.npz", "alone.npy"))
    ok(*words, *up, *down, "--out", tmp_path / "x.csv")
    rows = list(csv.DictReader((tmp_path / "x.csv").read_text().splitlines()))
    values = {name: [float(row["value"]) for row in rows if row["name"] == name]
              for name in ("up", "down")}  # fmt: skip
    assert len(rows) == 10 and values["up"] == [-value for value in values["down"]]
    out = ("--out", tmp_path / "y.csv")
    assert "--method: of models that are fitted" in refused(*words, *up, "--method", "svm", *out)
    assert "in w, not in s" in refused(*words, *up, "--space", "s", *out)
    assert "does not say what space it is in" in refused(*words, *alone, *out)
    regress = ("zero-shot", "regress", *words[2:], *alone, *out)
    ok(*regress, "--space", "w")
    labels = (*words[:5], "--labels", "x.json", "--space", "w", "--method", "svm", *out)
    assert "--space and --method: of models" in refused(*labels, "--overwrite")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("task", "option"),
    [("classify", ("--method", "svm")), ("classify", ("--threshold", "prevalence")),
     ("regress", ("--as-it-is",)), ("regress", ("--method", "distance")),
     ("regress", ("--population", "pictures")), ("regress", ("--mirrored", "2")),
     ("regress", ("--both-sides",)),
     ("regress", ("--odd", "bright")), ("regress", ("--space", "s"))],
)  # fmt: skip
def test_options_change_results(ok, parent, child, pictures, judge, tmp_path, task, option):
    documents = []
    for number, more in enumerate(((), option)):
        out = tmp_path / f"{number}.json"
        ok("zero-shot", task, parent, child, pictures, *SHORT, "--judge", judge, *more,
           "--out", out)  # fmt: skip
        document = json.loads(out.read_text())
        documents.append((document["pictures"], document["readings"]))
    assert documents[0] != documents[1]


def test_bad_input(refused, parent, child, pictures, judge, labels, tmp_path):
    def said(*argv, task="classify", images=(pictures,)):
        out = ("--out", tmp_path / "x.html")
        return refused("zero-shot", task, parent, child, *images, *SHORT, *argv, *out)

    assert "does not know hat" in said("--judge", judge, "--attributes", "hat")
    assert "either pictures, or data" in said("--judge", judge, images=())
    assert "needs a judge" in said("--labels", labels[0], "--way", "translate")
    assert "NAME.json" in said("--labels", "x.csv")
    assert "one of the arguments --judge --labels" in said()
    assert "invalid choice" in said("--judge", judge, "--method", "svm", task="regress")
    assert "no such picture" in said("--judge", judge, images=(tmp_path / "none.png",))
    assert "--pixels: of the optimiser" in said("--judge", judge, "--pixels", "1")
    assert "is no judge" in said("--judge", "nobody")
    assert not list(tmp_path.iterdir())
