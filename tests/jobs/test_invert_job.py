"""`jobs.invert` called from a script."""

import contextlib
import dataclasses
import json
import warnings

import jax
import numpy as np
import pytest
from PIL import Image

import aligned_jax as aj
from aligned_jax import inversion, jobs, loading
from aligned_jax.errors import UserError
from aligned_jax.inversion.options import OPTIMISER, GivenSettings
from aligned_jax.jobs.inversion.run import InversionRun
from aligned_jax.provenance import Command
from aligned_jax.rendering.draw import render
from aligned_jax.utils.reporting import Reporter
from tests.helpers import DATA
from tests.jobs.small_inputs import PARENT, aligned, noise_images, save_images

QUICK = {"perceptual": "none", "pixels": 1.0, "steps": 4}
OPTIONS = ("--perceptual", "none", "--pixels", 1, "--steps", 4)


@pytest.fixture
def photos(tmp_path):
    return save_images(tmp_path / "photos", noise_images(2))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("space", "more"),
    [("w", {"samples": 20, "noise": "keep", "seed": 3}), ("z", {}), ("s", {"samples": 20})],
)
def test_arrays_come_to_what_the_verb_writes(space, more, child, photos, tmp_path):
    out = tmp_path / "out"
    words = [word for name, value in more.items() for word in (f"--{name}", value)]
    aligned("invert", child, photos, "--space", space, *OPTIONS, *words, "--out", out)
    network = loading.load(child)
    results = jobs.invert(network, noise_images(2), space=space, **QUICK, **more)
    assert results.names == ("image0000", "image0001") and len(results) == 2
    for number, result in enumerate(results.images):
        saved = inversion.load(out / f"{number}.npz", network)
        assert result.inversion.latent.tobytes() == saved.latent.tobytes()
        assert results.latent[number].tobytes() == saved.latent[0].tobytes()
        assert result.inversion.distances == saved.distances
        assert result.inversion.settings == results.settings == saved.settings
        assert (saved.noise is None) == (result.inversion.noise is None)
        for layer in saved.noise or {}:
            assert (saved.noise[layer] == result.inversion.noise[layer]).all()
        pair = np.asarray(Image.open(out / f"{number}.png"))
        assert (pair == np.concatenate([noise_images(2)[number], result.image], axis=1)).all()
        assert results.distances["pixel"][number] == saved.distances["pixel"]
    document = json.loads((out / "inversions.json").read_text())
    assert results.means == document["mean"]


@pytest.mark.parametrize(
    ("space", "more"),
    [("z", {}), ("z+", {"psi": 1.0}), ("w+", {"samples": 20, "noise": "keep"}), ("s", {})],
)
def test_latents_are_drawn_as_they_were_found(space, more, child):
    more = {"samples": 20, **more} if space == "s" else more
    results = jobs.invert(child, noise_images(3), space=space, **QUICK, **more)
    latents = results.latents()
    assert latents.in_z == (space in ("z", "z+"))
    drawn = aj.viz.to_uint8(render(results.network, latents)).astype(int)
    assert np.abs(drawn - np.stack([one.image for one in results.images])).max() <= 1
    assert (latents.pictures == noise_images(3)).all()
    assert latents.names == results.names


def test_a_folder_is_that_of_the_verb(child, photos, tmp_path):
    out, again = tmp_path / "out", tmp_path / "again"
    words = ("--samples", 20, "--video", "--align", "none", "--restarts", 2, "--spread", 0.1)
    aligned("invert", child, photos, *OPTIONS, *words, "--out", out)
    known = json.loads((out / "inversions.json").read_text())
    jobs.invert(
        str(child),
        photos,
        align="none",
        out=again,
        video=True,
        command=Command(known["command"], known["arguments"]),
        **QUICK,
        samples=20,
        restarts=2,
        spread=0.1,
    )
    files = sorted(path.name for path in out.iterdir())
    assert files == sorted(path.name for path in again.iterdir()) and len(files) == 8
    for name in files:
        if name.endswith(".npz"):
            with np.load(out / name) as ours, np.load(again / name) as theirs:
                assert ours.files == theirs.files
                for key in ours.files:
                    assert ours[key].tobytes() == theirs[key].tobytes()
        else:
            assert (out / name).read_bytes() == (again / name).read_bytes(), name


