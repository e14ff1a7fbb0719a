"""`aligned attributes` and `aligned generate --where`, once each on tiny data, and bad input."""

import json

import numpy as np
import pytest
from PIL import Image

from aligned_jax.features.attributes import load
from aligned_jax.features.attributes.file import save_reader
from tests.labelled_pictures import reader, save_table


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    return save_table(tmp_path_factory.mktemp("labelled"), 40)


@pytest.fixture(scope="module")
def known(tmp_path_factory):
    path = tmp_path_factory.mktemp("readers") / "r.safetensors"
    save_reader(path, reader())
    return path


def test_training_shows_its_card_and_reads(ok, table, tmp_path):
    out = tmp_path / "r.safetensors"
    words = ["attributes", "train", "--data", table, "--resolution", 8, "--epochs", 1]
    told = ok(*words, "--batch", 16, "--attributes", "glasses,yaw", "--half", "--out", out)
    assert "32 pictures to train, 4 pictures to calibrate" in told
    assert ok("attributes", "show", out) in told
    document = json.loads(ok("attributes", "show", out, "--json"))
    assert document["command"].endswith(f"--half --out {out}")
    assert document["judges"] == ["glasses", "yaw"] == [h.name for h in load(out).heads]
    assert document["training"]["batch"] == 16
    assert "glasses" in ok("attributes", "read", out, table.parent / "0000.png")


# Each option, and where it arrives.
OPTIONS = {
    ("--images", "D"): ("images", "D"),
    ("--attributes", "a, b"): ("attributes", ["a", "b"]),
    ("--kind", "a=b=number"): ("kinds", {"a=b": "number"}),
    ("--odd", "a"): ("odd", ["a"]),
    ("--split", "test"): ("split", "test"),
    ("--resolution", "32"): ("resolution", 32),
    ("--num", "7"): ("num", 7),
    ("--held-out", "0.5"): ("held_out", 0.5),
    ("--no-mirror",): ("mirror", False),
    ("--half",): ("half", True),
    ("--skip-bad",): ("skip_bad", True),
    ("--overwrite",): ("overwrite", True),
    ("--epochs", "3"): ("training.epochs", 3),
    ("--batch", "5"): ("training.batch", 5),
    ("--learning-rate", "0.1"): ("training.learning_rate", 0.1),
    ("--seed", "9"): ("training.seed", 9),
    ("--no-flip",): ("training.flip", False),
    ("--no-augment",): ("training.augment", False),
}


@pytest.mark.parametrize("words", OPTIONS, ids=lambda words: words[0])
def test_every_option_of_training_arrives(aligned, monkeypatch, words, tmp_path):
    from aligned_jax import jobs
    from aligned_jax.errors import UserError

    seen = {}

    def train(data, **options):
        seen.update(options, **{f"training.{k}": v for k, v in vars(options["training"]).items()})
        raise UserError("enough")

    monkeypatch.setattr(jobs, "train_attributes", train)
    line = ("attributes", "train", "--data", "D", "--out", tmp_path / "r.safetensors")
    aligned(*line)
    name, value = OPTIONS[words]
    assert seen[name] != value
    assert aligned(*line, *words).err == "aligned attributes: enough\n"
    assert seen[name] == value


PARTS_OPTIONS = {
    ("--masks", "M"): ("masks", "M"),
    ("--names", "a, b"): ("names", ["a", "b"]),
    ("--num", "7"): ("num", 7),
    ("--epochs", "3"): ("training.epochs", 3),
    ("--batch", "5"): ("training.batch", 5),
    ("--learning-rate", "0.1"): ("training.learning_rate", 0.1),
    ("--seed", "9"): ("training.seed", 9),
    ("--no-flip",): ("training.flip", False),
    ("--no-augment",): ("training.augment", False),
    ("--half",): ("half", True),
    ("--overwrite",): ("overwrite", True),
}


@pytest.mark.parametrize("words", PARTS_OPTIONS, ids=lambda words: words[0])
def test_every_option_of_parts_arrives(aligned, monkeypatch, words, tmp_path):
    from aligned_jax import jobs
    from aligned_jax.errors import UserError

    seen = {}

    def teach(reader, data, **options):
        seen.update(options, **{f"training.{k}": v for k, v in vars(options["training"]).items()})
        raise UserError(f"{reader} and {data}")

    monkeypatch.setattr(jobs, "teach_parts", teach)
    line = ("attributes", "parts", "R", "--data", "D", "--out", tmp_path / "r.safetensors")
    aligned(*line)
    name, value = PARTS_OPTIONS[words]
    assert seen[name] != value
    assert aligned(*line, *words).err == "aligned attributes: R and D\n"
    assert seen[name] == value


