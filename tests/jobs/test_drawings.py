"""`jobs.generate`, called from a script."""

import json
import re

import numpy as np
import pytest
from PIL import Image

from aligned_jax import jobs
from aligned_jax.errors import UserError
from aligned_jax.provenance import Command
from aligned_jax.rendering.draw import NotFinite
from aligned_jax.rendering.latent_batch import LatentBatch, latents_of_seeds
from aligned_jax.utils.reporting import Reporter
from aligned_jax.viz import tile, to_uint8
from tests.helpers import DATA
from tests.jobs.small_inputs import PARENT, aligned


def test_images_are_those_of_the_verb(network, tmp_path):
    out = tmp_path / "verb.npz"
    aligned("generate", PARENT, "--seeds", "3,5", "--psi", 0.5, "--cutoff", 1, "--out", out)
    with np.load(out) as file:
        verb = dict(file)
    for source, seeds in ((PARENT, "3,5"), (network, [3, 5])):
        drawing = jobs.generate(source, seeds, psi=0.5, cutoff=1)
        assert len(drawing) == 2 and drawing.latents.names == ("seed 3", "seed 5")
        assert (drawing.images() == verb["images"]).all()
        command = Command("aligned generate x", {"seeds": "3,5"})
        drawing.write(tmp_path / "job.npz", command, overwrite=True)
        with np.load(tmp_path / "job.npz") as file:
            assert file.files == list(verb)
            for key in ("images", "z", "c", "ws"):
                assert (file[key] == verb[key]).all()
            ours, theirs = (json.loads(str(one["meta_json"])) for one in (file, verb))
    assert ours["command"] == command.line
    assert list(ours) == list(theirs)
    for key in ("config", "images", "manner", "versions"):
        assert ours[key] == theirs[key]
    manner = ["psi", "cutoff", "noise", "noise_seed", "half", "batch", "precision"]
    assert list(theirs["manner"]) == manner
    assert ours["network"]["sha256"] == theirs["network"]["sha256"]


def test_files_of_latents_and_latents_at_hand(network, tmp_path):
    jobs.generate(PARENT, "0-2", psi=0.5).write(tmp_path / "a.npz")
    plain = jobs.generate(PARENT, "0-2", psi=0.5).images()
    drawing = jobs.generate(PARENT, latents=tmp_path / "a.npz")
    np.testing.assert_allclose(drawing.images(), plain, atol=1e-5)
    again = jobs.generate(PARENT, latents=tmp_path / "a.npz", psi=0.5)
    assert np.abs(again.images() - plain).max() > 1e-3
    latents = latents_of_seeds(network.config, "0-2", psi=0.5)
    assert (jobs.generate(PARENT, latents=latents).images() == plain).all()
    other = jobs.generate(PARENT, latents=latents, psi=1.0)
    assert (other.images() == jobs.generate(PARENT, "0-2").images()).all()


@pytest.mark.parametrize(
    "option",
    [{"cutoff": 1}, {"noise": "none"}, {"noise": "random"}, {"half": "bfloat16"}, {"psi": 0.7},
     {"noise": "random", "noise_seed": 1}],
)  # fmt: skip
def test_every_option_changes_the_images(option):
    plain = jobs.generate(PARENT, "0-1", psi=0.5).images()
    changed = jobs.generate(PARENT, "0-1", **{"psi": 0.5} | option)
    assert np.abs(changed.images() - plain).max() > 1e-4
    if "noise_seed" in option:
        first = jobs.generate(PARENT, "0-1", psi=0.5, noise="random").images()
        assert np.abs(changed.images() - first).max() > 1e-4


def test_labels_and_networks_of_a_file():
    network = DATA / "generator_cond16.pkl"
    first, second = (jobs.generate(network, [1], label=label).images() for label in (0, 1))
    assert np.abs(first - second).max() > 1e-3
    with pytest.raises(UserError, match="choose a class with `label`"):
        jobs.generate(network, [1])
    assert jobs.generate(PARENT, [1], network_key="G").network_key == "G"


class Listener(Reporter):
    """Counts what it hears."""

    def __init__(self):
        self.heard = []

    def progress(self, total, what):
        self.heard.append((total, what))
        return super().progress(total, what)


@pytest.mark.parametrize("out", ["x.png", "x.html", "x", "x.npz"])
def test_all_forms(out, tmp_path):
    drawing, report = jobs.generate(PARENT, "3,5", batch=1), Listener()
    drawing.write(tmp_path / out, Command("aligned generate <x>"), report=report)
    assert report.heard == [(2, "images")]
    images = to_uint8(drawing.images())
    if out == "x.html":
        page = (tmp_path / out).read_text()
        assert "aligned generate &lt;x&gt;" in page and page.count("<img") == 2
        told = dict(re.findall(r"<td>([^<]*)</td><td>([^<]*)</td>", page))
        assert (told["psi"], told["batch"], told["key"]) == ("1.0", "1", "G_ema")
    elif out == "x.png":
        with Image.open(tmp_path / out) as image:
            assert (np.asarray(image) == tile(images)).all()
            assert image.text["Comment"] == "aligned generate <x>"
    elif out == "x":
        for name, pixels in zip(("seed0003", "seed0005"), images, strict=True):
            with Image.open(tmp_path / "x" / f"{name}.png") as image:
                assert (np.asarray(image) == pixels).all()
    with pytest.raises(UserError, match=r"already exists|not empty"):
        drawing.write(tmp_path / out)
    drawing.write(tmp_path / out, overwrite=True)


def test_what_cannot_be_written_is_refused_before_the_network_is_loaded(tmp_path):
    def refused(words, **options):
        with pytest.raises(UserError, match=words):
            jobs.generate("no such network", **options)

    (tmp_path / "x.png").touch()
    refused("already exists", seeds="1", out=tmp_path / "x.png")
    refused("are written to NAME.npz", seeds="1", out=tmp_path / "x.jpg")
    refused("given more than once: 1", seeds=[1, 1], out=tmp_path / "x")
    refused("not a list of seeds", seeds="a")
    refused("either `seeds` or `latents`")
    refused("either `seeds` or `latents`", seeds="1", latents="a.npz")
    refused("no such", seeds="1", out=tmp_path / "x.png", overwrite=True)


def test_what_does_not_fit(network):
    for words, options in (
        ("noise is 'loud'; it is const, random, none; half is 'a'; it is bfloat16 or float16",
         {"noise": "loud", "half": "a"}),
        ("batch is 0", {"batch": 0}), ("no seeds were given", {"seeds": []}),
    ):  # fmt: skip
        with pytest.raises(UserError, match=words):
            jobs.generate(network, **{"seeds": [1]} | options)
    styles = latents_of_seeds(network.config, [1]).styles(network)
    with pytest.raises(UserError, match="styles cannot be truncated"):
        jobs.generate(network, latents=styles, psi=0.5)


def test_images_that_are_not_finite(network):
    ws = np.array(network.mapping(latents_of_seeds(network.config, [0, 1]).arrays["z"]))
    ws[1] = 3e38
    latents = LatentBatch({"ws": ws}, ("a", "b"), np.arange(2, dtype=np.uint32))
    drawing = jobs.generate(network, latents=latents)
    assert drawing.finite().tolist() == [True, False]
    with pytest.raises(NotFinite, match="in the images of b;"):
        drawing.images()
    assert np.isfinite(drawing.take([0]).images()).all()