def test_a_stopped_call_goes_on(child, tmp_path, monkeypatch):
    images, out, keep = noise_images(3), tmp_path / "out", InversionRun.keep
    call = {"out": out, "samples": 20, **QUICK}

    def stop(run, part, index, number):
        if number == 1:
            raise KeyboardInterrupt
        keep(run, part, index, number)

    with monkeypatch.context() as patch, pytest.warns(UserWarning, match="stopped after 1 of 3"):
        patch.setattr(InversionRun, "keep", stop)
        with pytest.raises(KeyboardInterrupt):
            jobs.invert(child, images, **call)
    parts, inverted = inversion.parts, []

    def noted(network, images, *rest, **options):
        inverted.append(len(images))
        return parts(network, images, *rest, **options)

    monkeypatch.setattr(inversion, "parts", noted)
    results = jobs.invert(child, images, **call)
    assert inverted == [2]
    once = jobs.invert(child, images, samples=20, **QUICK)
    assert results.latent.tobytes() == once.latent.tobytes()
    with pytest.raises(UserError, match="is not empty"):
        jobs.invert(child, images, **call)
    jobs.invert(child, images, overwrite=True, **call)
    assert inverted == [2, 3, 3]


def test_what_cannot_be_read_is_said_by_the_result_alone(child, photos, capsys):
    (photos / "bad.png").write_text("no picture")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        results = jobs.invert(child, [photos], samples=20, **QUICK)
    assert results.names == ("0", "1")
    assert results.skipped == {f"{photos}/bad.png": "no picture, or a damaged one"}
    assert capsys.readouterr() == ("", "")


@pytest.mark.slow
def test_a_class_of_a_conditional_network():
    network = DATA / "generator_options16.pkl"
    images = noise_images(1, 16)
    first, second = (
        jobs.invert(network, images, space="z", noise="const", label=label, **QUICK)
        for label in (0, 1)
    )
    assert (first.latent != second.latent).any()
    np.testing.assert_array_equal(second.latents().arrays["c"], [[0, 1, 0]])
    with pytest.raises(UserError, match="this network is conditional"):
        jobs.invert(network, images, space="z", **QUICK)


def test_progress_counts_the_steps_of_every_image(child):
    begun, steps = [], []

    class Counting(Reporter):
        @contextlib.contextmanager
        def progress(self, total, what):
            begun.append((total, what))
            yield lambda count, note="": steps.append(count)

    jobs.invert(child, noise_images(2), samples=20, report=Counting(), **QUICK)
    assert begun == [(2 * 4, "steps")] and sum(steps) == 2 * 4 and len(steps) > 2


def test_arguments_that_contradict_each_other(child, tmp_path):
    images = noise_images(1)
    for more, expected in (
        ({"encoder": "e", "start": "e"}, "either an encoder that is used alone or one as a start"),
        ({"encoder": "e", "steps": 3, "samples": 9}, "steps, samples: an encoder that is used al"),
        ({"encoder": "e", "noise": "keep"}, "noise: an encoder that is used alone"),
        ({"encoder": "e", "video": True, "out": tmp_path / "out"}, "video: an encoder that is use"),
        ({"video": True}, "give its name as out"),
        ({"perceptual": "none"}, "`pixels` is 0"),
        ({"space": "v"}, "space is 'v'; it can be z, z\\+, w, w\\+, s"),
        ({"align": "none", "images": noise_images(1)[:, 2:]}, "8x6 pixels are not square"),
    ):
        with pytest.raises(UserError, match=expected):
            jobs.invert(child, more.pop("images", images), **more)
    with pytest.raises(TypeError, match="stepz"):
        jobs.invert(child, images, stepz=3)
    assert not [*tmp_path.iterdir()]


def test_all_settings_can_be_given():
    settings = {field.name for field in dataclasses.fields(inversion.Settings)}
    assert set(GivenSettings.__annotations__) == settings - {"space"}
    assert set(OPTIMISER) < settings


def test_nothing_stays_finite(child, tmp_path):
    wild = {"learning_rate": 1e30, "noise": "const", "rampup": 0.0, "samples": 20}
    with pytest.raises(UserError, match="not one inversion stayed finite"):
        jobs.invert(child, noise_images(1), out=tmp_path / "out", **QUICK, **wild)
    assert not (tmp_path / "out").exists()


def test_networks_that_are_loaded_need_no_name(photos):
    network = loading.load(PARENT)
    named = jobs.invert(PARENT, photos, samples=20, **QUICK)
    loaded = jobs.invert(network, photos, samples=20, **QUICK)
    assert named.latent.tobytes() == loaded.latent.tobytes()
    assert named.images[0].inversion.facts["network"]["network"] == str(PARENT)
    assert loaded.images[0].inversion.facts["network"]["network"] == network.provenance["file"]
    bare = aj.Network(network.config, jax.tree.map(lambda x: x, network.variables))
    facts = jobs.invert(bare, photos, samples=20, **QUICK).images[0].inversion.facts
    assert facts["network"] == {"network": "a network in memory", "key": "G_ema"}
