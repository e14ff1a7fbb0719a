"""Files of directions: what is written is read again, and what is not one is refused."""

import dataclasses
import json
import pickle
import zipfile

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from aligned_jax import ancestry, jobs, loading
from aligned_jax.errors import UserError
from aligned_jax.latents import concatenate_styles, sample_z
from aligned_jax.networks import fingerprint
from aligned_jax.provenance import Command
from aligned_jax.semantics import Direction
from tests.helpers import DATA
from tests.jobs.small_inputs import moved
from tests.makers.official_file import write_torch


@pytest.fixture
def direction(network):
    config = network.config
    return Direction(
        space="w",
        vectors={"w": np.eye(config.num_ws, config.w_dim, dtype=np.float32)},
        sigma=0.5,
        network=fingerprint(network.variables),
        intercept=-0.25,
        layers=(0, 2),
        found={"method": "svm", "psi": 1.0, "origin": ancestry.origin_of("", network)},
    )


def same(first, second):
    fields = [field.name for field in dataclasses.fields(Direction) if field.name != "vectors"]
    assert {f: getattr(first, f) for f in fields} == {f: getattr(second, f) for f in fields}
    assert first.vectors.keys() == second.vectors.keys()
    for name, vector in first.vectors.items():
        np.testing.assert_array_equal(second.vectors[name], vector)
        assert second.vectors[name].dtype == np.float32


def test_what_is_written_is_read(network, direction, tmp_path):
    path = tmp_path / "smile.npz"
    jobs.write_direction(path, direction, Command("aligned directions find"))
    same(direction, jobs.read_direction(path))
    same(direction, jobs.read_direction(path, network, space="w"))
    with np.load(path) as file:
        document = json.loads(str(file["meta_json"]))
    assert document["command"] == "aligned directions find"
    with pytest.raises(UserError, match="already exists"):
        jobs.write_direction(path, direction)
    plain = dataclasses.replace(direction, intercept=None, layers=None, found={})
    jobs.write_direction(path, plain, overwrite=True)
    same(plain, jobs.read_direction(path))
    with pytest.raises(UserError, match=r"x: a direction is written to NAME.npz"):
        jobs.write_direction("x", direction)


def test_styles_by_layer(network, direction, tmp_path):
    styles = {"b8.conv0": np.float32([1, 0, 0, -2]), "b4.torgb": np.zeros(4, np.float32)}
    found = dataclasses.replace(direction, space="s", vectors=styles, sigma=1.0)
    jobs.write_direction(tmp_path / "s.npz", found)
    same(found, jobs.read_direction(tmp_path / "s.npz", network))


def test_relatives_are_known_and_strangers_warned_of(network, direction, tmp_path, recwarn):
    path = tmp_path / "d.npz"
    jobs.write_direction(path, direction)
    jobs.read_direction(path, moved(network, 0.1))  # keeps its noise maps
    assert not recwarn.list
    stranger = jax.tree.map(lambda value: value + 1, network)
    with pytest.warns(UserWarning, match="found in another network, which is no relative of x"):
        jobs.read_direction(path, stranger, name="x")
    origin = ancestry.origin_of("zoo:a", network) | {"noise": None}
    told = dataclasses.replace(direction, found={"origin": origin})
    jobs.write_direction(path, told, overwrite=True)
    jobs.read_direction(path, stranger, name="zoo:a")
    with pytest.warns(UserWarning, match="another network, zoo:a, which is no relative of zoo:b"):
        jobs.read_direction(path, stranger, name="zoo:b")


def test_other_widths_and_spaces_are_refused(network, direction, tmp_path):
    path = tmp_path / "d.npz"
    jobs.write_direction(path, direction)
    with pytest.raises(UserError, match=r"of other sizes: w has shape \[4, .*this network's is"):
        jobs.read_direction(path, loading.load(DATA / "avatars_parent.pkl"))
    with pytest.raises(UserError, match="is a direction in w, not in z"):
        jobs.read_direction(path, network, space="z")
    with pytest.raises(UserError, match="space is 'w\\+'"):
        jobs.read_direction(path, network, space="w+")
    far = dataclasses.replace(direction, layers=(0, 9))
    jobs.write_direction(path, far, overwrite=True)
    with pytest.raises(UserError, match="rows 9 are beyond"):
        jobs.read_direction(path, network)


@pytest.mark.parametrize("axes", [0, 1, 2])
@pytest.mark.parametrize("space", ["z", "w"])
def test_vectors_of_others(network, tmp_path, axes, space):
    width = network.config.z_dim if space == "z" else network.config.w_dim
    vector = np.arange(1, width + 1, dtype=np.float64)
    np.save(tmp_path / "d.npy", vector.reshape((1,) * axes + (width,)))
    found = jobs.read_direction(tmp_path / "d.npy", network, space=space)
    expected = vector / np.linalg.norm(vector)
    np.testing.assert_allclose(found.vectors[space], expected, rtol=1e-6)
    assert (found.space, found.network, found.intercept) == (space, "", None)
    z = sample_z(jax.random.key(5), network.config, 4000)
    x = z if space == "z" else network.mapping(z)[:, 0]
    assert found.sigma == pytest.approx(np.std(np.asarray(x) @ expected), rel=0.05)
    write_torch(tmp_path / "d.pt", vector.astype(np.float32))
    again = jobs.read_direction(tmp_path / "d.pt", network, space=space)
    same(found, dataclasses.replace(again, found=found.found))
    np.savez(tmp_path / "d.npz", d=vector)
    same(found, dataclasses.replace(
        jobs.read_direction(tmp_path / "d.npz", network, space=space), found=found.found
    ))  # fmt: skip


