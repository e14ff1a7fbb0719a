"""`aligned generate`: the official images, every option, every form of output."""

import base64
import io
import json
import re

import jax
import numpy as np
import pytest
from PIL import Image

from aligned_jax import loading, viz
from aligned_jax.config import GeneratorConfig, MappingConfig, SynthesisConfig
from aligned_jax.latents import style_layers, z_from_seeds
from aligned_jax.networks import variable_shapes
from aligned_jax.networks.network import Network
from tests.helpers import DATA, nhwc, reference, relative_error

# The first row of z in these files is that of NumPy's legacy generator with this seed.
SEEDS = {"gray16": 113, "skip32": 108, "options16": 115}


@pytest.mark.parametrize("name", SEEDS)
def test_a_seed_is_the_official_image(name, images):
    arrays = reference(f"generator_{name}")
    label = ["--label", arrays["c"][0].argmax()] if arrays["c"].size else []
    drawn = images(DATA / f"generator_{name}.pkl", "--seeds", SEEDS[name], *label)
    assert relative_error(drawn, nhwc(arrays["image_const"])[:1]) < 1e-5
    assert (images.last["z"] == arrays["z"][:1]).all()
    assert (images.last["c"] == arrays["c"][:1]).all()


@pytest.mark.parametrize("kind", ["z", "ws", "styles"])
def test_latents_are_drawn_as_the_official_code_does(kind, images, tmp_path):
    arrays = reference("generator_options16")
    config = loading.describe(DATA / "generator_options16.pkl").configs["G_ema"]
    names = [layer.name for layer in style_layers(config)]
    latents = {
        "z": {"z": arrays["z"], "c": arrays["c"]},
        "ws": {"ws": arrays["ws"].astype(np.float64)},
        "styles": {f"styles/{name}": arrays[f"style/{name}.affine"] for name in names},
    }[kind]
    np.savez(tmp_path / "latents.npz", **latents)
    drawn = images(DATA / "generator_options16.pkl", "--latents", tmp_path / "latents.npz")
    assert relative_error(drawn, nhwc(arrays["image_const"])) < 1e-5
    assert latents.keys() <= images.last.keys()


def test_ws_of_a_file_can_be_truncated(images, tmp_path):
    arrays = reference("generator_gray16")
    np.savez(tmp_path / "ws.npz", ws=arrays["ws"])
    options = ("--latents", tmp_path / "ws.npz", "--psi", 0.7, "--cutoff", 3)
    drawn = images(DATA / "generator_gray16.pkl", *options)
    assert relative_error(drawn, nhwc(arrays["image_psi_const"])) < 1e-5


def test_seeds_and_their_z_are_the_same(images, parent, tmp_path):
    config = loading.describe(parent).configs["G_ema"]
    np.savez(tmp_path / "z.npz", z=z_from_seeds(config, [0, 3, 4]))
    from_file = images(parent, "--latents", tmp_path / "z.npz")
    assert (from_file == images(parent, "--seeds", "0,3-4")).all()
    rows = np.repeat(z_from_seeds(config, [0, 3, 4])[:, None], config.num_ws, axis=1)
    np.savez(tmp_path / "z.npz", z=rows)
    drawn = images(parent, "--latents", tmp_path / "z.npz")
    np.testing.assert_allclose(drawn, from_file, atol=1e-5)


@pytest.mark.slow
def test_every_option_changes_the_images(images, child):
    plain = images(child, "--seeds", "0-2")
    assert (images(child, "--seeds", "0-2") == plain).all()
    assert (images(child, "--seeds", "0-2", "--psi", 1) == plain).all()
    seen = [plain]
    for options in (
        ("--psi", 0.5),
        ("--psi", 0.5, "--cutoff", 1),
        ("--noise", "none"),
        ("--noise", "random"),
        ("--noise", "random", "--noise-seed", 1),
        ("--half", "bfloat16"),
        ("--half", "float16"),
        ("--network-key", "G"),
        ("--seeds", "3-5"),
    ):
        drawn = images(child, "--seeds", "0-2", *options)
        assert np.isfinite(drawn).all()
        assert all((drawn != other).any() for other in seen), options
        seen.append(drawn)


def test_labels_change_the_images(images):
    network = DATA / "generator_options16.pkl"
    first, second = (images(network, "--seeds", 0, "--label", label) for label in (0, 1))
    assert images.last["c"].tolist() == [[0, 1, 0]]
    assert (first != second).any()


@pytest.mark.slow
def test_the_batch_changes_no_image(images, child):
    options = (child, "--seeds", "0-4", "--noise", "random", "--psi", 0.7)
    whole = images(*options, "--batch", 3)
    assert whole.shape == (5, 8, 8, 3)
    np.testing.assert_allclose(images(*options, "--batch", 1), whole, atol=1e-5)
    # Random noise belongs to the seed, whatever is drawn along with it.
    alone = images(child, "--seeds", 3, "--noise", "random", "--psi", 0.7)
    np.testing.assert_allclose(alone[0], whole[3], atol=1e-5)
    assert (images(*options, "--noise-seed", 1)[3] != whole[3]).any()


def test_what_was_written_can_be_drawn_again(images, child, tmp_path):
    drawn = images(child, "--seeds", "0-2", "--psi", 0.5)
    np.savez(tmp_path / "again.npz", **images.last)
    np.testing.assert_allclose(images(child, "--latents", tmp_path / "again.npz"), drawn, atol=1e-5)
    options = ("--latents", tmp_path / "again.npz", "--psi", 0.5)
    assert np.abs(images(child, *options) - drawn).max() > 1e-3


