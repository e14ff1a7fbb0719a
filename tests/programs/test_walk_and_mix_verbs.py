"""`aligned walk` and `aligned mix`: run, refused, and warned of what changes nothing."""

import argparse
import re

import numpy as np
import pytest
from PIL import Image

from aligned_jax import jobs
from aligned_jax.tools import mix, walk

WALK = ("--seeds", "3,5,4,7", "--frames", 2, "--psi", 0.7)
MIX = ("--rows", "3", "--columns", "4,7", "--layers", "0-1", "--psi", 0.7)


@pytest.fixture
def asked(aligned, monkeypatch, tmp_path):
    """asked(verb, ...) -> what its job was called with; nothing is drawn."""

    def call(verb, *argv):
        given = []

        def job(*args, **options):
            given.extend((args, options))
            raise KeyboardInterrupt

        monkeypatch.setattr(jobs, verb, job, raising=False)
        assert aligned(verb, *argv).code == 130
        return given

    return call


def test_a_walk(ok, parent, tmp_path):
    out = tmp_path / "x.webp"
    said = ok("walk", parent, *WALK, "--grid", "2x1", "--fps", 4, "--scale", 3, "--out", out)
    assert said.startswith(f"wrote {out}: 4 frames, 1.0 s, lossy; ")
    with Image.open(out) as image:
        assert image.n_frames == 4 and image.size == (48, 24)
        assert image.getexif()[0x010E].startswith("aligned walk ")


def test_every_option_of_a_walk_reaches_the_job(asked, tmp_path):
    plain = asked("walk", "N", "--out", "x.webp")
    options = {
        "--seeds": ("0-3", "seeds", "0-3"), "--frames": (7, "frames", 7),
        "--psi": (0.5, "psi", 0.5), "--path": ("circle", "path", "circle"),
        "--animate": ("psi=0,1", "animate", ["psi=0,1"]),
        "--curve-file": ("F.csv", "curve_file", "F.csv"), "--child": ("C", "child", "C"),
        "--smooth": (2, "smooth", 2), "--layer": ("b8/conv1", "layer", "b8/conv1"),
        "--cutoff": (3, "cutoff", 3), "--centre": ("5", "centre", "5"), "--mix": ("9", "mix", "9"),
        "--mix-layers": ("0-1", "mix_layers", "0-1"), "--lossless": (None, "lossless", True),
        "--grid": ("3x2", "grid", (3, 2)), "--space": ("z", "space", "z"),
        "--curve": ("linear", "curve", "linear"), "--no-loop": (None, "loop", False),
        "--fps": (9, "fps", 9), "--scale": (2, "scale", 2), "--label": (1, "label", 1),
        "--noise": ("none", "noise", "none"), "--noise-seed": (4, "noise_seed", 4),
        "--batch": (2, "batch", 2), "--network-key": ("G", "network_key", "G"),
        "--overwrite": (None, "overwrite", True),
    }  # fmt: skip
    assert plain[0] == ("N",)
    for option, (word, name, value) in options.items():
        words = (option,) if word is None else (option, word)
        changed = asked("walk", "N", "--out", "x.webp", *words)[1]
        assert changed == plain[1] | {name: value} and plain[1][name] != value
    parser = argparse.ArgumentParser()
    walk.add_arguments(parser)
    there = {text for action in parser._actions for text in action.option_strings}
    assert there == {*options, "--out", "--help", "-h"}


def test_a_walk_that_cannot_be(refused, aligned, parent, tmp_path):
    out = ("--out", tmp_path / "x.webp")
    assert "is not like 3x2" in refused("walk", parent, *out, "--grid", "0x2")
    assert "1 seed: a walk" in refused("walk", parent, *out, "--seeds", 4)
    assert "leave --curve out" in refused("walk", parent, *out, "--space", "z", "--curve", "linear")
    assert "NAME.gif, or a folder" in refused("walk", parent, "--out", tmp_path / "x.png")
    assert not (tmp_path / "x.webp").exists()
    found = aligned("walk", parent, *WALK, "--noise-seed", 3, *out)
    assert (found.code, found.err) == (
        0,
        "warning: --noise-seed changes nothing: noise is const\n",
    )
    assert "already exists" in refused("walk", parent, *out)