def test_rows_and_channels_of_others(network, tmp_path):
    config = network.config
    rows = np.random.RandomState(0).randn(1, config.num_ws, config.w_dim)
    np.savez(tmp_path / "d.npz", rows)
    found = jobs.read_direction(tmp_path / "d.npz", network, space="w")
    np.testing.assert_allclose(found.vectors["w"], rows[0] / np.linalg.norm(rows), rtol=1e-6)
    styles = network.styles(np.zeros((1, config.w_dim), np.float32))
    s = np.arange(concatenate_styles(config, styles).shape[1], dtype=np.float32)
    np.save(tmp_path / "s.npy", s)
    found = jobs.read_direction(tmp_path / "s.npy", network, space="s")
    assert found.sigma == 1
    whole = {name: jnp.asarray(vector)[None] for name, vector in found.vectors.items()}
    np.testing.assert_array_equal(concatenate_styles(config, whole)[0], s)


def test_what_others_do_not_say_must_be_said(network, tmp_path):
    path = tmp_path / "d.npy"
    np.save(path, np.ones(network.config.w_dim))
    with pytest.raises(UserError, match="does not say what space it is in"):
        jobs.read_direction(path, network)
    with pytest.raises(UserError, match="name its network"):
        jobs.read_direction(path, space="w")
    np.save(path, np.ones(7))
    with pytest.raises(UserError, match=r"shape \[7\]; in w this network's directions are"):
        jobs.read_direction(path, network, space="w")
    np.save(path, np.zeros(network.config.w_dim))
    for space in ("z", "w"):
        with pytest.raises(UserError, match="the vector has length 0"):
            jobs.read_direction(path, network, space=space)


def write_npz(path, document, **arrays):
    np.savez(path, meta_json=np.asarray(json.dumps(document)), **arrays)


def test_files_that_are_no_directions(network, direction, tmp_path):
    path = tmp_path / "d.npz"
    with pytest.raises(UserError, match="no such file"):
        jobs.read_direction(path)
    path.write_bytes(b"not a file")
    with pytest.raises(UserError, match="is no direction, or a damaged one"):
        jobs.read_direction(path)
    np.savez(path, a=np.ones(4), b=np.ones(4))
    with pytest.raises(UserError, match="holds a, b; a direction is one array"):
        jobs.read_direction(path, network, space="w")
    np.savez(path, a=np.asarray([{}], object))
    with pytest.raises(UserError, match="pickled objects, which are never read"):
        jobs.read_direction(path, network, space="w")
    np.savez(path, a=np.full(network.config.w_dim, np.nan))
    with pytest.raises(UserError, match="not finite"):
        jobs.read_direction(path, network, space="w")
    write_npz(path, {"manner": {}}, ws=np.ones((1, 4, 4)))
    with pytest.raises(UserError, match="is no direction; `aligned directions` makes them"):
        jobs.read_direction(path)
    path.write_bytes(pickle.dumps(print))
    with pytest.raises(UserError):
        jobs.read_direction(path)


def test_messages_do_not_quote_a_file(network, tmp_path):
    """A name in an archive that disagrees with another one is as long as somebody wants it."""
    path = tmp_path / "d.npz"
    np.savez(path, **{"x" * 30_000: np.ones(6)})
    content = bytearray(path.read_bytes())
    content[content.index(b"xxx")] = ord("y")
    path.write_bytes(content)
    with pytest.raises(UserError) as refusal:
        jobs.read_direction(path, network, space="w")
    assert len(str(refusal.value)) < 2000 and "d.npz" in str(refusal.value)


def test_a_header_that_python_cannot_read_is_damage(network, tmp_path):
    path = tmp_path / "d.npy"
    np.save(path, np.ones(6, np.float32))
    path.write_bytes(path.read_bytes().replace(b"{'descr'", b"('descr'").replace(b"}", b" "))
    with pytest.raises(UserError, match="is damaged"):
        jobs.read_direction(path, network, space="w")


def test_damage_and_edits_are_noticed(direction, tmp_path):
    path = tmp_path / "d.npz"
    jobs.write_direction(path, direction)
    with np.load(path) as file:
        vector, document = file["vector/w"], json.loads(str(file["meta_json"]))
    write_npz(path, document | {"sigma": 1.0}, **{"vector/w": vector})
    with pytest.raises(UserError, match="damaged or was edited"):
        jobs.read_direction(path)
    del document["sha256"]
    write_npz(path, document, **{"vector/w": vector + 1})
    with pytest.raises(UserError, match="do not have the checksum"):
        jobs.read_direction(path)
    for change in (
        {"space": "x"},
        {"sigma": 0},
        {"sigma": 10**400},
        {"intercept": "1"},
        {"layers": [-1]},
        {"layers": [True]},
        {"network": 1},
        {"found": []},
    ):
        write_npz(path, document | change, **{"vector/w": vector})
        with pytest.raises(UserError, match=f"{next(iter(change))} is"):
            jobs.read_direction(path)
    write_npz(path, {"direction": 1}, **{"vector/w": vector})
    with pytest.raises(UserError, match="no direction, or a damaged one"):
        jobs.read_direction(path)
    write_npz(path, document | {"direction": 2}, **{"vector/w": vector})
    with pytest.raises(UserError, match="is of format 2, not 1"):
        jobs.read_direction(path)


def test_zeros_by_the_gigabyte_are_not_unpacked(network, tmp_path):
    path = tmp_path / "d.npz"
    header = np.lib.format.header_data_from_array_1_0(np.zeros(1)) | {"shape": (2**23,)}
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("a.npy", "w") as entry,
    ):
        np.lib.format.write_array_header_1_0(entry, header)
        entry.write(bytes(8 * 2**23))
    with pytest.raises(UserError, match="numbers"):
        jobs.read_direction(path, network, space="w")
