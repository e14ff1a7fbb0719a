"""Edits of latents in Z, W and S: by so much, to a score, in some rows, in any order."""

import dataclasses
import itertools

import numpy as np
import pytest

from aligned_jax import loading
from aligned_jax.errors import UserError
from aligned_jax.rendering import LatentBatch, RenderOptions, latents_of_seeds, render
from aligned_jax.rendering.editing import check_edits, edited
from aligned_jax.semantics import Direction
from aligned_jax.semantics.edits import Edit, channel_direction
from tests.helpers import DATA

PSI = 0.5


@pytest.fixture(scope="module")
def network():
    return loading.load(DATA / "hostile_baseline_ok.pkl")


@pytest.fixture(scope="module")
def batch(network):
    return latents_of_seeds(network.config, [0, 1, 2], psi=PSI)


def unit(*values):
    """A vector of length 1, as wide as the network's latents, that begins with these numbers."""
    vector = np.zeros(6, np.float32)
    vector[: len(values)] = values
    return vector / np.linalg.norm(vector)


def direction(space, vector, sigma=0.5, intercept=0.25, **more):
    return Direction(space, {space: vector}, sigma, "", intercept, **more)


def edit(space="w", amount=3.0, vector=None, **more):
    return Edit(direction(space, unit(1, 2, 0, -1) if vector is None else vector), amount, **more)


def w_of(network, latents):
    return np.asarray(latents.in_space(network, "w+").arrays["ws"])


@pytest.mark.parametrize("psi", [0.2, 0.5, 1.0])
def test_truncation_never_changes_a_shift(network, batch, psi):
    latents, one = batch.with_psi(psi), edit()
    moved = w_of(network, edited(network, latents, [one])) - w_of(network, latents)
    expected = 3.0 * 0.5 * one.direction.vectors["w"]
    np.testing.assert_allclose(moved, np.broadcast_to(expected, moved.shape), atol=1e-6)
    styles = Edit(Direction("s", {"b8.conv0": np.float32([0, 0, 2, 0])}, 1.0, ""), -4.0)
    before = latents.styles(network).style_vectors()
    after = edited(network, latents, [styles]).style_vectors()
    for layer, value in before.items():
        moved = np.float32([0, 0, -8, 0]) if layer == "b8.conv0" else 0
        np.testing.assert_allclose(after[layer], value + moved, rtol=1e-6)


def test_z_is_edited_before_the_mapping(network, batch):
    one = edit("z")
    after = edited(network, batch, [one])
    z = batch.arrays["z"] + np.float32(1.5) * one.direction.vectors["z"]
    np.testing.assert_allclose(after.arrays["z"], z, rtol=1e-6)
    assert after.psi == PSI and after.names == batch.names
    np.testing.assert_allclose(w_of(network, after), network.mapping(z, psi=PSI), atol=1e-5)


@pytest.mark.parametrize("space", ["z", "w"])
@pytest.mark.parametrize("amount", [-1.0, 2.0])
def test_a_target_is_reached(network, batch, space, amount):
    one, key = edit(space, amount, to=True), "z" if space == "z" else "ws"
    after = edited(network, batch, [one]).arrays[key]
    vector = one.direction.vectors[space]
    np.testing.assert_allclose((after @ vector + 0.25) / 0.5, amount, atol=1e-5)
    half = edited(network, batch, [one], factor=0.5).arrays[key]
    before = batch.arrays["z"] if space == "z" else w_of(network, batch)
    np.testing.assert_allclose(half, (before + after) / 2, atol=1e-6)


def test_targets_are_reached_together_whatever_else_is_added(network, batch):
    first, second = unit(1, 2, 0, -1), unit(1, 0, 1, 0)
    wanted = [edit(amount=1.0, vector=first, to=True), edit(amount=-2.0, vector=second, to=True)]
    ws = edited(network, batch, [*wanted, edit(amount=5.0, vector=unit(0, 1, 1, 1))]).arrays["ws"]
    np.testing.assert_allclose((ws @ first + 0.25) / 0.5, 1.0, atol=1e-5)
    np.testing.assert_allclose((ws @ second + 0.25) / 0.5, -2.0, atol=1e-5)
    against = [wanted[0], edit(amount=2.0, vector=first, to=True)]
    with pytest.raises(UserError, match="these targets exclude each other"):
        edited(network, batch, against)


def test_order_of_one_space_does_not_matter(network, batch):
    edits = [
        edit(amount=1.7),
        edit(amount=-0.3, vector=unit(1, 1, 1, 0.1)),
        edit(amount=0.7, vector=unit(3, 1, -1, 0), layers=(1, 2)),
        edit(amount=1.0, vector=unit(0, 0, 1, 1), to=True),
        edit("z", 2.0),
        Edit(Direction("s", {"b8.conv0": np.float32([0.3, 0, 2, 0])}, 1.0, ""), 0.7),
        Edit(Direction("s", {"b8.conv0": np.float32([0.1, 0.7, 0, 0])}, 1.0, ""), 0.9),
    ]
    first = edited(network, batch, edits).style_vectors()
    for order in itertools.islice(itertools.permutations(edits), 0, None, 500):
        again = edited(network, batch, order).style_vectors()
        for layer, value in first.items():
            np.testing.assert_array_equal(again[layer], value)


