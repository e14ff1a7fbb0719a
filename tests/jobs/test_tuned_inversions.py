"""`jobs.invert` with tuning: what is kept, what is refused, and that a stopped call goes on."""

import dataclasses
import json

import numpy as np
import pytest
from PIL import Image

from aligned_jax import inversion, jobs, loading
from aligned_jax.errors import ConfigError, UserError
from aligned_jax.inversion import TuningSettings
from aligned_jax.jobs import TuneOptions
from aligned_jax.jobs.inversion.tuning import PIVOT, Tuner
from aligned_jax.networks import fingerprint
from aligned_jax.provenance import Command
from tests.jobs.small_inputs import PARENT, noise_images, save_images

QUICK = {"perceptual": "none", "pixels": 1.0, "steps": 2, "samples": 20}
FEW = TuneOptions(TuningSettings(steps=5, learning_rate=0.02), perceptual="none")


def run(count=2, options=FEW, network=PARENT, **more):
    return jobs.invert(network, noise_images(count), tune=options, **{**QUICK, **more})


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """What two pictures came to, and the folder."""
    out = tmp_path_factory.mktemp("tuned") / "out"
    return run(out=out, command=Command("aligned invert x", {"tune": True})), out


def test_each_picture_has_a_network_that_draws_it(folder, network):
    results, out = folder
    files = {path.name for path in out.iterdir()}
    assert {f"image000{k}.{end}" for k in (0, 1) for end in ("npz", "png", "safetensors")} < files
    for k, one in enumerate(results.images):
        tuned, name = one.tuned, one.target.name
        path = out / f"{name}.safetensors"
        assert (tuned.steps, tuned.bytes, tuned.file) == (5, path.stat().st_size, path.name)
        assert tuned.distances["pixel"] < tuned.before["pixel"]
        assert tuned.before["pixel"] == pytest.approx(one.inversion.distances["pixel"], rel=1e-4)
        # The file is that network, and the latent that is kept is drawn by it.
        bent = loading.load(path)
        assert fingerprint(bent.variables) == fingerprint(results.tuned_network(k).variables)
        drawn = np.asarray(bent.synthesis(inversion.load(out / f"{name}.npz", network).latent))
        shown = np.asarray(Image.open(out / f"{name}.png"))
        three = [one.target.pixels, one.image, tuned.image]
        assert (shown == np.concatenate(three, axis=1)).all()
        np.testing.assert_allclose((drawn[0].clip(-1, 1) + 1) * 127.5, tuned.image, atol=1)
        assert bent.provenance["command"] == "aligned invert x"
        assert bent.provenance["tuned_from"] == fingerprint(network.variables)
    names = [loading.load(out / f"image000{k}.safetensors") for k in (0, 1)]
    assert fingerprint(names[0].variables) != fingerprint(names[1].variables)
    document = json.loads((out / "inversions.json").read_text())
    assert document["finished"] and document["tuning"]["settings"]["steps"] == 5
    assert document["images"][0]["tuned"] == results.images[0].tuned.row
    assert document["mean"]["tuned"] == results.tuned_means
    page = (out / "index.html").read_text()
    assert page.count(", tuned") == 2 and "LPIPS before and after" in page
    assert results.summary == "inverted in w and tuned"


def test_together_they_share_one(tmp_path):
    both = dataclasses.replace(FEW, together=True)
    results = run(options=both, out=tmp_path / "out")
    assert [*(tmp_path / "out").glob("*.safetensors")] == [tmp_path / "out" / "tuned.safetensors"]
    assert [one.tuned.steps for one in results.images] == [10, 10]
    bent = loading.load(tmp_path / "out" / "tuned.safetensors")
    for k in (0, 1):
        assert fingerprint(results.tuned_network(k).variables) == fingerprint(bent.variables)
    assert (results.images[0].tuned.image != run().images[0].tuned.image).any()


