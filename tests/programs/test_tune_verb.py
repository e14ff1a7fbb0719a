"""`aligned invert --tune`, and its deltas wherever a NETWORK is taken."""

import dataclasses
import json
from types import SimpleNamespace

import numpy as np
import pytest

from aligned_jax.cli import inversion_options
from aligned_jax.data.opening import pixels_of
from aligned_jax.inversion import TuningSettings
from aligned_jax.jobs import TuneOptions
from aligned_jax.tools import main
from aligned_jax.viewer.serving import ViewOptions, open_session
from aligned_jax.viewer.state import read_state

QUICK = ("--perceptual", "none", "--pixels", 1, "--steps", 2, "--samples", 20)
TUNE = ("--tune", "--tune-perceptual", "none", "--tune-steps", 4, "--tune-rate", 0.02)


def parsed(*options):
    return main.ALIGNED.parser("invert").parse_args(["network", "image", "--out", "out", *options])


def test_every_option_changes_the_tuning():
    plain = inversion_options.tuning(parsed("--tune"))
    assert plain == TuneOptions() and inversion_options.tuning(parsed()) is None
    assert inversion_options.tuning(parsed("--tune-together")) == TuneOptions(together=True)
    for option, value, field in (
        ("steps", 7, "steps"),
        ("rate", 0.1, "learning_rate"),
        ("until", 0.0, "until"),
        ("pixels", 0.5, "pixel_weight"),
        ("regulariser", "locality", "regulariser"),
        ("perceptual", "vgg", "perceptual"),
        ("rank", 3, "rank"),
        ("dtype", "float32", "dtype"),
    ):
        found = inversion_options.tuning(parsed("--tune", f"--tune-{option}", str(value)))
        if hasattr(plain.settings, field):
            expected = TuneOptions(dataclasses.replace(TuningSettings(), **{field: value}))
        else:
            expected = TuneOptions(**{field: value})
        assert found == expected != plain, option


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--tune-steps", 3, "--tune-rank", 2), "--tune-rank, --tune-steps: nothing is tuned with"),
        (("--tune", "--tune-together"), "not allowed with argument --tune"),
        (("--tune", "--tune-rank", 0), "--tune-rank"),
        (("--tune", "--tune-rate", -1), "learning_rate of tuning is -1.0; it must be finite"),
        (("--tune", "--space", "z"), "--space is 'z'; a network is tuned at latents in w or w+"),
        (("--tune", "--noise", "keep"), "--noise is 'keep'; a network is tuned with its stored"),
    ],
)
def test_what_contradicts_itself_is_refused(options, said, aligned, child, photos, tmp_path):
    quick = QUICK[:-2] if "z" in options else QUICK
    result = aligned("invert", child, photos, *quick, *options, "--out", tmp_path / "out")
    assert result.code == 2 and said in result.err and "Traceback" not in result.err
    assert not (tmp_path / "out").exists()


@pytest.fixture(scope="module")
def tuned(aligned, child, tmp_path_factory):
    """A folder with one.npz and one.safetensors, and what the program said."""
    from PIL import Image

    place = tmp_path_factory.mktemp("tuned")
    pixels = np.random.RandomState(0).randint(0, 256, (8, 8, 3)).astype(np.uint8)
    Image.fromarray(pixels).save(place / "one.png")
    out = place / "out"
    done = aligned("invert", child, place / "one.png", *QUICK, *TUNE, "--out", out)
    assert done.code == 0, done.err
    return out, done


def test_it_says_what_it_has_done(tuned, child):
    out, done = tuned
    assert done.err == ""
    size = (out / "one.safetensors").stat().st_size
    line, mean, last = done.out.splitlines()
    assert line.startswith("one ") and mean.startswith("mean ")
    assert line.endswith(f"4 steps, {size:,} bytes") and "tuned: pixels 0." in line
    assert last == f"wrote {out}: 1 image inverted in w and tuned"
    row = json.loads((out / "inversions.json").read_text())["images"][0]["tuned"]
    assert row["pixel"] < row["before"]["pixel"]