def test_rows(network, batch):
    before = w_of(network, batch)
    for rows in ((0,), (1, 2)):
        for one in (
            edit(layers=rows),
            dataclasses.replace(edit(), direction=direction("w", unit(1, 2, 0, -1), layers=rows)),
        ):
            moved = np.abs(w_of(network, edited(network, batch, [one])) - before).max(axis=(0, 2))
            assert [row for row, size in enumerate(moved) if size > 0] == list(rows)
    recommended = direction("w", unit(1, 2, 0, -1), layers=(0,))
    over = Edit(recommended, 1.0, layers=(2,))
    assert np.abs(edited(network, batch, [over]).arrays["ws"] - before)[:, 0].max() == 0
    styles = {"b4.conv1": np.ones(4, np.float32), "b8.conv1": np.ones(4, np.float32)}
    one = Edit(Direction("s", styles, 1.0, ""), 1.0, layers=(0,))
    after, before = (
        latents.styles(network).style_vectors()
        for latents in (edited(network, batch, [one]), batch)
    )
    assert [name for name in before if (after[name] != before[name]).any()] == ["b4.conv1"]


def test_a_vector_for_every_row(network, batch):
    rows = np.arange(1.0, network.config.num_ws * 6 + 1, dtype=np.float32).reshape(-1, 6)
    rows /= np.linalg.norm(rows)
    before = w_of(network, batch)
    after = edited(network, batch, [edit(vector=rows)]).arrays["ws"]
    np.testing.assert_allclose(after - before, np.broadcast_to(1.5 * rows, before.shape), atol=1e-6)
    plus = LatentBatch({"ws": after}, batch.names, batch.numbers)
    ws = edited(network, plus, [edit(vector=rows, amount=-1.0, to=True)]).arrays["ws"]
    scores = ((ws * rows).sum(axis=(1, 2)) + 0.25) / 0.5
    np.testing.assert_allclose(scores, -1.0, atol=1e-5)


def test_distinct_rows_through_styles_are_the_same_bits(network, batch):
    """W+ whose rows differ, drawn by the network and by way of S."""
    ws = w_of(network, batch) + np.arange(network.config.num_ws)[None, :, None].astype(np.float32)
    plus = LatentBatch({"ws": ws}, batch.names, batch.numbers)
    images = render(network, plus, RenderOptions(batch=3))
    np.testing.assert_array_equal(images, network.synthesis(ws))
    np.testing.assert_array_equal(
        images, render(network, plus.styles(network), RenderOptions(batch=3))
    )
    still = edited(network, plus, [edit(amount=0.0), edit(amount=0.0, layers=(1,))])
    np.testing.assert_array_equal(images, render(network, still, RenderOptions(batch=3)))
    nothing = Edit(Direction("s", {"b8.conv0": np.ones(4, np.float32)}, 1.0, ""), 0.0)
    still = edited(network, plus, [nothing])
    np.testing.assert_array_equal(images, render(network, still, RenderOptions(batch=3)))


def test_edits_that_cannot_be(network, batch):
    plus = edited(network, batch, [edit(layers=(0,))])
    styles = batch.styles(network)
    channel = Direction("s", {"b8.conv0": np.float32([0, 1, 0, 0])}, 1.0, "")
    bare = dataclasses.replace(direction("w", unit(1, 0, 0, 0)), intercept=None)
    wide = edit(vector=np.ones((network.config.num_ws, 6), np.float32), to=True, layers=(0,))
    for latents, one, message in (
        (plus, edit(to=True, name="a"), r"a: the rows of these latents differ \(W\+\)"),
        (plus, edit("z", name="a"), "a: an edit in an earlier space than the latents"),
        (styles, edit(name="a"), "in an earlier space than the latents, which are in s"),
        (batch, Edit(channel, 1.0, to=True), "is in s, where no target is defined"),
        (batch, Edit(bare, 1.0, to=True), "has no boundary to count a target from"),
        (batch, wide, r"has a vector for every row of W\+; a target needs them all"),
        (batch, edit(layers=(99,)), r"no row 99 of W\+; this network has rows 0 to 3"),
        (batch, edit(amount=np.nan), "the strength is nan"),
        (batch, edit(vector=np.ones(5, np.float32)), "is of a network of other sizes"),
        (batch, edit("z", layers=(0,)), "z is the same for all rows"),
    ):
        with pytest.raises(UserError, match=message):
            edited(network, latents, [one])
    with pytest.raises(UserError, match="targets must be reached in the same rows"):
        edited(network, batch, [edit(to=True), edit(to=True, layers=(0,))])
    check_edits(network.config, batch, [edit()])


def test_channels_are_directions(network, batch):
    deviations = {"b8.conv0": np.float32([0.5, 0.25, 0.0, 1.0])}
    found = channel_direction(network.config, "b8.conv0", 1, deviations, "abc")
    np.testing.assert_array_equal(found.vectors["b8.conv0"], [0, 0.25, 0, 0])
    assert (found.space, found.sigma, found.network) == ("s", 1.0, "abc")
    assert Edit(found, 8.0, name="2_1").summary == "2_1 +8"
    assert Edit(found, 8.0, to=True, name="2_1").summary == "2_1 to +8"
    with pytest.raises(UserError, match="2_2 never varies"):
        channel_direction(network.config, "b8.conv0", 2, deviations, "")