def test_whole_numbers_are_numbers(images, tmp_path):
    network, z = DATA / "generator_options16.pkl", np.arange(28).reshape(2, 14) % 3
    drawn = []
    for dtype in (np.int64, np.float32):
        np.savez(tmp_path / "z.npz", z=z.astype(dtype), c=np.eye(3, dtype=dtype)[:2])
        drawn.append(images(network, "--latents", tmp_path / "z.npz"))
    assert (drawn[0] == drawn[1]).all()


def test_the_largest_noise_seed(images, child):
    options = (child, "--seeds", 0, "--noise", "random", "--noise-seed")
    assert (images(*options, 2**32 - 1) != images(*options, 0)).any()


def test_an_npz_says_how_it_was_made(images, parent):
    drawn = images(parent, "--seeds", "5,7", "--psi", 0.5)
    network, last = loading.load(parent), images.last
    assert sorted(last) == ["c", "images", "meta_json", "ws", "z"]
    assert drawn.dtype == last["ws"].dtype == last["z"].dtype == np.float32
    assert last["c"].shape == (2, 0)
    np.testing.assert_allclose(last["ws"], network.mapping(last["z"], psi=0.5), atol=1e-6)
    meta = json.loads(str(last["meta_json"]))
    assert meta["command"].startswith(f"aligned generate {parent} --seeds 5,7 --psi 0.5 --out")
    assert meta["config"]["img_resolution"] == 8
    assert meta["manner"]["psi"] == 0.5
    assert meta["images"] == ["seed 5", "seed 7"]
    assert meta["network"]["sha256"] == network.provenance["sha256"]
    assert meta["versions"]["jax"] == jax.__version__


@pytest.fixture(scope="module")
def transparent(tmp_path_factory):
    """An untrained 8 px network with four channels, and without a mean of w."""
    config = GeneratorConfig(
        img_resolution=8,
        z_dim=4,
        w_dim=4,
        img_channels=4,
        mapping=MappingConfig(num_layers=1, w_avg_beta=None),
        synthesis=SynthesisConfig(channel_base=32, channel_max=4),
    )
    random = np.random.default_rng(0)
    variables = jax.tree.map(
        lambda shape: random.standard_normal(shape.shape, np.float32), variable_shapes(config)
    )
    folder = tmp_path_factory.mktemp("networks") / "transparent"
    loading.save(folder, Network(config, variables))
    return folder


@pytest.fixture(scope="module")
def gray():
    """A 16 px network with one channel."""
    return DATA / "generator_gray16.pkl"


@pytest.mark.parametrize(("name", "depth"), [("parent", 3), ("gray", 1), ("transparent", 4)])
def test_pictures_are_the_truncated_bytes(name, depth, images, ok, tmp_path, request, contents):
    network = request.getfixturevalue(name)
    expected = viz.to_uint8(images(network, "--seeds", "0-2"))
    assert expected.shape[-1] == depth
    line = ok("generate", network, "--seeds", "0-2", "--out", tmp_path / "grid.png")
    size = expected.shape[1]
    assert line == f"wrote {tmp_path}/grid.png: 3 images of {size} px\n"
    with Image.open(tmp_path / "grid.png") as picture:
        pixels = np.asarray(picture).reshape(*picture.size[::-1], depth)
        assert picture.text["Comment"].startswith("aligned generate")
        assert f"jax {jax.__version__}" in picture.text["Software"]
    assert (pixels == viz.tile(expected)).all()
    ok("generate", network, "--seeds", "0-2", "--out", tmp_path / "folder")
    files = ["meta.json", "seed0000.png", "seed0001.png", "seed0002.png"]
    assert contents(tmp_path / "folder") == files
    for file, image in zip(files[1:], expected, strict=True):
        with Image.open(tmp_path / "folder" / file) as picture:
            assert (np.asarray(picture).reshape(image.shape) == image).all()
    meta = json.loads((tmp_path / "folder" / "meta.json").read_text())
    assert meta["images"] == ["seed 0", "seed 1", "seed 2"]


def test_what_cannot_be_truncated_is_not(refused, transparent, child, tmp_path):
    line = refused("generate", transparent, "--seeds", 0, "--psi", 0.5, "--out", tmp_path / "x.png")
    assert "keeps no mean of w; pass --psi 1, and no --cutoff" in line
    line = refused("compare", transparent, transparent, "--out", tmp_path / "report")
    assert "pass --psi 1," in line
    config = loading.describe(child).configs["G_ema"]
    styles = {
        f"styles/{layer.name}": np.ones((1, layer.channels), np.float32)
        for layer in style_layers(config)
    }
    np.savez(tmp_path / "s.npz", **styles)
    options = ("--latents", tmp_path / "s.npz", "--psi", 0.5, "--out", tmp_path / "x.png")
    assert "styles cannot be truncated" in refused("generate", child, *options)


def test_a_page_has_a_thumbnail_of_each_image(ok, images, parent, tmp_path):
    ok("generate", parent, "--seeds", "3,5", "--psi", 0.6, "--out", tmp_path / "x.html")
    text = (tmp_path / "x.html").read_text()
    found = re.findall(r'<img alt="([^"]+)" src="data:image/png;base64,([^"]+)"', text)
    assert [alt for alt, _ in found] == ["seed 3", "seed 5"]
    drawn = viz.to_uint8(images(parent, "--seeds", "3,5", "--psi", 0.6))
    for (_, data), expected in zip(found, drawn, strict=True):
        with Image.open(io.BytesIO(base64.b64decode(data))) as image:
            assert (np.asarray(image) == expected).all()
    top = text.partition("<img")[0]
    assert "--psi 0.6" in top and "<td>psi</td><td>0.6</td>" in top
