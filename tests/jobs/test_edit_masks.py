"""Masks by the names of parts, that a reader finds in each picture."""

import json

import numpy as np
import pytest
from PIL import Image

from aligned_jax import jobs
from aligned_jax.errors import UserError
from aligned_jax.features.attributes.file import save_reader
from aligned_jax.jobs.edits.part_masks import part_mask
from aligned_jax.utils.reporting import Reporter
from tests.jobs.small_inputs import PARENT, aligned
from tests.labelled_pictures import reader

PARTS = ("ground", "hat", "hair")


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    """A reader that was never trained, but tells parts of every picture somehow."""
    path = tmp_path_factory.mktemp("readers") / "parts.safetensors"
    save_reader(path, reader(parts=PARTS))
    return path


def halves(images):
    """The left is there, and what is bright is bright."""
    left = np.zeros(images.shape[:3], np.float32)
    left[:, :, :4] = 1
    bright = (images.mean(axis=-1) > 0).astype(np.float32)
    return np.stack([left, bright], axis=-1)


halves.names = ("left", "bright")


def drawn(network, **more):
    family = jobs.edit([network], jobs.EditRequest(["2_2:9"], **more), latents="0-1", names=["a"])
    return family.sheet().images[0].astype(int), family


@pytest.fixture(scope="module")
def plain(network):
    """Before and after, nowhere masked; [2 seeds, H, W, C] each."""
    images, family = drawn(network)
    assert family.inside == {}
    return images[::2], images[1::2]


def test_an_edit_stays_in_its_part(network, plain):
    before, whole = plain
    images, family = drawn(network, mask="left", reader=halves)
    np.testing.assert_array_equal(images[::2], before)
    np.testing.assert_array_equal(images[1::2, :, :4], whole[:, :, :4])
    np.testing.assert_array_equal(images[1::2, :, 4:], before[:, :, 4:])
    change = np.abs(whole - before)
    assert family.inside["a"] == pytest.approx(change[:, :, :4].sum() / change.sum(), abs=0.02)
    assert 0 < family.inside["a"] < 1


def test_a_part_is_where_it_was_or_where_it_is_now(network, plain):
    before, _ = plain
    both = part_mask("bright", halves)
    old, new = (image.astype(np.float32) / 127.5 - 1 for image in plain)
    was, now = (image.mean(axis=-1) > 0 for image in (old, new))
    np.testing.assert_array_equal(both.shares(old, new)[..., 0] > 0, was | now)
    assert (was != now).any()
    images, _ = drawn(network, mask="bright", reader=halves)
    np.testing.assert_array_equal(images[1::2][~(was | now)], before[~(was | now)])
    assert (images[1::2][was | now] != before[was | now]).any()
    # Parts add up; each picture has a mask of its own.
    together = part_mask("left,bright", halves).shares(old, new)
    np.testing.assert_array_equal(
        together, np.maximum(both.shares(old, new), part_mask("left", halves).shares(old, new))
    )
    assert (both.shares(old, new)[0] != both.shares(old, new)[1]).any()


def test_a_reader_by_name_and_the_recipe(network, file, plain, tmp_path):
    images, family = drawn(network, mask="hat", reader=file)
    other, _ = drawn(network, mask="hair", reader=str(file))
    loaded, _ = drawn(network, mask="hat", reader=reader(parts=PARTS))
    np.testing.assert_array_equal(images, loaded)
    assert (images[1::2] != plain[1]).any() and (images != other).any()
    family.recipe.write(tmp_path / "r.json")
    kept = json.loads((tmp_path / "r.json").read_text())
    assert kept["mask"] == {"parts": ["hat"], "reader": str(file)}

    def replayed(**more):
        request = jobs.EditRequest(recipe=tmp_path / "r.json", **more)
        return jobs.edit([network], request, latents="0-1").sheet().images[0]

    np.testing.assert_array_equal(replayed(), images)
    np.testing.assert_array_equal(replayed(mask="hair", reader=file), other)
    for changed, message in (
        ({"parts": ["hat"], "reader": "own.py:parts"}, "a recipe runs no function: name it your"),
        (
            {"parts": ["tail"], "reader": str(file)},
            "does not know tail; it knows ground, hat, hair",
        ),
        ({"parts": [], "reader": "x"}, "its mask is no text, and no parts with a reader"),
        ({"parts": ["a"], "reader": "x", "more": 1}, "its mask is no text, and no parts"),
        ({"parts": ["a"]}, "its mask is no text, and no parts"),
    ):
        (tmp_path / "r.json").write_text(json.dumps({**kept, "mask": changed}))
        with pytest.raises(UserError, match=message):
            replayed()


class Listener(Reporter):
    """Keeps what it hears."""

    def __init__(self):
        self.heard = []

    def warn(self, text):
        self.heard.append(text)


def test_what_cannot_be(network, file):
    def refused(message, **more):
        with pytest.raises(UserError, match=message):
            jobs.edit([network], jobs.EditRequest(["2_2:9"], **more), latents="0")

    refused("does not know tail, ears; it knows ground, hat, hair", mask="tail,ears", reader=file)
    refused("names no part", mask=" , ", reader=file)
    refused("tells no parts of pictures", mask="hat", reader=reader())
    refused(r"hair: no such file; if it is a part .*\(`reader`\)", mask="hair")
    refused("a reader finds the parts that a mask names", reader=file)
    mute = part_mask("part 1", lambda images: halves(images))
    drawn(network, mask=mute)
    with pytest.raises(UserError, match="does not know part 7; it knows part 0, part 1"):
        drawn(network, mask="part 7", reader=lambda images: halves(images))
    with pytest.raises(UserError, match=r"gave parts of shape \(1, 2\)"):
        drawn(network, mask="x", reader=lambda images: np.zeros((1, 2)))
    heard = Listener()
    nowhere = part_mask("part 0", lambda images: np.zeros((*images.shape[:3], 1)))
    family = jobs.edit([network], jobs.EditRequest(["2_2:9"], mask=nowhere), latents="0")
    family.sheet(report=heard)
    assert len(heard.heard) == 1 and "finds no part 0 where the pictures of" in heard.heard[0]


def test_the_verb_says_how_much_is_kept(network, file, tmp_path):
    out = tmp_path / "e.png"
    line = ("edit", PARENT, "--edit", "2_2:9", "--seeds", "0-1", "--names", "a", "--out", out)
    said = aligned(*line, "--mask", "hat", "--reader", file)
    request = jobs.EditRequest(["2_2:9"], mask="hat", reader=file)
    family = jobs.edit([network], request, latents="0-1", names=["a"])
    with Image.open(out) as image:
        np.testing.assert_array_equal(np.asarray(image), family.sheet().picture())
    assert f"of the whole change, the mask keeps: a {family.inside['a']:.0%}" in said