def test_what_moves_besides(ok, refused, parent, child, tmp_path):
    (tmp_path / "f.csv").write_text("psi,place\n0.3,0\n0.5,0.5\n0.7,1\n")
    line = ("walk", parent, "--seeds", "3,5", "--child", child, "--batch", 1)
    moving = (
        "--animate",
        "t2=0,1",
        "--curve-file",
        tmp_path / "f.csv",
        "--out",
        tmp_path / "film/",
    )
    assert ok(*line, *moving, "--no-loop") == f"wrote {tmp_path}/film: 3 frames, 0.1 s\n"
    film = jobs.walk(parent, "3,5", child=child, animate={"t2": [0, 1]}, loop=False, batch=1,
                     curve_file={"psi": [0.3, 0.5, 0.7], "place": [0, 0.5, 1]})  # fmt: skip
    for number, frame in enumerate(film):
        with Image.open(tmp_path / "film" / f"frame{number:05d}.png") as picture:
            np.testing.assert_array_equal(np.asarray(picture), frame)
    told = refused(*line, "--animate", "psy=1", "--animate", "t2=0,x", "--out", tmp_path / "y.gif")
    assert "t2: 'x' is no finite number" in told and "nothing that moves: psy; there are" in told
    told = refused(*line, "--animate", "psy=1", "--animate", "pis=2", "--out", tmp_path / "y.gif")
    assert "nothing that moves: psy, pis; there are psi, t1, t2, swap, place" in told
    (tmp_path / "bad.csv").write_text("psy,psi\n1,x\n")
    bad = ("--curve-file", tmp_path / "bad.csv", "--out", tmp_path / "y.gif")
    told = refused("walk", parent, "--seeds", "3,5", *bad)
    assert "nothing that moves: psy" in told and "line 2, psi: 'x'" in told
    told = refused(*line, "--curve", "f.csv", "--out", tmp_path / "y.gif")
    assert "A file of numbers is --curve-file" in told


def test_a_mix(ok, aligned, parent, tmp_path):
    out = tmp_path / "x.png"
    assert ok("mix", parent, *MIX, "--out", out) == f"wrote {out}: 2 rows, 3 columns\n"
    sheet = jobs.mix(parent, "3", "4,7", "0-1", psi=0.7)
    with Image.open(out) as image:
        np.testing.assert_array_equal(np.asarray(image), sheet.picture())
        assert image.text["Comment"].startswith("aligned mix ")
    found = aligned("mix", parent, *MIX, "--noise-seed", 3, "--out", tmp_path / "x.html")
    assert (found.code, found.err) == (
        0,
        "warning: --noise-seed changes nothing: noise is const\n",
    )
    page = (tmp_path / "x.html").read_text()
    assert page.count("<img") == 5 and 'alt="seed 3, seed 7"' in page and 'alt="seed 3"' in page
    assert re.search("layers of the columns</td><td[^>]*>0, 1<", page)


def test_every_option_of_a_mix_reaches_the_job(asked):
    needed = ("--rows", "3", "--columns", "4")
    plain = asked("mix", "N", *needed, "--out", "x.png")
    assert plain[0] == ("N", "3", "4", None)
    options = {
        "--psi": (0.5, "psi", 0.5), "--label": (1, "label", 1),
        "--noise": ("none", "noise", "none"), "--noise-seed": (4, "noise_seed", 4),
        "--batch": (2, "batch", 2), "--network-key": ("G", "network_key", "G"),
        "--overwrite": (None, "overwrite", True),
    }  # fmt: skip
    for option, (word, name, value) in options.items():
        words = (option,) if word is None else (option, word)
        changed = asked("mix", "N", *needed, "--out", "x.png", *words)[1]
        assert changed == plain[1] | {name: value} and plain[1][name] != value
    assert asked("mix", "N", *needed, "--out", "x.png", "--layers", "2")[0][3] == "2"
    parser = argparse.ArgumentParser()
    mix.add_arguments(parser)
    there = {text for action in parser._actions for text in action.option_strings}
    assert there == {*options, "--rows", "--columns", "--layers", "--out", "--help", "-h"}


def test_a_mix_that_cannot_be(refused, parent, tmp_path):
    out = ("--out", tmp_path / "x.png")
    assert "this network has rows 0 to 3" in refused(
        "mix", parent, *MIX[:4], "--layers", "0-6", *out
    )
    assert "not a list of seeds" in refused("mix", parent, "--rows", "a", "--columns", 1, *out)
    assert "NAME.png or NAME.html" in refused("mix", parent, *MIX, "--out", tmp_path / "x.npz")
    assert "--columns" in refused("mix", parent, "--rows", 3, *out)
    assert not (tmp_path / "x.png").exists()
