"""`aligned alignment`, `channels` and `related`: what is typed reaches the jobs."""

import json

import pytest

JUDGE = """
import numpy as np

def tone(images):
    return {"tone": images.mean((1, 2, 3)), "red": images[..., 0].mean((1, 2))}

def halves(images):
    parts = np.zeros((*images.shape[:3], 2), np.float32)
    parts[:, :4, :, 0] = parts[:, 4:, :, 1] = 1
    return parts

halves.names = ("top", "bottom")
broken = 3
"""


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "cache"))


@pytest.fixture(scope="module")
def functions(tmp_path_factory):
    file = tmp_path_factory.mktemp("functions") / "mine.py"
    file.write_text(JUDGE)
    return file


SMALL = ("--statistics", 100, "--seeds", "0-3")


@pytest.mark.slow
def test_alignment_from_one_command(ok, parent, child, functions, tmp_path):
    options = ("--judge", f"{functions}:tone", "--judged", 2, "--resamples", 3, "--no-torgb")
    names = ("--names", "old,new,control")
    out = tmp_path / "out"
    line = ("alignment", parent, child, "--control", child, *names, *options, *SMALL)
    said = ok(*line, "--out", out, "--network-key", "G")
    assert "new      nearest of all" in said and "(control)" in said
    document = json.loads((out / "alignment.json").read_text())
    assert document["torgb"] is False and document["meta"]["verb"] == "alignment"
    new, control = document["networks"]
    assert new["scores"] == control["scores"]
    assert set(new["slopes"]) == {"tone", "red"}
    averaged = tmp_path / "averaged"
    ok(*line, "--out", averaged, "--child-judge", f"{functions}:tone", "--strength", 2)
    other = json.loads((averaged / "alignment.json").read_text())
    assert other["strength"] == 2 and other["networks"][0]["scores"] != new["scores"]


@pytest.mark.slow
def test_channels_from_one_command(ok, parent, child, functions, tmp_path):
    def table(*options):
        said = ok("channels", parent, *options, *SMALL, "--out", tmp_path / "out", "--overwrite")
        assert "open index.html there" in said
        return json.loads((tmp_path / "out" / "channels.json").read_text())

    survey = table(child, "--top", 3)
    assert len(survey["channels"]) == 3 and len(survey["channels"][0]["effect"]) == 2
    assert survey["found"] == {"survey": "effect"}
    assert table("--by", "local", "--no-torgb")["found"] == {"survey": "local"}
    part = table("--segment", f"{functions}:halves", "--part", "bottom")
    assert part["found"]["part"] == "bottom"
    judged = table("--judge", f"{functions}:tone", "--attribute", "red", "--samples", 30)
    assert judged["found"]["attribute"] == "red" and judged["found"]["samples"] == 30
    few = table("--examples", "1,2,3,4,5,6,7,8,9,10")
    assert len(few["found"]["examples"]) == 10


def test_related_as_text_and_json(ok, parent, child, tmp_path):
    said = ok("related", parent, child, "--names", "old,new", "--out", tmp_path / "tree.json")
    assert said.startswith("old\n") and "new (cosine" in said
    assert json.loads((tmp_path / "tree.json").read_text())["tree"] == {"old": None, "new": "old"}
    raw = json.loads(ok("related", parent, child, "--json", "--network-key", "G"))
    averaged = json.loads(ok("related", parent, child, "--json"))
    assert raw["pairs"][0]["distance"] > averaged["pairs"][0]["distance"]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (("alignment", "P", "--out", "x"), "arguments are required: CHILD"),
        (("alignment", "P", "Q", "--judge", "mine", "--out", "x"), "FILE.py:FUNCTION"),
        (("alignment", "P", "Q", "--judge", "no.py:f", "--out", "x"), "no.py is no file"),
        (("alignment", "P", "Q", "--judge", "MINE:broken", "--out", "x"), "has tone, halves"),
        (("alignment", "P", "Q", "--judge", "no_such:f", "--out", "x"), "cannot be imported"),
        (("channels", "P", "--by", "size", "--out", "x"), "invalid choice"),
        (("channels", "P", "--top", "0", "--out", "x"), "whole number from 1"),
        (("related", "P"), "two or more"),
    ],
)
def test_bad_input(refused, parent, functions, line, message):
    names = {"P": str(parent), "Q": str(parent)}
    words = [names.get(word, word.replace("MINE", str(functions))) for word in line]
    assert message in refused(*words)


def test_what_would_be_ignored_is_refused(refused, tmp_path):
    for words, said in (
        (("--part", "hair"), "--part needs --segment or --masks"),
        (("--attribute", "hair=long"), "--attribute needs --judge"),
    ):
        assert said in refused("channels", "zoo:personas64", *words, "--out", tmp_path / "x")
    assert not (tmp_path / "x").exists()
