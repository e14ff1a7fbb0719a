"""Command lines of `aligned directions` and `aligned edit` that cannot be meant."""

import pytest


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--out", "x"), "give either --judge, or both --positive and --negative"),
        (("--positive", "0-9", "--out", "x.npz"), "give either --judge, or both"),
        (("--judge", "s.csv", "--positive", "0", "--negative", "1", "--out", "x"), "give either"),
        (("--positive", "0", "--negative", "1", "--tails", "all", "--out", "x.npz"),
         "--tails can only be used together with --judge"),
        (("--positive", "0", "--negative", "1", "--out", "x"), "is written to NAME.npz"),
        (("--judge", "s.csv", "--out", "x.npz"), "NAME.npz holds one direction"),
        (("--judge", "s.csv", "--steps", 5, "--out", "x"), "there are no pictures to invert"),
        (("--judge", "s.csv", "--out", "x"), "s.csv is no file"),
        (("--judge", "s.csv", "--layers", "x", "--out", "x"), "not a list of layers: 'x'"),
        (("--judge", "s.csv", "--tails", "some", "--out", "x"), "'some' is not a finite number"),
        (("--judge", "s.csv", "--threshold", "x", "--out", "x"), "'x' is not a finite number"),
        (("--judge", "s.csv", "--torgb", "--out", "x"), "toRGB is a matter of space s"),
    ],
)  # fmt: skip
def test_what_find_refuses(refused, parent, tmp_path, monkeypatch, words, message):
    monkeypatch.chdir(tmp_path)
    assert message in refused("directions", "find", parent, *words)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "find|pca|sefa|text|show"),
        (("pca",), "NETWORK"),
        (("show", "x.npz"), "x.npz: no such file"),
        (("sefa", "n.pkl"), "--out"),
    ],
)
def test_what_the_others_refuse(refused, tmp_path, monkeypatch, words, message):
    monkeypatch.chdir(tmp_path)
    assert message in refused("directions", *words)


def test_folders_that_are_taken(refused, parent, tmp_path):
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "file").touch()
    for words in (("pca", parent), ("sefa", parent), ("find", parent, "--judge", "s.csv")):
        assert "is not empty" in refused("directions", *words, "--out", tmp_path / "taken")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ("--edit", "2_2", "--seeds", 0, "--latents", "x.npz"),
            "one of --seeds, --latents, --pictures and --film",
        ),
        (
            ("--edit", "2_2", "--latents", "x.npz", "--pictures", "x.png"),
            "one of --seeds, --latents",
        ),
        (("--edit", "2_2", "--latents", "x.png"), "x.png: no file of latents"),
        (("--edit", "2_2", "--pictures", "none.png"), "no such picture"),
        (("--edit", "2_2", "--pictures", "p", "--encoder", "e", "--steps", 2), "--steps cannot be"),
        (("--edit", "2_2", "--mask", "hair"), "(--reader)"),
        (("--edit", "2_2", "--reader", "zoo:people-reader"), "--reader finds the parts"),
        (("--edit", "2_2", "--frames", 5), "--frames: of films, such as --out NAME.webp"),
        (("--edit", "2_2", "--rise", 1), "--rise can only be used together with --strength auto"),
        (("--edit", "2_2", "--by", "--to"), "not allowed with"),
        (("--edit", "2_2", "--strength", "x"), "'x' is not a finite number"),
        (("--edit", "2_2", "--judge", "a.py:b"), "are for the strength auto"),
        (("--edit", "x.npz"), "x.npz: no such file"),
        (("--recipe", "x.json"), "x.json: no such file"),
        (("--edit", "2_2", "--mask", "x.png"), "x.png: no such file"),
    ],
)
def test_what_edit_refuses(refused, parent, tmp_path, monkeypatch, words, message):
    monkeypatch.chdir(tmp_path)
    assert message in refused("edit", parent, *words, "--out", "e.png")
    assert list(tmp_path.iterdir()) == []


def test_a_recipe_is_not_written_over(refused, parent, tmp_path):
    (tmp_path / "e.json").write_text("{}")
    said = refused("edit", parent, "--edit", "2_2", "--out", tmp_path / "e.png")
    assert "e.json already exists" in said
    film = ("--edit", "2_2", "--columns", 3, "--out", tmp_path / "e.webp")
    assert "--columns is of pictures and pages" in refused("edit", parent, *film)
    said = refused(
        "translate", parent, parent, "--seeds", 0, "--edit-in", "child", "--out", "x.png"
    )
    assert "--edit-in can only be used together with --edit" in said
