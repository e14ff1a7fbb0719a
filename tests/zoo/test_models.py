"""The models in the package: whole, small, described, and families where they say so."""

import json

import jax
import numpy as np
import pytest

import aligned_jax as aj
from aligned_jax import evaluation, loading
from aligned_jax.networks import fingerprint
from aligned_jax.zoo import making as zoo

NAMES = sorted(zoo.MODELS)
ENCODERS = sorted(zoo.ENCODERS)


def test_the_zoo_is_small_and_complete():
    assert set(loading.zoo_names()) == set(zoo.NETWORKS)
    size = sum(path.stat().st_size for path in zoo.PACKAGE_ZOO.rglob("*") if path.is_file())
    assert size < 32e6


def listed(name):
    """The row of a model in the table of the zoo."""
    page = (zoo.PACKAGE_ZOO.parents[1] / "docs" / "zoo.md").read_text("utf-8")
    (row,) = [line for line in page.splitlines() if line.startswith(f"| [zoo:{name}]")]
    return row


@pytest.mark.parametrize("name", NAMES)
def test_a_model_draws_and_has_a_card(name):
    networks = aj.load_all(f"zoo:{name}")
    assert set(networks) == {"G_ema", "D"}
    network = networks["G_ema"]
    z = aj.latents.z_from_seeds(network.config, range(4))
    images = np.asarray(jax.jit(lambda net, z: net.synthesis(net.mapping(z)))(network, z))
    assert images.shape == (4, 64, 64, 3) and images.std() > 0.2
    assert np.abs(images[0] - images[1]).mean() > 0.02  # not one face for all
    assert_described(name)


def assert_described(name):
    """The card has commands, licence and what is said of the model."""
    card = (zoo.PACKAGE_ZOO / name / "card.md").read_text("utf-8")
    for command in zoo.commands(name):
        assert " ".join(command) in card
    model = zoo.NETWORKS[name]
    assert "licensed under" in card and model.says in card and model.flaws and model.flaws in card


@pytest.mark.slow
@pytest.mark.parametrize("name", ENCODERS)
def test_an_encoder_finds_latents_of_its_generator(name):
    generator = aj.load(f"zoo:{zoo.ENCODERS[name].generator}")
    encoder = aj.load_encoder(f"zoo:{name}", generator)
    z = aj.latents.z_from_seeds(generator.config, range(8))
    images = np.clip(generator(z, psi=0.7), -1, 1)
    latents = aj.inversion.encode(encoder, generator, images)
    again = generator.synthesis(aj.inversion.to_ws(generator, encoder.space, latents))
    error = np.square(again - images).mean(axis=(1, 2, 3))
    others = np.square(again - np.roll(images, 1, axis=0)).mean(axis=(1, 2, 3))
    assert error.mean() < 0.35 * others.mean() and (error < others).all()
    assert_described(name)


@pytest.mark.parametrize("name", ENCODERS)
def test_an_encoder_is_measured_as_its_card_says(name):
    folder = zoo.PACKAGE_ZOO / name
    document = json.loads((folder / zoo.SCORES).read_text("utf-8"))
    encoder = aj.load(f"zoo:{name}", "E")
    assert document["encoder_sha256"] == fingerprint(encoder.variables)
    generator = aj.load(f"zoo:{zoo.ENCODERS[name].generator}")
    assert document["generator_sha256"] == fingerprint(generator.variables)
    card = (folder / "card.md").read_text("utf-8")
    for row in document["scores"]:
        assert f"| {row['method']} | {row['lpips_vgg']:.3f} | {row['pixel_rmse']:.3f} |" in card
    assert listed(name).endswith(
        " | ".join(f"{row['lpips_vgg']:.3f}" for row in document["scores"]) + " |"
    )


@pytest.mark.parametrize("name", NAMES)
def test_a_model_is_scored_as_its_card_says(name):
    folder = zoo.PACKAGE_ZOO / name
    document = json.loads((folder / zoo.SCORES).read_text("utf-8"))
    weights = evaluation.image_sets.weights_hash(aj.load(f"zoo:{name}"))
    assert document["images"]["weights_sha256"] == weights
    assert document["images"]["images"] == document["reals"]["images"] == zoo.SCORED
    scores = document["scores"]
    said = f"{scores['fd_vgg']:.1f} | {scores['kid_vgg']:.3f} ± {scores['kid_vgg_std']:.3f} |"
    assert said in (folder / "card.md").read_text("utf-8")
    assert listed(name).endswith(said)


def test_children_lie_nearer_to_their_parent_than_the_control_does():
    """Fine-tuning moves weights; training from scratch shares nothing."""

    def distance(a, b):
        first, second = (aj.load(f"zoo:{name}").variables["params"] for name in (a, b))
        pairs = zip(jax.tree.leaves(first), jax.tree.leaves(second), strict=True)
        return float(sum(np.square(x - y).sum() for x, y in pairs) ** 0.5)

    assert distance("personas64", "critters64") < 0.5 * distance("personas64", "critters64-scratch")
