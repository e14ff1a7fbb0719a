"""Options of `aligned invert`: what each of them sets, and when they count."""

import dataclasses

import pytest
from PIL import Image

from aligned_jax import inversion, loading
from aligned_jax.cli import inversion_options
from aligned_jax.inversion import setup
from aligned_jax.tools import main

QUICK = ("--perceptual", "none", "--pixels", 1, "--steps", 4, "--samples", 20)


def test_every_setting_has_its_option():
    settings = settled(parsed())
    assert settings == inversion.Settings()
    seen = [settings]
    for option, value in (
        ("space", "w+"),
        ("steps", 7),
        ("lr", 0.2),
        ("rampup", 0.1),
        ("rampdown", 0.1),
        ("latent-noise", 0.1),
        ("latent-noise-ramp", 0.1),
        ("noise", "keep"),
        ("noise-weight", 3),
        ("restarts", 2),
        ("spread", 0.5),
        ("samples", 50),
        ("samples-seed", 5),
        ("resolution", 64),
        ("precision", "high"),
    ):
        found = settled(parsed(f"--{option}", str(value)))
        assert found not in seen, option
        seen.append(found)
    half = settled(parsed("--space", "z", "--psi", "0.7"))
    assert (half.psi, half.steps) == (0.7, 500)


def settled(args):
    given = inversion_options.given_settings(args)
    return setup.settings({"space": args.space, **given})


def parsed(*options):
    parser = main.ALIGNED.parser("invert")
    return parser.parse_args(["network", "image", "--out", "out", *options])


STILL = "--noise const --latent-noise 0"


@pytest.mark.parametrize(
    ("line", "idle"),
    [
        ("--noise const --noise-weight 5", ["noise_weight"]),
        ("--noise keep --noise-weight 5", []),
        ("--space z --samples 100 --samples-seed 4", ["samples", "samples_seed"]),
        ("--space s --samples 100 --samples-seed 4 --seed 1", []),
        (f"{STILL} --restarts 4 --seed 1", ["restarts", "seed"]),
        (f"{STILL} --restarts 4 --seed 1 --spread 0.1", []),
        ("--latent-noise 0 --restarts 4", []),
        ("--noise none --restarts 4", []),
        ("--noise none --latent-noise-ramp 0 --restarts 4", ["restarts"]),
        ("--latent-noise 0 --latent-noise-ramp 0.5", ["latent_noise_ramp"]),
        ("--psi 1", ["psi"]),
        ("--space z+ --psi 1", []),
        ("--lr 0 --rampup 0.1 --rampdown 0.2", ["rampup", "rampdown"]),
        (f"{STILL} --start E --samples 100", ["samples"]),
        ("--start E --samples 100", []),
        ("--encoder E --noise none --space z --psi 0.7", []),
    ],
)
def test_options_without_effect_are_known(line, idle, parent):
    args, config = parsed(*line.split()), loading.load(parent).config
    assert inversion_options.unused(args, settled(args), config) == idle
    synthesis = dataclasses.replace(config.synthesis, use_noise=False)
    plain = dataclasses.replace(config, synthesis=synthesis)
    found = inversion_options.unused(args, settled(args), plain)
    assert ("noise" in found) == ("--noise " in line)
    assert set(found) >= set(idle)


@pytest.mark.slow
def test_options_without_effect_are_named(aligned, child, tmp_path):
    face, out = tmp_path / "face.png", tmp_path / "out"
    Image.new("RGB", (8, 8), "teal").save(face)
    still = ("--noise", "const", "--latent-noise", 0, "--restarts", 2)
    result = aligned("invert", child, face, *QUICK, *still, "--space", "z", "--out", out)
    assert result.code == 0
    idle = "--restarts, --samples"
    assert result.err == f"warning: {idle}: without effect beside the other options\n"
