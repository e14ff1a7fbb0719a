"""`aligned invert` that is stopped, and goes on."""

import json

import numpy as np
import pytest
from PIL import Image

from aligned_jax import inversion
from aligned_jax.jobs.inversion import run as inversions

QUICK = ("--perceptual", "none", "--pixels", 1, "--steps", 4, "--samples", 20)


def picture(path, seed):
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.RandomState(seed).randint(0, 256, (8, 8, 3))
    Image.fromarray(pixels.astype(np.uint8)).save(path)


@pytest.fixture
def inverted(monkeypatch):
    """How many images were inverted in all."""
    parts, counted = inversion.parts, []

    def noted(network, images, *rest, **options):
        counted.append(len(images))
        return parts(network, images, *rest, **options)

    monkeypatch.setattr(inversion, "parts", noted)
    return counted


@pytest.fixture
def stopped(aligned, child, tmp_path, monkeypatch):
    """stopped(SIGNAL) -> a command line that was stopped after two of four images."""

    def run(stop, *options):
        for number in range(4):
            picture(tmp_path / "photos" / f"{number}.png", number)
        line = ("invert", child, tmp_path / "photos", *QUICK, *options, "--out", tmp_path / "out")
        keep = inversions.InversionRun.keep

        def some(run, part, index, number):
            if number == 2:
                raise stop
            return keep(run, part, index, number)

        with monkeypatch.context() as patch:
            patch.setattr(inversions.InversionRun, "keep", some)
            if stop is SystemExit:
                with pytest.raises(SystemExit):
                    aligned(*line)
            else:
                result = aligned(*line)
                said = "warning: stopped after 2 of 4 images; the same command goes on from there"
                assert (result.code, result.err) == (130, f"{said}\ninterrupted\n")
        return line

    return run


def names(out):
    document = json.loads((out / "inversions.json").read_text())
    return document["finished"], [row["name"] for row in document["images"]]


@pytest.mark.parametrize("stop", [KeyboardInterrupt, SystemExit])
def test_a_stopped_run_goes_on(stopped, stop, ok, refused, child, tmp_path, inverted):
    line, out, once = stopped(stop, "--video"), tmp_path / "out", tmp_path / "once"
    assert names(out) == (False, ["0", "1"])
    assert (out / "index.html").read_text().count("<polyline") == 2
    before = {path: path.stat().st_mtime_ns for path in out.glob("[01].*")}
    assert len(before) == 6
    said = ok(*line)
    assert said.splitlines()[-1] == f"wrote {out}: 4 images inverted in w"
    assert inverted == [4, 2]
    assert {path: path.stat().st_mtime_ns for path in out.glob("[01].*")} == before
    assert names(out) == (True, ["0", "1", "2", "3"])
    # All is as if nothing had happened.
    ok(*line[:-1], once)
    for number in range(4):
        with np.load(out / f"{number}.npz") as one, np.load(once / f"{number}.npz") as other:
            assert one["ws"].tobytes() == other["ws"].tobytes()
        assert (out / f"{number}.webp").read_bytes() == (once / f"{number}.webp").read_bytes()
    pages = [(folder / "index.html").read_text() for folder in (out, once)]
    assert pages[0] == pages[1].replace(str(once), str(out))
    assert "is not empty" in refused(*line)


def test_what_has_changed_is_done_again(stopped, ok, refused, tmp_path, inverted):
    line, out = stopped(KeyboardInterrupt), tmp_path / "out"
    assert "is not empty" in refused(*line, "--seed", 1)
    picture(tmp_path / "photos" / "0.png", 7)
    (out / "1.png").write_bytes(b"damaged")
    ok(*line)
    assert inverted == [4, 4] and names(out)[0]


def test_overwriting_goes_on_too_and_begins_anew_afterwards(stopped, ok, inverted):
    line = stopped(KeyboardInterrupt, "--overwrite")
    ok(*line)
    ok(*line)
    assert inverted == [4, 2, 4]


def test_a_run_that_had_all_images_only_has_to_say_so(stopped, ok, tmp_path, inverted):
    line, out = stopped(KeyboardInterrupt), tmp_path / "out"
    ok(*line)
    document = json.loads((out / "inversions.json").read_text())
    (out / "inversions.json").write_text(json.dumps(document | {"finished": False}))
    (out / "index.html").unlink()
    ok(*line)
    assert inverted == [4, 2] and names(out)[0] and (out / "index.html").exists()
