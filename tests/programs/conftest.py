"""The `aligned` command in this process, and small networks to use it on."""

import contextlib
import io
import zlib
from typing import NamedTuple

import jax
import numpy as np
import pytest
from PIL import Image

from aligned_jax import features, inversion, loading, weights
from aligned_jax.latents.shapes import latent_shape
from aligned_jax.tools.main import main
from tests.helpers import DATA


class Result(NamedTuple):
    """What a command line came to."""

    code: int
    out: str
    err: str


@pytest.fixture(scope="session")
def aligned():
    """aligned("verb", "argument", ...) -> Result."""

    def run(*argv) -> Result:
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = main([str(argument) for argument in argv])
        return Result(code, out.getvalue(), err.getvalue())

    return run


@pytest.fixture
def ok(aligned):
    """The same for command lines that must succeed without a word on stderr; returns stdout."""

    def run(*argv) -> str:
        result = aligned(*argv)
        assert result.code == 0, result.err
        assert result.err == ""
        return result.out

    return run


@pytest.fixture
def refused(aligned):
    """The same for bad input: exit code 2, one line on stderr, which is returned."""

    def run(*argv) -> str:
        result = aligned(*argv)
        assert result.code == 2, result
        assert result.out == ""
        assert result.err.startswith(f"aligned {argv[0]}: "), result.err
        assert result.err.count("\n") == 1, result.err
        return result.err

    return run


@pytest.fixture(scope="session")
def parent():
    """An 8 px snapshot with G_ema, G and D; G and G_ema are the same network."""
    return DATA / "hostile_baseline_ok.pkl"


@pytest.fixture(scope="session")
def child(parent, tmp_path_factory):
    """A checkpoint of the parent with all trained weights and w_avg moved, G further than G_ema."""
    network = loading.load(parent)
    random = np.random.default_rng(0)

    def moved(amount):
        def move(path, value):
            leaf = weights.leaf_of(path)
            if leaf.component == "noise" and not leaf.trainable:
                return value
            return value + np.float32(amount) * random.standard_normal(value.shape, np.float32)

        return jax.tree_util.tree_map_with_path(move, network)

    folder = tmp_path_factory.mktemp("networks") / "child"
    loading.save(folder, {"G_ema": moved(0.1), "G": moved(0.2)}, {"kind": "made for a test"})
    return folder


@pytest.fixture(scope="module")
def pair(parent, child):
    """Both, loaded."""
    return loading.load(parent), loading.load(child)


@pytest.fixture
def images(ok, tmp_path):
    """images("generate's", "arguments") -> float32 images; everything else in `images.last`."""

    def draw(*argv) -> np.ndarray:
        out = tmp_path / "images.npz"
        ok("generate", *argv, "--out", out, "--overwrite")
        with np.load(out) as file:
            draw.last = dict(file)
        return draw.last["images"]

    return draw


@pytest.fixture(scope="session")
def contents():
    """contents(folder) -> names in it, hidden ones included."""
    return lambda folder: sorted(path.name for path in folder.iterdir())


@pytest.fixture
def results(ok, tmp_path):
    """results(PARENT, CHILD, ...) -> arrays of the .npz that holds the translations alone."""

    def run(*argv):
        out = tmp_path / "results.npz"
        ok("translate", *argv, "--out", out, "--overwrite")
        with np.load(out) as file:
            return dict(file)

    return run


@pytest.fixture
def photos(tmp_path):
    """A folder of two pictures."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for name in ("one", "two"):
        pixels = np.random.RandomState(len(name) + ord(name[0])).randint(0, 256, (8, 8, 3))
        Image.fromarray(pixels.astype(np.uint8)).save(folder / f"{name}.png")
    return folder


@pytest.fixture
def never_inverts(monkeypatch):
    """No inversion may begin."""

    def invert(*args, **more):
        raise AssertionError("it inverts before everything was looked at")

    monkeypatch.setattr(inversion, "invert", invert)
    monkeypatch.setattr(features, "lpips", lambda name: name)


@pytest.fixture
def stand_in(monkeypatch):
    """Inversions that are random numbers, which all that the optimiser is told decides.

    That of a white picture is not finite, and that of a black one not in w+.
    """

    def invert(network, images, perceptual, settings, key, *, start, c, batch, watch):
        told = (settings, perceptual, key, images.sum(), c, np.sum(network.w_avg))
        told = repr(told if start is None else (*told, np.sum(start)))
        random = np.random.RandomState(zlib.crc32(told.encode()))
        shape = latent_shape(network.config, settings.space)
        latent = random.standard_normal((len(images), *shape)).astype(np.float32)
        zeros = np.zeros(len(images))
        lost = images.min((1, 2, 3)) == 255
        if settings.space == "w+":
            lost |= images.max((1, 2, 3)) == 0
        distances = {
            "perceptual": zeros,
            "pixel": np.where(lost, np.nan, 0),
        }
        return inversion.Inverted(settings, latent, None, distances, {}, images, zeros)

    monkeypatch.setattr(inversion, "invert", invert)
    monkeypatch.setattr(features, "lpips", lambda name: name)
