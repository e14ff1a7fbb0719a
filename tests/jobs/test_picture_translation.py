"""`jobs.translate`, called from a script."""

import json

import jax
import numpy as np
import pytest
from PIL import Image

from aligned_jax import inversion, jobs, loading, translation
from aligned_jax.errors import UserError
from aligned_jax.networks.network import Network
from aligned_jax.provenance import Command
from aligned_jax.rendering.latent_batch import LatentBatch, latents_of_seeds
from aligned_jax.utils.reporting import Reporter
from tests.jobs.small_inputs import PARENT, aligned, noise_images, save_images

INVERT = {"steps": 2, "perceptual": "none", "pixels": 1.0}
WORDS = ("--steps", 2, "--perceptual", "none", "--pixels", 1)


@pytest.fixture(scope="module")
def pair(child):
    return loading.load(PARENT), loading.load(child)


def verb(tmp_path, *argv):
    """Arrays of the results that the verb writes."""
    out = tmp_path / "verb.npz"
    aligned("translate", *argv, "--out", out, "--overwrite")
    with np.load(out) as file:
        return dict(file)


def test_translations_are_those_of_the_verb(child, pair, tmp_path):
    arrays = verb(tmp_path, PARENT, child, "--seeds", "3,5", "--psi", 0.7)
    for parent, other, seeds in (
        (PARENT, child, "3,5"),
        (*pair, [3, 5]),
        (*pair, np.array([3, 5])),
    ):
        found = jobs.translate(parent, other, seeds, psi=0.7)
        assert (found.images() == arrays["images"]).all()
        assert found.results.names == ("seed 3", "seed 5") and not found.skipped
        assert found.facts == {"noise": "const", "latents": "psi 0.7", "psi": "0.7"}
    sheet = found.sheet()
    assert sheet.images.shape == (2, 2, 8, 8, 3) and sheet.rows == found.results.names
    made_of = json.loads(str(arrays["meta_json"]))["made_of"]
    assert made_of == found.facts


def test_latents_are_taken_as_they_are(child, pair, tmp_path):
    latents = latents_of_seeds(pair[0].config, [3, 5], psi=0.7)
    expected = jobs.translate(*pair, [3, 5], psi=0.7).images()
    assert (jobs.translate(*pair, latents).images() == expected).all()
    other = jobs.translate(*pair, latents, psi=0.3).images()
    assert (other == jobs.translate(*pair, [3, 5], psi=0.3).images()).all()
    in_w = jobs.translate(*pair, latents, space="w")
    arrays = verb(tmp_path, PARENT, child, "--seeds", "3,5", "--psi", 0.7, "--space", "w")
    assert (in_w.images() == arrays["images"]).all()
    file = tmp_path / "latents.npz"
    jobs.generate(PARENT, [3, 5], psi=0.7).write(file)
    for source in (file, str(file), [f"{file}@0", f"{file}@1"]):
        assert (jobs.translate(*pair, source).images() == expected).all()


@pytest.mark.slow
@pytest.mark.parametrize("space", ["z", "w+"])
def test_pictures_in_files_and_in_memory(child, pair, tmp_path, space):
    images = noise_images(2)
    folder = save_images(tmp_path / "photos", images)
    arrays = verb(tmp_path, PARENT, child, folder, *WORDS, "--space", space)
    options = jobs.PictureOptions(**INVERT)
    for source in (images, folder, [folder / "0.png", folder / "1.png"]):
        found = jobs.translate(*pair, source, space=space, pictures=options)
        assert (found.images() == arrays["images"]).all()
        assert (found.sources[0].pictures == images).all()
        assert found.usage.pictures and found.usage.optimised
        assert found.usage.in_z == (space == "z")
    assert found.results.names == ("0", "1")
    assert found.sheet().columns == ("image", PARENT.stem, "a network in memory")


def test_several_spaces(pair, child, tmp_path):
    found = jobs.translate(PARENT, child, "3", space=["z", "w", "s"])
    assert found.sheet().columns == (PARENT.stem, "child z", "child w", "child s")
    said = found.write(tmp_path / "job.png", Command("aligned x"))
    assert said == "1 rows, 4 columns"
    line = ("translate", PARENT, child, "--seeds", 3, "--space", "z,w,s")
    aligned(*line, "--out", tmp_path / "verb.png")
    with Image.open(tmp_path / "job.png") as ours, Image.open(tmp_path / "verb.png") as theirs:
        assert (np.asarray(ours) == np.asarray(theirs)).all()
    with pytest.raises(UserError, match="several spaces make a page"):
        found.write(tmp_path / "x.npz")
    with pytest.raises(UserError, match="several spaces make a page"):
        jobs.translate("nothing", "nothing", "3", space=["z", "w"], out=tmp_path / "x.npz")


@pytest.mark.parametrize(
    ("mix", "words"),
    [
        ({"reference": [7, 8], "layers": [2, 3]}, ("--reference", "7,8", "--layers", "2,3")),
        ({"texture": "7-8", "layers": "8px"}, ("--texture", "7-8", "--layers", "8px")),
        ({"reference": "7", "layers": "all"}, ("--reference", "7", "--layers", "all")),
        ({"texture": [7], "layers": 3, "noise": "random", "noise_seed": 2},
         ("--texture", "7", "--layers", "3", "--noise", "random", "--noise-seed", "2")),
    ],
)  # fmt: skip
def test_mixtures_are_those_of_the_verb(child, pair, tmp_path, mix, words):
    line = (PARENT, child, "--seeds", "3,5", *words)
    arrays = verb(tmp_path, *line)
    found = jobs.translate(PARENT, child, [3, 5], **mix)
    assert (found.images() == arrays["images"]).all()
    assert list(found.results.names) == json.loads(str(arrays["meta_json"]))["images"]
    aligned("translate", *line, "--out", tmp_path / "verb.png")
    found.write(tmp_path / "job.png")
    with Image.open(tmp_path / "job.png") as ours, Image.open(tmp_path / "verb.png") as theirs:
        assert (np.asarray(ours) == np.asarray(theirs)).all()


