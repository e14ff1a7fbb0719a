"""`jobs.evaluate` and `jobs.perceptual`, called from a script."""

import json
import warnings

import numpy as np
import pytest

from aligned_jax import evaluation, jobs, loading
from aligned_jax.errors import UserError
from aligned_jax.provenance import Command
from tests.jobs.small_inputs import PARENT, aligned, noise_images, save_images

pytestmark = pytest.mark.usefixtures("small_features")


@pytest.fixture
def folder(tmp_path):
    return save_images(tmp_path / "images", noise_images(12))


def test_scores_are_those_of_the_verb(folder):
    words = ("--metrics", "kid", "--num", 10, "--subset-size", 6, "--psi", 0.5, "--json")
    document = json.loads(aligned("evaluate", PARENT, "--data", folder, *words, "--no-cache"))
    options = evaluation.Options(subset_size=6)
    chosen = {"num": 10, "options": options, "psi": 0.5, "cache": False}
    evaluated = jobs.evaluate(str(PARENT), folder, "kid", **chosen)
    assert evaluated.document(Command(document["command"], document["arguments"])) == document
    assert f"against {folder}: 12 images" in evaluated.table() and "psi 0.5" in evaluated.table()
    loaded = jobs.evaluate(loading.load(PARENT), folder, "kid", **chosen)
    assert loaded.scores.values == document["scores"] and loaded.images["source"] == PARENT.name
    assert jobs.evaluate(PARENT, folder, "kid", **chosen | {"num": 9}).scores != loaded.scores


def test_what_to_bear_in_mind_is_a_warning(folder):
    with pytest.warns(UserWarning, match="no full rank"):
        few = jobs.evaluate(folder, folder, "fid", num=5, cache=False)
    assert len(few.scores.warnings) == len(few.document()["warnings"]) == 1


def test_what_changes_nothing_is_warned_of(folder):
    options = evaluation.Options(subsets=3, pairs=20)
    expected = "`subsets`, `seed`, `psi`, `half_pixel`: without effect on these metrics and images"
    with pytest.warns(UserWarning, match=expected):
        jobs.evaluate(folder, None, "diversity", seed=1, psi=0.5, half_pixel=True, options=options)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        jobs.evaluate(folder, None, "diversity", options=evaluation.Options(pairs=20))


def test_files_that_are_no_pictures_are_named(folder):
    (folder / "a.heic").write_bytes(b"x")
    (folder / "b.HEIC").write_bytes(b"x")
    (folder / "notes.txt").write_text("x")
    expected = rf"{folder}: passed over, as no pictures that can be read: 2 \.heic$"
    for images, data in ((folder, None), (str(PARENT), folder)):
        with (
            pytest.warns(UserWarning, match=expected),
            pytest.raises(UserError, match=r"only be had|compares with|compares noises|needs"),
        ):
            jobs.evaluate(images, data, "ppl" if data is None else "diversity_z", noise="none")


def test_features_of_the_reals_are_kept_on_request(folder, tmp_path):
    for cache in (False, True):
        jobs.evaluate(folder, folder, "kid", options=evaluation.Options(subset_size=6), cache=cache)
        assert (tmp_path / "home").exists() == cache


def test_what_cannot_be_scored_is_refused(folder):
    with pytest.raises(UserError, match="no such metric: fido"):
        jobs.evaluate(folder, folder, "fido")
    with pytest.raises(UserError, match="compares with real images"):
        jobs.evaluate(folder, None, "kid")


def test_distances_are_those_of_the_verb(folder, tmp_path):
    other = save_images(tmp_path / "other", noise_images(12)[::-1])
    for net in ("vgg", "alex"):
        document = json.loads(aligned("perceptual", folder, other, "--net", net, "--json"))
        ours = jobs.perceptual(folder, other, net=net)
        assert ours.document(Command(document["command"], document["arguments"])) == document
        assert ours.table() + "\n" == aligned("perceptual", folder, other, "--net", net)
    assert ours.distances.shape == (12,) and ours.names[0] == "0.png"
    small = jobs.perceptual(folder, other, net="alex", batch=3)
    np.testing.assert_allclose(small.distances, ours.distances, rtol=1e-5)