@pytest.mark.slow
def test_reading_writes_pictures_and_scores(ok, known, parent, tmp_path):
    words = ["attributes", "read", known, parent, "--seeds", "0-7"]
    told = ok(*words, "--out", tmp_path / "read.png")
    assert told.count("\n") == 9 and told.splitlines()[1].startswith("seed 0")
    with Image.open(tmp_path / "read.png") as image:
        assert image.height > 2 * 112
    ok(*words, "--psi", 0.5, "--out", tmp_path / "half.npz")
    ok(*words, "--out", tmp_path / "full.npz")
    with np.load(tmp_path / "half.npz") as half, np.load(tmp_path / "full.npz") as full:
        assert full["seed"].tolist() == list(range(8))
        assert (half["yaw"] != full["yaw"]).any()
    document = json.loads(ok(*words, "--json"))
    assert len(document["pictures"]) == 8 and document["command"].startswith("aligned attributes")


def test_bad_input_of_reading(refused, known, parent, tmp_path):
    assert "is no file" in refused("attributes", "read", tmp_path / "no", parent)
    assert "no picture can be used" in refused("attributes", "read", known, parent)
    assert "one NETWORK, 2 were" in refused("attributes", "read", known, "a", "b", "--seeds", "0")
    assert "give --seeds too" in refused("attributes", "read", known, parent, "--psi", 0.5)
    said = refused("attributes", "read", known, parent, "--seeds", "0", "--out", "x.txt")
    assert "readings are written to" in said
    line = ("attributes", "train", "--data", "D", "--out", tmp_path / "r", "--kind", "age")
    assert "--kind age: write ATTRIBUTE=KIND" in refused(*line)
    assert "does not exist" in refused(*line[:-2])


def test_seeds_that_a_reader_accepts(ok, known, parent, tmp_path):
    scores = tmp_path / "scores.csv"
    ok("attributes", "read", known, parent, "--seeds", "0-31", "--out", scores)
    rows = [line.split(",") for line in scores.read_text().splitlines()]
    place = rows[0].index("age")
    ages = {int(row[0]): float(row[place]) for row in rows[1:]}
    middle = sorted(ages.values())[16]
    fine = [seed for seed, age in ages.items() if age > middle][:4]
    where = ["--where", f"age>{middle + 1e-3}", "--count", 4]
    for judge in (known, scores):
        out = tmp_path / f"{judge.stem}.npz"
        told = ok("generate", parent, *where, "--judge", judge, "--tries", 32, "--out", out)
        with np.load(out) as file:
            document = json.loads(str(file["meta_json"]))
            assert len(file["images"]) == 4
        assert document["images"] == [f"seed {seed}" for seed in fine]
        assert document["where"]["accepted"] == 4 and document["where"]["judge"] == str(judge)
        assert len(document["where"]["judge_sha256"]) == 64
        assert f"accepted 4 of {document['where']['tried']} seeds tried" in told
    told = ok("generate", parent, *where[:2], "--judge", known, "--seeds", "0-31",
              "--out", tmp_path / "all.png")  # fmt: skip
    assert f"accepted {sum(age > middle + 1e-3 for age in ages.values())} of 32 seeds" in told


def test_bad_input_of_where(refused, known, parent, tmp_path):
    line = ["generate", parent, "--out", tmp_path / "x.png"]
    where = ["--where", "age>1000", "--judge", known]
    assert "of 8 seeds 0 fulfil age>1000" in refused(*line, *where, "--tries", 8)
    assert "does not know hat; it knows glasses" in refused(
        *line, "--where", "hat", "--judge", known
    )
    assert "--judge, --count, --tries without --where" in refused(
        *line, "--seeds", "0", "--judge", known, "--count", 1, "--tries", 9
    )
    assert "--where needs --judge" in refused(*line, *where[:2])
    assert "leave out --latents" in refused(*line, *where, "--latents", "z.npz")
    assert "give either --seeds" in refused(*line, *where, "--seeds", "0", "--tries", 8)
    assert "a condition is NAME>0.8" in refused(*line, "--where", ">", "--judge", known)
    assert not (tmp_path / "x.png").exists()
