"""The study of recovery: truths are found, cosines know them, and options count."""

import functools
import json

import jax
import numpy as np
import pytest

import aligned_jax as aj
from aligned_jax import features
from aligned_jax.networks import init_variables
from aligned_jax.networks.encoder_network import provenance_of
from aligned_jax.utils import loops
from benchmarks import inversion_speed
from studies import recovery
from studies.tables import markdown, named, spaces
from tests.standins import Nearness
from tests.test_encoder_network import ENCODER, GENERATOR, filled

pytestmark = pytest.mark.usefixtures("fast_compilation")
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
    found = aj.Network(config, init_variables(config, jax.random.key(0)))
    found.variables["stats"]["mapping"]["w_avg"] += 0.3
    for block in found.variables["params"]["synthesis"].values():
        for name in block.keys() & {"conv0", "conv1"}:
            block[name]["noise_strength"] += 0.3  # noise of untrained networks has no effect
    return found


def run(files, *options):
    out = files / "out"
    sizes = ["--images", "2", "--steps", "4", "--check-steps", "4", "--out", str(out)]
    recovery.main(["--network", str(files / "G"), *sizes, *options])
    return json.loads((out / "recovery.json").read_text())


@pytest.mark.slow
def test_every_space_has_its_row(files, capsys):
    found = run(files, "--encoder", f"mine={files / 'E'}")
    rows = [(row["latents"], row["space"]) for row in found["rows"]]
    spaces_ = [("optimised", space) for space in SPACES]
    assert rows == [*spaces_, ("mine", "w+"), ("optimised from mine", "w+")]
    for row in found["rows"]:
        assert -1 <= row["cosine"] <= 1 and row["LPIPS-VGG"] >= 0 and row["pixel RMSE"] >= 0
        assert len(row["each"]["cosine"]) == 2
        assert row["seconds an image"] > 0
    assert [check["space"] for check in found["checks"]] == list(SPACES)
    for check in found["checks"]:
        assert check["same bits twice"] == check["same bits alone"] == "yes"
    assert found["config"]["psi"] == 0.7 and "command" in found and "versions" in found
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


def test_the_truth_is_recovered_and_nothing_else():
    truth = recovery.Truth.of(network(), range(2), 0.7)
    for space in SPACES:
        latent = truth.latent(space)
        np.testing.assert_allclose(truth.cosines(space, latent), 1, atol=1e-4)
        found = recovery.Found("true", space, latent, 0.7, 0.0)
        assert recovery.rmse(truth.images, recovery.drawn(truth.network, found)).max() < 0.01
        swapped = truth.cosines(space, latent[::-1])
        assert (swapped < 0.999).all()
        # Around the middle: what lies on its other side points the other way.
        middle = 0 if space[0] == "z" else np.asarray(truth.network.w_avg)
        if space != "s":
            np.testing.assert_allclose(truth.cosines(space, 2 * middle - latent), -1, atol=1e-4)


def test_company_that_changes_a_result_is_noticed(files, monkeypatch):
    real = recovery.inversion.invert

    def disturbed(what):
        def run(network, images, *args, batch, **options):
            found = real(network, images, *args, batch=batch, **options)
            more = {"latent": len(images), "loss": batch}[what]
            {"latent": found.latent, "loss": found.trace["distance"][0]}[what][:] *= 1 + more / 9
            return found

        return run

    plain = run(files, "--space", "w")["checks"][0]
    assert plain["within rounding"] == plain["same bits alone"] == "yes"
    assert plain["its latents"] < 1e-3
    for what in ("latent", "loss"):
        monkeypatch.setattr(recovery.inversion, "invert", disturbed(what))
        check = run(files, "--space", "w")["checks"][0]
        assert check["same bits twice"] == "yes"
        assert check["same bits alone"] == {"latent": "no", "loss": "yes"}[what]
        assert check["within rounding"] == {"latent": "yes", "loss": "no"}[what]
    monkeypatch.setattr(recovery.inversion, "invert", real)
    monkeypatch.setattr(recovery, "MOVED", 0.0)
    assert run(files, "--space", "w")["checks"][0]["latents from a moved start"] == 0


def test_other_bits_are_noticed():
    truth = recovery.Truth.of(network(), range(2), 0.7)
    settings = recovery.Settings(steps=1, samples=2)
    pixels = recovery.inversion.Pixels()

    def run(images):
        return recovery.inversion.invert(
            truth.network, images, pixels, settings, jax.random.key(0), batch=1
        )

    both, *alone = run(truth.images), run(truth.images[:1]), run(truth.images[1:])
    assert recovery.same([both], alone) and recovery.same(alone, [both])
    assert not recovery.same([both], alone[::-1])
    alone[1].latent[0, 0] = np.nextafter(alone[1].latent[0, 0], 9)
    assert not recovery.same([both], alone) and recovery.apart(alone[1], run(truth.images[1:])) > 0


@pytest.mark.slow
def test_speed_is_measured(files, capsys, monkeypatch):
    monkeypatch.setattr(inversion_speed, "BATCHES", (1, 2))
    recovery.main(["--network", str(files / "G"), "--speed", "--repeats", "1", "--out", str(files)])
    found = json.loads((files / "speed.json").read_text())["speed"]
    assert [row["batch"] for row in found["rows"]] == [1, 2] * 2
    assert {row["loss"] for row in found["rows"]} == {"LPIPS-VGG", "pixels"}
    first, last = found["rows"][:2]
    # What all images share is counted once, the rest for each of them.
    each = [row["GFLOP per image and step"] for row in (first, last)]
    assert each[0] / 2 < each[1] < each[0]
    assert found["matmul_gflops"] > 0 and len(found["verdicts"]) == 2
    assert "| batch |" in capsys.readouterr().out


def test_a_loop_counts_once(monkeypatch):
    images = np.zeros((1, 32, 32, 3), np.uint8)
    pixels = recovery.inversion.Pixels()
    few = inversion_speed.step_cost(network(), images, pixels, 1)[1]
    monkeypatch.setattr(loops, "slow", lambda: False)
    assert inversion_speed.step_cost(network(), images, pixels, 1)[1] == pytest.approx(
        few, rel=1e-4
    )


def test_verdicts_tell_why():
    def row(gflops, faster):
        return {"loss": "L", "batch": 8, "times faster": faster, "GFLOP/s": gflops} | {
            "% of matmul": gflops
        }

    say = lambda one, many, faster: inversion_speed.verdict(  # noqa: E731
        [row(one, 1.0), row(many, faster)], 100e9
    )
    assert "no batch can be more than 2.0 times faster" in say(50.0, 60.0, 1.2)
    assert "would allow 10.0 times; the batch reaches 12.0" in say(10.0, 12.0, 1.2)
    assert say(10.0, 60.0, 6.0).endswith("one at a time.")


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
