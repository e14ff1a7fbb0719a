"""`translate --edit`: latents that are edited in the parent, or in the child."""

import numpy as np
import pytest
from PIL import Image

from aligned_jax import jobs, loading, viz
from aligned_jax.errors import UserError
from aligned_jax.rendering import latents_of_seeds, render
from aligned_jax.rendering.editing import edited
from aligned_jax.semantics import Direction
from tests.jobs.small_inputs import PARENT, aligned, save_child


@pytest.fixture(scope="module")
def networks(tmp_path_factory):
    child = save_child(tmp_path_factory.mktemp("networks") / "child")
    return PARENT, child


@pytest.fixture(scope="module")
def word(tmp_path_factory):
    place = tmp_path_factory.mktemp("directions") / "w.npz"
    vector = np.float32([1, 2, 0, -1, 0, 1]) / np.sqrt(np.float32(7))
    jobs.write_direction(place, Direction("w", {"w": vector}, 0.7, "", 0.1))
    return f"{place}:3"


def test_an_edit_in_the_child_comes_after(networks, word):
    parent, child = map(loading.load, networks)
    plain = jobs.translate(*networks, "0-1")
    told = jobs.translate(*networks, "0-1", edits=[word])
    [edit] = jobs.read_edits("", parent, [word])
    batch = latents_of_seeds(child.config, [0, 1], psi=0.5)
    expected = render(child, edited(child, batch, [edit]))
    np.testing.assert_allclose(told.images(), expected, atol=1e-5)
    sheet = told.sheet()
    assert sheet.columns == (*plain.sheet().columns, "w +3")
    np.testing.assert_array_equal(sheet.images[:, :-1], plain.sheet().images)
    np.testing.assert_array_equal(sheet.images[:, -1], viz.to_uint8(told.images()))
    assert told.facts["edits"] == "w +3" and "edits" not in plain.facts


def test_an_edit_in_the_parent_comes_before(networks, word):
    parent, child = map(loading.load, networks)
    told = jobs.translate(*networks, "0-1", edits=[word], edit_in="parent")
    [edit] = jobs.read_edits("", parent, [word])
    batch = edited(parent, latents_of_seeds(parent.config, [0, 1], psi=0.5), [edit])
    np.testing.assert_allclose(told.images(), render(child, batch), atol=1e-5)
    after = jobs.translate(*networks, "0-1", edits=[word])
    assert np.abs(after.images() - told.images()).max() > 1e-3
    sheet = told.sheet()
    assert len(sheet.columns) == 2
    np.testing.assert_array_equal(sheet.images[:, 0], viz.to_uint8(render(parent, batch)))
    with pytest.raises(UserError, match=r"the latents are of w, from which no way leads to z"):
        jobs.translate(*networks, "0-1", edits=[word], edit_in="parent", space="z")


def test_references_are_not_edited(networks, word):
    plain = jobs.translate(*networks, "0", reference="5", layers=2)
    told = jobs.translate(*networks, "0", reference="5", layers=2, edits=[word])
    before, after = plain.results.style_vectors(), told.results.style_vectors()
    changed = [name for name in before if (before[name] != after[name]).any()]
    assert changed == list(before)[:2]


def test_the_verb_does_the_same(networks, word, tmp_path):
    out = tmp_path / "x.png"
    shown = []
    for more in ((), ("--edit", word), ("--edit", word, "--edit-in", "parent")):
        aligned("translate", *networks, "--seeds", "0-1", *more, "--overwrite", "--out", out)
        with Image.open(out) as image:
            shown.append(np.asarray(image))
    sheet = jobs.translate(*networks, "0-1", edits=[word]).sheet()
    np.testing.assert_array_equal(shown[1], sheet.picture())
    assert shown[1].shape[1] > shown[0].shape[1] and (shown[2] != shown[0]).any()
