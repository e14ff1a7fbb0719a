"""What `aligned evaluate` refuses before it works, and what it says was given for nothing."""

import dataclasses
import json
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from aligned_jax import evaluation, loading
from aligned_jax.data.folder import ImageFolder
from aligned_jax.data.images import scan
from aligned_jax.data.writer import write_dataset
from aligned_jax.errors import UserError
from aligned_jax.evaluation import scores
from aligned_jax.networks import variable_shapes
from aligned_jax.networks.network import Network
from tests import standins
from tests.training import tiny_gan as tiny


@pytest.fixture(autouse=True)
def home(monkeypatch, tmp_path):
    """A cache of this test's own, in which no feature network lies."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))


@pytest.fixture
def networks(monkeypatch):
    monkeypatch.setattr(
        evaluation, "load", lambda name, half_pixel=False: standins.networks()[name]
    )


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """Sixteen pictures in a folder."""
    folder = tmp_path_factory.mktemp("images")
    for number, image in enumerate(tiny.images(16)):
        Image.fromarray(image).save(folder / f"{number:02d}.png")
    return folder


def test_every_missing_network_is_named(aligned, images):
    result = aligned("evaluate", images, "--data", images, "--metrics", "fid,pr", "--splits", 2)
    assert result.code == 2 and "Traceback" not in result.err
    for part in ("needs the network inception", "needs the network vgg16_fc2", "features add"):
        assert part in result.err
    assert "fd_vgg and kid_vgg are metrics that do without this file" in result.err
    other = aligned("evaluate", images, "--data", images, "--metrics", "pr")
    assert other.code == 2 and "fd_vgg" not in other.err


def test_too_few_images_are_refused_before_any_is_made(aligned, images, networks, monkeypatch):
    monkeypatch.setattr(evaluation.image_sets, "_drawn", None)
    monkeypatch.setattr(evaluation.StoredImages, "take", None)
    argv = ("--metrics", "is,pr_vgg,kid_vgg,diversity", "--splits", 20, "--neighbours", 16)
    result = aligned("evaluate", images, "--data", images, *argv)
    assert result.code == 2
    assert "is needs 20 images or more for 20 splits, and there are 16" in result.err
    assert "pr_vgg needs 17 images or more for both sets, and there are 16" in result.err
    assert "kid_vgg" not in result.err and "diversity" not in result.err
    one = aligned("evaluate", images, "--num", 1, "--metrics", "diversity,is", "--splits", 1)
    assert one.code == 2 and "diversity needs 2 images or more for a pair" in one.err


def test_one_latent_without_noise_has_one_image(aligned, parent, networks):
    result = aligned("evaluate", parent, "--metrics", "diversity_z", "--noise", "const")
    assert result.code == 2 and "it needs random noise" in result.err


def test_options_given_for_nothing(aligned, images, networks):
    argv = ("--psi", 0.5, "--seed", 3, "--half-pixel", "--neighbours", 4, "--ppl-crop")
    result = aligned("evaluate", images, "--data", images, "--metrics", "fd_vgg", *argv)
    assert result.code == 0
    (line,) = [line for line in result.err.splitlines() if "without effect" in line]
    for option in ("--psi", "--seed", "--half-pixel", "--neighbours", "--ppl-..."):
        assert f"{option}," in line or f"{option}:" in line
    assert "--noise" not in line and "--subsets" not in line
    useful = ("--metrics", "fd_vgg,pr_vgg", "--neighbours", 4)
    assert "without effect" not in aligned("evaluate", images, "--data", images, *useful).err


def test_two_splits_of_one_dataset(ok, images, networks, tmp_path):
    write_dataset(scan(images, 8, test=0.5), tmp_path / "data", workers=1)
    argv = ("evaluate", tmp_path / "data", "--data", tmp_path / "data", "--metrics", "fd_vgg")
    same = json.loads(ok(*argv, "--json"))
    other = json.loads(ok(*argv, "--json", "--source-split", "test"))
    assert abs(same["scores"]["fd_vgg"]) < 1e-6 < other["scores"]["fd_vgg"]
    assert (other["images"]["split"], other["reals"]["split"]) == ("test", "train")
    assert "Lanczos" in other["reals"]["recipe"]["filter"]
    folder = json.loads(ok("evaluate", images, *argv[2:], "--json"))
    assert folder["images"]["recipe"] == "files as they are"


def test_a_network_without_noise_has_no_diversity_of_noise():
    synthesis = dataclasses.replace(tiny.GENERATOR.synthesis, use_noise=False)
    config = dataclasses.replace(tiny.GENERATOR, synthesis=synthesis)
    made = evaluation.GeneratedImages(Network(config, variable_shapes(config)), "bare", 4)
    with pytest.raises(UserError, match="diversity_z compares noises, and bare has none"):
        evaluation.check(made, None, ("diversity_z",))


def test_images_of_a_seed_are_the_same_wherever_they_stand(parent):
    network = loading.load(parent)
    first = evaluation.GeneratedImages(network, "net", 8).take(np.arange(8))
    later = evaluation.GeneratedImages(network, "net", 8, seed=7).take(np.arange(8))
    np.testing.assert_array_equal(first[7], later[0])
    assert np.any(np.asarray(first[0]) != np.asarray(later[0]))


def key(facts):
    """What decides where features of such images are kept."""
    return scores._key(SimpleNamespace(facts=lambda: facts), standins.projection())


def test_recipes_tell_nothing_about_what_is_kept(images):
    facts = evaluation.StoredImages(ImageFolder(images), "folder").facts()
    assert facts["recipe"] == "files as they are"
    keys = [key(facts | {"recipe": recipe}) for recipe in ("files as they are", None)]
    assert keys[0] == keys[1] != key(facts | {"fingerprint": "other"})
