"""The study of recovery: truths are found, cosines know them, and options count."""

import functools
import json
import shlex

import jax
import numpy as np
import pytest

import aligned_jax as aj
from aligned_jax import features, inversion
from aligned_jax.networks import init_variables
from benchmarks.reporting import markdown
from studies import recovery, same_bits
from studies.known_latents import Recovered, Truth
from studies.likeness import rmse
from studies.tables import named, spaces
from tests.networks.small_encoder import ENCODER, GENERATOR, filled, provenance_of
from tests.standins import Nearness

SPACES = ("z", "z+", "w", "w+", "s")


@pytest.fixture
def files(tmp_path, monkeypatch):
    """Folders of a generator and of an encoder for it, and LPIPS that needs no weights."""
    monkeypatch.setattr(features, "lpips", lambda net: Nearness())
    generator = network()
    aj.save(tmp_path / "G", generator)
    whose = {"generator": provenance_of("parent", generator)}
    encoder = aj.EncoderNetwork(ENCODER, filled(ENCODER, 1), whose)
    aj.save(tmp_path / "E", encoder, encoder.provenance)
    return tmp_path


@functools.cache
def network(config=GENERATOR):
    made = aj.Network(config, init_variables(config, jax.random.key(0)))
    made.variables["stats"]["mapping"]["w_avg"] += 0.3
    for block in made.variables["params"]["synthesis"].values():
        for name in block.keys() & {"conv0", "conv1"}:
            block[name]["noise_strength"] += 0.3  # noise of untrained networks has no effect
    return made


def run(files, *options):
    out = files / "out"
    sizes = ["--images", "2", "--steps", "4", "--check-steps", "4", "--out", str(out)]
    line = ["--network", str(files / "G"), *sizes, *options]
    recovery.main(line)
    document = json.loads((out / "recovery.json").read_text())
    assert document["command"] == shlex.join(["python", "-m", "studies.recovery", *line])
    return document


@pytest.mark.slow
def test_every_space_has_its_row(files, capsys):
    document = run(files, "--encoder", f"mine={files / 'E'}")
    rows = [(row["latents"], row["space"]) for row in document["rows"]]
    spaces_ = [("optimised", space) for space in SPACES]
    assert rows == [*spaces_, ("mine", "w+"), ("optimised from mine", "w+")]
    for row in document["rows"]:
        assert -1 <= row["cosine"] <= 1 and row["LPIPS-VGG"] >= 0 and row["pixel RMSE"] >= 0
        assert len(row["each"]["cosine"]) == 2
        assert row["seconds an image"] > 0
    assert [check["space"] for check in document["checks"]] == list(SPACES)
    for check in document["checks"]:
        assert check["same bits twice"] == check["same bits alone"] == "yes"
    assert document["config"]["psi"] == 0.7 and "versions" in document and "device" in document
    text = capsys.readouterr().out
    assert text.count("| optimised |") == 5 and "leave compilation" in text
    assert (files / "out" / "recovery.png").stat().st_size > 1000


@pytest.mark.slow
def test_every_option_counts(files):
    quick = ["--space", "w", "--check-steps", "0"]
    plain = run(files, *quick)["rows"][0]["each"]
    for option in (
        ["--seed", "1"],
        ["--psi", "0.5"],
        ["--noise", "drop"],
        ["--steps", "6"],
        ["--perceptual", "none", "--pixels", "3"],
        ["--pixels", "9"],
    ):
        assert run(files, *quick, *option)["rows"][0]["each"] != plain, option
    assert len(run(files, *quick, "--images", "3")["rows"][0]["each"]["cosine"]) == 3
    assert run(files, *quick, "--check-steps", "4", "--batch", "1")["checks"][0]["steps"] == 4


@pytest.mark.slow
def test_the_truth_is_recovered_and_nothing_else():
    truth = Truth.of(network(), range(2), 0.7)
    for space in SPACES:
        latent = truth.latent(space)
        np.testing.assert_allclose(truth.cosines(space, latent), 1, atol=1e-4)
        recovered = Recovered("true", space, latent, 0.7, 0.0)
        assert rmse(truth.images, recovered.images(truth.network)).max() < 0.01
        swapped = truth.cosines(space, latent[::-1])
        assert (swapped < 0.999).all()
        # Around the middle: what lies on its other side points the other way.
        middle = 0 if space[0] == "z" else np.asarray(truth.network.w_avg)
        if space != "s":
            np.testing.assert_allclose(truth.cosines(space, 2 * middle - latent), -1, atol=1e-4)


@pytest.mark.slow
def test_company_that_changes_a_result_is_noticed(files, monkeypatch):
    real = inversion.invert

    def disturbed(what):
        def run(network, images, *args, batch, **options):
            results = real(network, images, *args, batch=batch, **options)
            more = {"latent": len(images), "loss": batch}[what]
            {"latent": results.latent, "loss": results.trace["distance"][0]}[what][:] *= (
                1 + more / 9
            )
            return results

        return run

    plain = run(files, "--space", "w")["checks"][0]
    assert plain["within rounding"] == plain["same bits alone"] == "yes"
    assert plain["its latents"] < 1e-3
    for what in ("latent", "loss"):
        monkeypatch.setattr(inversion, "invert", disturbed(what))
        check = run(files, "--space", "w")["checks"][0]
        assert check["same bits twice"] == "yes"
        assert check["same bits alone"] == {"latent": "no", "loss": "yes"}[what]
        assert check["within rounding"] == {"latent": "yes", "loss": "no"}[what]
    monkeypatch.setattr(inversion, "invert", real)
    monkeypatch.setattr(same_bits, "MOVED", 0.0)
    assert run(files, "--space", "w")["checks"][0]["latents from a moved start"] == 0


@pytest.mark.slow
def test_other_bits_are_noticed():
    truth = Truth.of(network(), range(2), 0.7)
    settings = inversion.Settings(steps=1, samples=2)
    pixels = inversion.Pixels()

    def run(images):
        return inversion.invert(truth.network, images, pixels, settings, jax.random.key(0), batch=1)

    both, *alone = run(truth.images), run(truth.images[:1]), run(truth.images[1:])
    assert same_bits.same([both], alone) and same_bits.same(alone, [both])
    assert not same_bits.same([both], alone[::-1])
    alone[1].latent[0, 0] = np.nextafter(alone[1].latent[0, 0], 9)
    assert (
        not same_bits.same([both], alone) and same_bits.apart(alone[1], run(truth.images[1:])) > 0
    )


def test_options_and_tables():
    assert named("e4e=runs/e@4") == ("e4e", "runs/e@4") and spaces("z, w+") == ["z", "w+"]
    for wrong in ("e4e", "=x", "e="):
        with pytest.raises(Exception, match="not NAME=PATH"):
            named(wrong)
    with pytest.raises(Exception, match="no such space: q"):
        spaces("z,q")
    with pytest.raises(SystemExit):
        recovery.parse(["--out", "x", "--check-steps", "3"])
    table = markdown(("a", "b"), [("x", 0.12345), ("y", 2)])
    assert table == "| a | b |\n| --- | ---: |\n| x | 0.123 |\n| y | 2 |"
