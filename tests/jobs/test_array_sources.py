"""What a notebook has at hand is taken: the library's own images, and what is meant is said."""

import numpy as np
import pytest

import aligned_jax as aj
from aligned_jax import jobs
from aligned_jax.errors import UserError
from tests.jobs.small_inputs import PARENT, save_child

OPTIONS = jobs.PictureOptions(steps=2, perceptual="none", pixels=1.0)


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pair")
    return aj.load(PARENT), aj.load(save_child(folder / "child"))


@pytest.fixture(scope="module")
def images(pair):
    """Images [2, R, R, 3] in [-1, 1] and a little beyond, as a network draws them."""
    return pair[0](aj.latents.z_from_seeds(pair[0].config, [0, 1]))


def test_images_of_a_network_are_translated(pair, images):
    eight_bits = aj.viz.to_uint8(np.asarray(images))
    expected = jobs.translate(*pair, eight_bits, pictures=OPTIONS).sheet().images
    for same in (images, np.asarray(images)):
        drawn = jobs.translate(*pair, same, pictures=OPTIONS).sheet().images
        np.testing.assert_array_equal(drawn, expected)


def test_images_of_a_network_are_inverted(pair, images):
    settings = {"space": "w", "steps": 2, "perceptual": "none", "pixels": 1.0, "samples": 10}
    inverted = jobs.invert(pair[0], images, **settings)
    eight_bits = jobs.invert(pair[0], aj.viz.to_uint8(np.asarray(images)), **settings)
    np.testing.assert_array_equal(inverted.latent, eight_bits.latent)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda pair: jobs.family(str(PARENT)), r"a list of names; give \['"),
        (lambda pair: jobs.PictureOptions(encoders="zoo:e"), r"give \['zoo:e'\]"),
        (lambda pair: jobs.PictureOptions(starts="zoo:e"), r"give \['zoo:e'\]"),
        (
            lambda pair: jobs.translate(*pair, {"z": np.zeros((1, 4), np.float32)}),
            r"latents by name \(z\) are not enough; give a rendering\.LatentBatch",
        ),
    ],
    ids=["one network", "one encoder", "one start", "arrays by name"],
)
def test_what_is_easily_mistaken_is_told(pair, call, message):
    with pytest.raises(UserError, match=message):
        call(pair)