def test_references_may_be_pictures(pair):
    images = noise_images(2)
    options = jobs.PictureOptions(**INVERT)
    found = jobs.translate(*pair, [3], reference=images, layers=0, pictures=options)
    alone = jobs.translate(pair[1], pair[1], images, pictures=options)
    np.testing.assert_allclose(found.images(), alone.images(), atol=1e-5)
    assert found.facts["latents of the child"] == "inverted in z, 2 steps, noise drop, psi 0.5"


@pytest.mark.parametrize(
    "option",
    [{"steps": 3}, {"pixels": 2.0}, {"seed": 1}, {"restarts": 2}, {"align": "none"}],
)
def test_every_option_of_pictures_reaches_the_inversion(pair, option, monkeypatch):
    seen, invert = [], inversion.invert

    def spy(network, images, loss, settings, key, **more):
        seen.append(repr((images.sum(), loss, settings, key)))
        return invert(network, images, loss, settings, key, **more)

    monkeypatch.setattr(inversion, "invert", spy)
    wide = noise_images(1, 12)[:, :, 2:10]
    for changes in ({}, option):
        pictures = jobs.PictureOptions(**INVERT | changes)
        if "align" in changes:
            with pytest.raises(UserError, match="8x12 pixels are not square"):
                jobs.translate(*pair, wide, pictures=pictures)
            return
        jobs.translate(*pair, wide, pictures=pictures)
    assert seen[0] != seen[1]


def test_a_preset_decides_space_psi_and_noise(pair):
    found = jobs.translate(*pair, [3], preset="toonify", noise_seed=4)
    plain = jobs.translate(*pair, [3], space="z", noise="random", noise_seed=4, psi=0.5)
    assert (found.images() == plain.images()).all()
    assert found.usage.noise == "random" and found.spaces == ["z"]
    with pytest.raises(UserError, match="needs `space='z'`"):
        jobs.translate(*pair, [3], preset="toonify", space="w")
    with pytest.raises(UserError, match="no preset 'x'; there are plain, toonify"):
        jobs.translate(*pair, [3], preset="x")


class Listener(Reporter):
    """Keeps what it hears."""

    def __init__(self):
        self.warnings = []

    def warn(self, text):
        self.warnings.append(text)


def test_strangers_are_named(pair):
    moved = jax.tree.map(lambda value: value + np.float32(0.1), pair[0].variables)
    stranger = Network(pair[0].config, moved)
    report = Listener()
    jobs.translate(pair[0], stranger, [3], report=report)
    [warning] = report.warnings
    assert warning.startswith("a network in memory and a network in memory have no common ancestor")
    jobs.translate(*pair, [3], report=report)
    assert len(report.warnings) == 1
    with pytest.warns(UserWarning, match="no common ancestor"):
        jobs.translate(pair[0], stranger, [3])


def test_images_that_are_not_finite_are_left_out(pair, tmp_path):
    ws = np.array(pair[0].mapping(latents_of_seeds(pair[0].config, [3, 4]).arrays["z"]))
    ws[0] = 3e38
    latents = LatentBatch({"ws": ws}, ("bad", "good"), np.arange(2, dtype=np.uint32))
    beside = f"latents in {tmp_path}/y.npz"
    for out, said in (("x.npz", "1 images of 8 px"), ("y.png", f"1 rows, 2 columns, {beside}")):
        found = jobs.translate(*pair, latents)
        assert found.write(tmp_path / out) == said
        assert found.skipped == {"bad": "its numbers grew beyond all bounds in its images"}
    with np.load(tmp_path / "x.npz") as file:
        expected = translation.translate(pair[1], {"ws": ws[1:]})
        np.testing.assert_allclose(file["images"], expected, atol=1e-4)


def test_what_cannot_be_translated(pair, child, tmp_path):
    def refused(words, *argv, **options):
        with pytest.raises(UserError, match=words):
            jobs.translate(*argv, **options)

    refused("either a reference or a texture", *pair, [3], reference=[1], texture=[1])
    refused("`layers` can only be used", *pair, [3], layers=2)
    refused("give one `space`", *pair, [3], space=["z", "w"], texture=[1], layers=2)
    refused("not a list of seeds", *pair, [3], texture="a", layers=2)
    refused("noise is 'loud'", *pair, [3], noise="loud")
    refused("one list of seeds, or files", *pair, ["1", "a.png"])
    refused("no such picture", *pair, "3", kind="pictures")
    refused("a.png: no file of latents", *pair, ["a.png"], kind="latents")
    refused("not a list of seeds", *pair, "a.png", kind="seeds")
    refused(r"give uint8 \[N, H, W", *pair, np.zeros((1, 8, 8, 3), np.int32))
    refused("from which no way leads to w", *pair, latents_of_seeds(
        pair[0].config, [1]).styles(pair[0]), space="w")  # fmt: skip
    file = tmp_path / "a.npz"
    jobs.generate(PARENT, [1]).write(file)
    refused("would replace what is given", PARENT, child, file, out=file, overwrite=True)
    for words, options in (
        ("used alone or ones as starts", {"encoders": ["a"], "starts": ["b"]}),
        ("take no steps", {"encoders": ["a"], "steps": 3}),
        ("take no steps", {"encoders": ["a"], "restarts": 2}),
        ("`align` is 'left'", {"align": "left"}),
    ):
        with pytest.raises(UserError, match=words):
            jobs.PictureOptions(**options)
