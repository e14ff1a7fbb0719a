"""Pictures with opacity from the import to a trained network, its inversions and translations."""

import functools

import jax
import numpy as np
import pytest
from PIL import Image

from aligned_jax import loading
from aligned_jax.config import GeneratorConfig, MappingConfig, SynthesisConfig
from aligned_jax.networks import init_variables
from aligned_jax.networks.network import Network
from tests.programs.test_training_verbs import SMALL, here

QUICK = ("--perceptual", "none", "--pixels", 1, "--steps", 2)


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """Forty pictures of 8 pixels, transparent in parts."""
    folder = tmp_path_factory.mktemp("opacity")
    for number in range(40):
        pixels = np.random.RandomState(number).randint(0, 256, (8, 8, 4)).astype(np.uint8)
        Image.fromarray(pixels).save(folder / f"{number:02d}.png")
    return folder


def one(photos, folder):
    """A folder with the first of the pictures, and something else."""
    folder.mkdir()
    (folder / "00.png").write_bytes((photos / "00.png").read_bytes())
    (folder / "film.mp4").write_bytes(b"\0")
    return folder


def check_inverted(folder, photos):
    with Image.open(folder / "00.png") as pair:
        pixels = np.asarray(pair)
    assert pixels.shape == (8, 16, 4)
    assert (pixels[:, :8] == np.asarray(Image.open(photos / "00.png"))).all()


@pytest.mark.slow
def test_inversion_keeps_opacity_and_names_what_is_no_picture(aligned, photos, tmp_path):
    config = GeneratorConfig(
        *(8, 4, 0, 4, 4),
        mapping=MappingConfig(num_layers=1),
        synthesis=SynthesisConfig(channels=(3, 3)),
    )
    shapes = jax.eval_shape(functools.partial(init_variables, config), jax.random.key(0))
    random = np.random.RandomState(0)
    variables = jax.tree.map(lambda leaf: np.asarray(random.randn(*leaf.shape), leaf.dtype), shapes)
    network = Network(config, variables)
    source = one(photos, tmp_path / "src")
    loading.save(tmp_path / "net", {"G_ema": network}, {"kind": "made for a test"})
    result = aligned("invert", tmp_path / "net", source, "--out", tmp_path / "out", *QUICK)
    assert result.code == 0, result.err
    said = "warning: passed over, as no pictures that can be read: 1 .mp4\n"
    assert result.err == said
    check_inverted(tmp_path / "out", photos)


@pytest.mark.slow
def test_training_and_translation_keep_opacity(ok, aligned, photos, tmp_path):
    data, run = tmp_path / "d", tmp_path / "run"
    ok("data", "images", photos, "--resolution", 8, "--alpha", "--out", data, "--workers", 1)
    line = ("pretrain", "tiny32", *here(data, run), "--kimg", 1, "--batch", 100)
    result = aligned(*line, "--augment", "bgc", *SMALL)
    assert result.code == 0, result.err
    assert loading.load(run).config.img_channels == 4
    for name in ("reals", "init", "fakes-kimg-000001", "strip"):
        with Image.open(run / f"{name}.png") as picture:
            assert picture.mode == "RGBA"
    with Image.open(run / "reals.png") as reals:
        assert len(np.unique(np.asarray(reals)[..., 3])) > 50
    ok("invert", run, photos / "00.png", "--out", tmp_path / "out", *QUICK)
    check_inverted(tmp_path / "out", photos)
    ok("translate", run, run, photos / "00.png", "--out", tmp_path / "t.png", *QUICK)
    with Image.open(tmp_path / "t.png") as picture:
        assert picture.mode == "RGBA"