def test_options_change_what_is_kept(folder):
    plain = folder[0].images[0].tuned
    image = plain.image.astype(int)
    settings = FEW.settings
    for change in (
        {"settings": dataclasses.replace(settings, steps=9)},
        {"settings": dataclasses.replace(settings, learning_rate=0.2)},
        {"rank": 1},
        {"dtype": "float32"},
    ):
        other = run(1, dataclasses.replace(FEW, **change)).images[0].tuned
        drawn = np.abs(other.image.astype(int) - image).max()
        assert (drawn > 0) != ("dtype" in change) or other.distances != plain.distances, change
        assert other.distances != plain.distances, change
        sizes = {"rank": -1, "dtype": 1}
        if wanted := sizes.get(next(iter(change))):
            assert np.sign(other.delta.bytes - plain.delta.bytes) == wanted


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"space": "z", "samples": None}, "`space` is 'z'; a network is tuned at latents in w"),
        ({"space": "s"}, "`space` is 's'"),
        ({"noise": "keep"}, "`noise` is 'keep'; a network is tuned with its stored maps"),
        ({"noise": "none"}, "`noise` is 'none'"),
    ],
)
def test_pivots_that_cannot_be(more, said, tmp_path):
    with pytest.raises(UserError, match=said):
        run(out=tmp_path / "out", **more)
    assert not [*tmp_path.iterdir()]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"perceptual": "squeeze"}, "no LPIPS with 'squeeze'; it can be alex, vgg, none"),
        ({"dtype": "int8"}, "'int8'; it can be float16 or float32"),
        ({"rank": 0}, "is 0; it is at least 1"),
    ],
)
def test_options_that_cannot_be(more, said):
    with pytest.raises(ConfigError, match=said):
        TuneOptions(**more)


def test_pivots_are_found_as_the_authors_do(monkeypatch):
    heard = []

    def noted(request, options, folder):
        heard.append(request.settings)
        raise KeyboardInterrupt

    monkeypatch.setattr("aligned_jax.jobs.inversion.run.Tuner", noted)
    for settings in ({}, {"steps": 7, "learning_rate": None}):
        with pytest.raises(KeyboardInterrupt):
            jobs.invert(PARENT, noise_images(1), tune=FEW, perceptual="none", pixels=1, **settings)
    assert (heard[0].steps, heard[0].learning_rate, heard[0].samples) == (450, 0.01, 600)
    assert heard[1] == dataclasses.replace(heard[0], steps=7)
    assert heard[0] == inversion.Settings(**PIVOT)


def test_a_network_is_not_replaced_by_its_delta(tmp_path):
    photos = save_images(tmp_path / "photos", noise_images(1))
    loading.save(tmp_path / "0.safetensors", loading.load(PARENT))
    before = (tmp_path / "0.safetensors").read_bytes()
    with pytest.raises(UserError, match="the results would replace what is given"):
        jobs.invert(
            tmp_path / "0.safetensors", photos, out=tmp_path, overwrite=True, tune=FEW, **QUICK
        )
    assert (tmp_path / "0.safetensors").read_bytes() == before


def test_a_stopped_tuning_goes_on(tmp_path, monkeypatch, folder):
    out, one = tmp_path / "out", Tuner._one
    command, tuned = Command("aligned invert x", {"tune": True}), []

    def some(tuner, group, advance):
        tuned.append(group[0].target.name)
        if len(tuned) == 2:
            raise KeyboardInterrupt
        return one(tuner, group, advance)

    with monkeypatch.context() as patch:
        patch.setattr(Tuner, "_one", some)
        said = "stopped after 2 of 2 images, 1 of them tuned; the same command goes on"
        with pytest.warns(UserWarning, match=said), pytest.raises(KeyboardInterrupt):
            run(out=out, command=command)
    document = json.loads((out / "inversions.json").read_text())
    assert not document["finished"]
    assert ["tuned" in row for row in document["images"]] == [True, False]
    before = (out / "image0000.safetensors").stat().st_mtime_ns
    tune, again = inversion.tune, []

    def noted(*args, **more):
        again.append(1)
        return tune(*args, **more)

    monkeypatch.setattr(inversion, "tune", noted)
    results = run(out=out, command=command)
    assert len(again) == 1 and len(results) == 2
    assert (out / "image0000.safetensors").stat().st_mtime_ns == before
    for name in ("image0000", "image0001"):
        for end in ("safetensors", "png"):
            same = (out / f"{name}.{end}", folder[1] / f"{name}.{end}")
            assert same[0].read_bytes() == same[1].read_bytes(), (name, end)


def test_a_tuning_that_diverges_is_named(tmp_path):
    wild = TuneOptions(TuningSettings(steps=3, learning_rate=1e38), perceptual="none")
    with pytest.raises(UserError, match="no tuning stayed finite; use a smaller rate"):
        run(1, wild, out=tmp_path / "out")
    assert not [*(tmp_path / "out").glob("*.safetensors")]
