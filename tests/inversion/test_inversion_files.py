"""Files of inversions: round trips in every space, and damaged ones."""

import dataclasses
import functools
import io
import json
import os

import jax
import numpy as np
import pytest

from aligned_jax import inversion, loading
from aligned_jax.errors import FormatError
from aligned_jax.inversion import Inverted, Settings
from aligned_jax.jobs.inversion.folder import TABLE, InversionFolder
from aligned_jax.latents import style_layers
from aligned_jax.latents.shapes import latent_shape
from aligned_jax.provenance import Command
from tests.helpers import DATA


@functools.cache
def network(name="hostile_baseline_ok"):
    return loading.load(DATA / f"{name}.pkl")


def made_up(space, noise="drop", net=None):
    """What `invert` might have returned for two images."""
    config = (net or network()).config
    random = np.random.RandomState(0)
    draw = lambda *shape: random.standard_normal(shape).astype(np.float32)  # noqa: E731
    maps = {
        layer.name: draw(2, layer.resolution, layer.resolution)
        for layer in style_layers(config)
        if layer.kind == "conv"
    }
    return Inverted(
        Settings(space=space, steps=3, noise=noise),
        draw(2, *latent_shape(config, space)),
        maps if noise == "keep" else None,
        {"perceptual": draw(2), "pixel": draw(2)},
        {"distance": draw(3, 2), "regulariser": draw(3, 2)},
        draw(2, config.img_resolution, config.img_resolution, config.img_channels),
        np.array([0, 4]),
    )


def saved(path, inverted, net=None, **options):
    net = net or network()
    inversion_of_one = inversion.single(net, inverted, 1, {"image": "a.png"}, **options)
    with open(path, "wb") as file:
        inversion.save(file, net, inversion_of_one)
    return inversion_of_one


@pytest.mark.parametrize("space", inversion.SPACES)
def test_what_was_saved_is_loaded(space, tmp_path):
    inverted = made_up(space, "keep" if space == "w" else "drop")
    kept = saved(tmp_path / "a.npz", inverted)
    assert (kept.latent == inverted.latent[1:]).all()
    assert kept.facts == {"image": "a.png", "restart": 4}
    loaded = inversion.load(tmp_path / "a.npz", network())
    assert loaded.space == space
    for name in ("settings", "distances", "facts"):
        assert getattr(loaded, name) == getattr(kept, name)
    assert loaded.distances["pixel"] == inverted.distances["pixel"][1]
    assert (loaded.trace == inverted.trace["distance"][:, 1]).all()
    for name in ("latent", "noise", "ws", "c"):
        ours, theirs = getattr(kept, name), getattr(loaded, name)
        assert jax.tree.structure(ours) == jax.tree.structure(theirs)
        jax.tree.map(np.testing.assert_array_equal, ours, theirs)
    assert (loaded.noise is not None) == (space == "w")


def test_labels_are_kept(tmp_path):
    net = network("generator_options16")
    c = np.eye(3, dtype=np.float32)[1:2]
    saved(tmp_path / "a.npz", made_up("z", net=net), net, c=c)
    loaded = inversion.load(tmp_path / "a.npz", net)
    assert (loaded.c == c).all()
    other = inversion.single(net, made_up("z", net=net), 1, c=np.roll(c, 1))
    assert (loaded.ws != other.ws).any()


def test_files_of_other_networks_are_refused(tmp_path):
    saved(tmp_path / "a.npz", made_up("w"))
    with pytest.raises(FormatError, match=r"does not fit this network: .*ws is float32 \[1, "):
        inversion.load(tmp_path / "a.npz", network("generator_gray16"))


def test_damaged_files_are_refused(tmp_path):
    path = tmp_path / "a.npz"
    saved(path, made_up("w"))
    with np.load(path) as file:
        arrays = dict(file)
    meta = json.loads(str(arrays["meta_json"]))

    def refused(words, **changes):
        whole = {k: v for k, v in {**arrays, **changes}.items() if v is not None}
        np.savez(tmp_path / "bad.npz", **whole)
        with pytest.raises(FormatError, match=words):
            inversion.load(tmp_path / "bad.npz", network())

    refused("no inversion, or a damaged one", meta_json=None)
    refused("ws is missing; odd is unknown", ws=None, odd=np.zeros(1))
    refused("ws is not finite", ws=arrays["ws"] * np.float32(np.nan))
    refused("ws is float64", ws=arrays["ws"].astype(np.float64))
    refused("odd is unknown", odd=np.array([{}], dtype=object))
    refused("ws is object", ws=np.array([{}], dtype=object))
    for change, words in (
        ({"inversion": 2}, "of format 2, not 1"),
        ({"settings": {"space": "q"}}, "space is 'q'"),
        ({"settings": {"colour": 1}}, "unknown: colour"),
        ({"distances": 3}, "damaged"),
    ):
        refused(words, meta_json=np.asarray(json.dumps(meta | change)))
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(FormatError, match="no inversion, or a damaged one"):
        inversion.load(path, network())
    with pytest.raises(FormatError, match="no such file"):
        inversion.load(tmp_path / "none.npz", network())


def test_settings_decide_what_a_file_needs(tmp_path):
    """Kept noise is not optional where the settings keep it."""
    one = inversion.single(network(), made_up("w", "keep"), 0)
    file = io.BytesIO()
    inversion.save(file, network(), dataclasses.replace(one, noise=None))
    (tmp_path / "a.npz").write_bytes(file.getvalue())
    with pytest.raises(FormatError, match=r"noise/b4\.conv1 is missing"):
        inversion.load(tmp_path / "a.npz", network())


def test_inversions_with_any_infinite_distance_are_not_finite():
    inverted = made_up("w")
    assert inverted.finite.tolist() == [True, True]
    for name in inverted.distances:
        worse = {**inverted.distances, name: np.array([1, np.nan])}
        assert dataclasses.replace(inverted, distances=worse).finite.tolist() == [True, False]


@pytest.mark.parametrize("table", [None, b"[" * 100_000, b"[]", b"\xff", b'{"finished": true}'])
def test_a_table_that_is_none_is_of_no_unfinished_inversion(table, tmp_path):
    if table is None:
        os.mkfifo(tmp_path / TABLE)
    else:
        (tmp_path / TABLE).write_bytes(table)
    assert not InversionFolder(tmp_path, Command("aligned invert"), False, False).unfinished