def test_pictures_that_are_near_are_named(capsys):
    class Near:
        steps = 0

    class Results:
        images = [type("Image", (), {"tuned": Near})] * 2

    inversion_options.warn_untuned(SimpleNamespace(tune_steps=None), Results)
    said = capsys.readouterr().err
    assert said.startswith("warning: 2 of 2 pictures were nearer than --tune-until")
    inversion_options.warn_untuned(SimpleNamespace(tune_steps=0), Results)  # as it was asked
    Near.steps = 1
    inversion_options.warn_untuned(SimpleNamespace(tune_steps=None), Results)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--tune-until", "0.1"], "--tune-until is an LPIPS, and --tune-perceptual none computes"),
        (["--tune-pixels", "0"], "the tuning compares nothing; give --tune-pixels"),
    ],
)
def test_a_tuning_that_compares_nothing(refused, child, tmp_path, words, message):
    line = ("invert", child, tmp_path, *QUICK, "--tune", "--tune-perceptual", "none", *words)
    assert message in refused(*line, "--out", tmp_path / "out")


def test_a_delta_is_a_network(tuned, images, ok, child, tmp_path):
    out, _ = tuned
    delta, latent = out / "one.safetensors", out / "one.npz"
    before, after = (images(one, "--latents", latent)[0] for one in (child, delta))
    assert (before != after).any()
    assert (images(f"{child}+{delta}", "--latents", latent)[0] == after).all()
    said = ok("info", delta)
    assert "8 px RGB generator" in said and str(child) in said
    ok("export", delta, tmp_path / "whole.safetensors")
    assert (images(tmp_path / "whole.safetensors", "--latents", latent)[0] == after).all()
    # What was learned of the picture goes to another network of the family.
    line = "other + (tuned - base)"
    names = (f"other={child}", f"tuned={delta}", f"base={child}")
    ok("arithmetic", line, *names, "--out", tmp_path / "sum")
    np.testing.assert_allclose(images(tmp_path / "sum", "--latents", latent)[0], after, atol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize(
    "line",
    [
        "translate D C --seeds 0 --out O.png",
        "translate C D --latents L --out O.png",
        "morph D C 1 2 --grid 2x2 --out O.png",
        "edit D --channel 1_1 --strength 2 --latents L --out O.png",
        "family C D --seeds 0 --out O.png",
        "mix D --rows 0 --columns 1 --out O.png",
    ],
)
def test_every_verb_takes_a_delta(line, tuned, aligned, child, tmp_path):
    out = tuned[0]
    given = {"D": out / "one.safetensors", "C": child, "L": out / "one.npz"}
    given["O.png"] = tmp_path / "O.png"
    done = aligned(*(given.get(word, word) for word in line.split()))
    assert done.code == 0, done.err
    assert (tmp_path / "O.png").exists()


def test_deltas_that_do_not_fit_are_refused(tuned, refused, parent, child, photos, tmp_path):
    delta = tuned[0] / "one.safetensors"
    drawn = ("--seeds", 0, "--out", tmp_path / "x.png")
    assert "is another network" in refused("generate", f"{parent}+{delta}", *drawn)
    damaged = tmp_path / "damaged.safetensors"
    damaged.write_bytes(delta.read_bytes()[:-3])
    assert "damaged.safetensors" in refused("generate", damaged, *drawn)
    said = refused("invert", child, photos, "--encoder", delta, "--out", tmp_path / "out")
    assert "has no network 'E'; it has G_ema" in said
    said = refused("convert", delta, tmp_path / "folder")
    assert "the delta of a tuned network" in said
    assert not [path for path in tmp_path.iterdir() if path.name not in ("photos", damaged.name)]


def test_the_live_page_takes_a_delta(tuned, child):
    """The tuned network is a row of its own; in it, the seed looks as the delta makes it."""
    delta = str(tuned[0] / "one.safetensors")
    engine = open_session([delta, str(child)], ViewOptions(samples=20)).engine
    cells = list(engine.cells(engine.scene(read_state({"seeds": [0]}))))
    assert [cell.error for cell in cells] == [""] * len(cells)
    pixels = [pixels_of(cell.png) for cell in cells]
    assert any((image != pixels[0]).any() for image in pixels[1:])
