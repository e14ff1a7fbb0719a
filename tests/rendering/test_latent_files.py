"""Latents that other programs wrote: names, shapes and files of theirs."""

import pickle
import shutil
import zipfile

import numpy as np
import pytest

from aligned_jax import jobs, loading
from aligned_jax.errors import UserError
from aligned_jax.jobs.key_frames import is_key_frame
from aligned_jax.rendering import latents_of_files, render
from aligned_jax.rendering.latent_files import holds_latents, read_latents
from aligned_jax.rendering.latent_words import kind_of_words
from tests.helpers import DATA
from tests.makers.official_file import write_torch

ROWS, WIDTH = 4, 6


@pytest.fixture(scope="module")
def network():
    """An 8 px network whose z is as long as its w."""
    network = loading.load(DATA / "hostile_baseline_ok.pkl")
    assert (network.config.num_ws, network.config.w_dim) == (ROWS, WIDTH)
    assert network.config.z_dim == WIDTH
    return network


def numbers(*shape):
    return np.random.RandomState(sum(shape)).randn(*shape).astype(np.float32)


def rows_alike(w):
    """W+ of w [N, 6]."""
    return np.repeat(w[:, None], ROWS, axis=1)


WHOLE, W = numbers(3, ROWS, WIDTH), numbers(3, WIDTH)
# What the arrays of other programs are as `ws`.
THEIRS = {
    "w of all rows": (WHOLE, WHOLE),
    "w of one row": (W[:, None], rows_alike(W)),
    "w alone": (W, rows_alike(W)),
    "one w": (W[0], rows_alike(W[:1])),
    "without a batch": (WHOLE[1], WHOLE[1:2]),
    "in Fortran's order": (np.asfortranarray(WHOLE), WHOLE),
    "half as precise": (WHOLE.astype(np.float16), WHOLE.astype(np.float16).astype(np.float32)),
    "twice as precise": (WHOLE.astype(">f8"), WHOLE),
}


@pytest.mark.parametrize("key", ["w", "dlatents"])
@pytest.mark.parametrize(("theirs", "ws"), THEIRS.values(), ids=THEIRS)
def test_w_of_other_programs_is_read_as_ws(network, tmp_path, key, theirs, ws):
    np.savez(tmp_path / "a.npz", **{key: theirs})
    arrays = read_latents(tmp_path / "a.npz", network.config).arrays
    assert list(arrays) == ["ws"] and arrays["ws"].dtype == np.float32
    np.testing.assert_array_equal(arrays["ws"], ws)


@pytest.mark.parametrize("write", [np.save, write_torch], ids=["npy", "pt"])
def test_an_array_without_a_name_is_wplus(network, tmp_path, write):
    file = tmp_path / ("a.npy" if write is np.save else "a.pt")
    for theirs, ws in ((WHOLE, WHOLE), (WHOLE[1], WHOLE[1:2])):
        write(file, theirs)
        arrays = read_latents(file, network.config).arrays
        np.testing.assert_array_equal(arrays["ws"], ws)
    for other in (W, W[:, None], W[0], numbers(3, ROWS, 7), numbers(3, 5, WIDTH), numbers(1)):
        write(file, other)
        with pytest.raises(UserError, match=r"without a name it is read as W\+.*ws="):
            read_latents(file, network.config)


def test_files_are_told_apart_by_their_content(network, tmp_path):
    np.savez(tmp_path / "a.npz", WHOLE)  # alone, and without a name
    write_torch(tmp_path / "a.pt", WHOLE)
    for other in ("a.PT", "a.bin", "a.npy"):
        shutil.copy(tmp_path / "a.pt", tmp_path / other)
    for name in ("a.npz", "a.PT", "a.bin", "a.npy"):
        ws = read_latents(tmp_path / name, network.config).arrays["ws"]
        np.testing.assert_array_equal(ws, WHOLE)
    assert kind_of_words([f"{tmp_path}/a.PT@1"]) == "latents"
    np.savez(tmp_path / "a.npz", W)
    with pytest.raises(UserError, match=r"without a name it is read as W\+"):
        read_latents(tmp_path / "a.npz", network.config)
    np.savez(tmp_path / "a.npz", WHOLE, w=WHOLE)
    with pytest.raises(UserError, match="arr_0 is unknown"):
        read_latents(tmp_path / "a.npz", network.config)
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("0.png", b"")
    with pytest.raises(UserError, match=r"no \.npz file: a zip without arrays"):
        read_latents(tmp_path / "a.npz", network.config)


def test_whether_a_file_holds_latents_or_a_network(tmp_path):
    for value, held in ((WHOLE, True), ({"w": W}, True), ({"conv1.weight": W}, False)):
        write_torch(tmp_path / "a.pt", value)
        assert holds_latents(tmp_path / "a.pt") is held
        assert is_key_frame(f"{tmp_path}/a.pt") is held
    assert is_key_frame(f"{tmp_path}/a.pt@0") and not is_key_frame(f"{tmp_path}/no.pt")
    assert not is_key_frame(str(DATA / "rosinality_skip32.pt"))


def test_an_array_that_cannot_be_z_is_w(tmp_path):
    wide = loading.load(DATA / "generator_options16.pkl").config
    assert wide.z_dim != wide.w_dim
    for theirs in (numbers(2, wide.w_dim), numbers(2, 1, wide.w_dim)):
        np.save(tmp_path / "a.npy", theirs)
        ws = read_latents(tmp_path / "a.npy", wide).arrays["ws"]
        assert ws.shape == (2, wide.num_ws, wide.w_dim)
        assert (ws == theirs.reshape(2, 1, -1)).all()
    np.save(tmp_path / "a.npy", numbers(2, wide.z_dim))
    with pytest.raises(UserError, match="ws="):
        read_latents(tmp_path / "a.npy", wide)


def test_torch_files_hold_dictionaries_of_the_same(network, tmp_path):
    for legacy in (False, True):
        write_torch(tmp_path / "a.pt", {"w": WHOLE}, legacy)
        ws = read_latents(tmp_path / "a.pt", network.config).arrays["ws"]
        np.testing.assert_array_equal(ws, WHOLE)
    write_torch(tmp_path / "a.pt", {"z": W})
    np.testing.assert_array_equal(read_latents(tmp_path / "a.pt", network.config).arrays["z"], W)
    for value, words in (({"latent": WHOLE}, "latent is unknown"), ({}, "no dictionary")):
        write_torch(tmp_path / "a.pt", value)
        with pytest.raises(UserError, match=rf"{words}.*ws="):
            read_latents(tmp_path / "a.pt", network.config)
    (tmp_path / "a.pt").write_bytes(pickle.dumps(print))
    with pytest.raises(UserError, match="nothing was run"):
        read_latents(tmp_path / "a.pt", network.config)


def test_pictures_are_those_of_ws(network, tmp_path):
    np.savez(tmp_path / "ws.npz", ws=WHOLE)
    np.savez(tmp_path / "w.npz", w=WHOLE)
    np.save(tmp_path / "a.npy", WHOLE)
    write_torch(tmp_path / "a.pt", WHOLE)

    def drawn(name):
        words = [f"{tmp_path / name}@{row}" for row in (2, 0)]
        two = render(network, latents_of_files(network.config, words))
        return jobs.generate(network, latents=tmp_path / name).images().tobytes(), two.tobytes()

    for name in ("w.npz", "a.npy", "a.pt"):
        assert drawn(name) == drawn("ws.npz")


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (np.full((3, ROWS, WIDTH), np.nan, np.float32), "values that are not finite"),
        (np.full((3, ROWS, WIDTH), np.inf, np.float64), "values that are not finite"),
        (np.ones((3, ROWS, WIDTH), bool), "holds bool, expected numbers"),
        (np.ones((3, ROWS, WIDTH), complex), "holds complex128, expected numbers"),
        (np.ones((0, ROWS, WIDTH), np.float32), "it has no rows"),
        (np.full((3, ROWS, WIDTH), None), "pickled objects"),
    ],
)
def test_arrays_that_are_no_latents(network, tmp_path, array, words):
    np.savez(tmp_path / "a.npz", w=array)
    np.save(tmp_path / "a.npy", array)
    for file in ("a.npz", "a.npy"):
        with pytest.raises(UserError, match=rf"{words}.*ws="):
            read_latents(tmp_path / file, network.config)


def header_of(shape, descr="<f4"):
    text = f"{{'descr':'{descr}','fortran_order':False,'shape':{shape}}}".encode()
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text


@pytest.mark.parametrize(
    "beginning",
    [
        header_of("(True,4,6)"), header_of("(1,True,6)"), header_of("(10**12,4,6)"),
        header_of("(1000000000000,4,6)"), header_of("(-1,4,6)"), header_of("(4.0,4,6)"),
        header_of("(2,4,6)"), b"\x93NUMPY\x02\x00\xff\xff\xff\x7f{", b"\x93NUMPY\x03\x00\x01\x00",
    ],
)  # fmt: skip
def test_headers_that_do_not_say_what_is_there(network, tmp_path, beginning):
    content = beginning + bytes(96)
    (tmp_path / "a.npy").write_bytes(content)
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("ws.npy", content)
    for file in ("a.npz", "a.npy"):
        with pytest.raises(UserError, match=r"is damaged|has shape"):
            read_latents(tmp_path / file, network.config)


def test_files_that_unpack_to_far_too_much(network, tmp_path, monkeypatch):
    zeros = np.zeros((5000, ROWS, WIDTH), np.float32)
    np.savez_compressed(tmp_path / "a.npz", ws=zeros)
    assert len(read_latents(tmp_path / "a.npz", network.config).arrays["ws"]) == 5000
    monkeypatch.setattr("aligned_jax.convert.files.arrays._SHORT", 1000)
    with pytest.raises(UserError, match=r"ws unpacks from \d+ to 480000 bytes"):
        read_latents(tmp_path / "a.npz", network.config)


@pytest.mark.parametrize("psi", ["1" + "0" * 400, "NaN", "1e999", "[]", "0.5"])
def test_the_psi_of_a_file_is_a_number_or_not_known(network, tmp_path, psi):
    document = np.asarray(f'{{"manner": {{"psi": {psi}}}}}')
    np.savez(tmp_path / "f.npz", z=numbers(2, WIDTH), meta_json=document)
    stored = read_latents(tmp_path / "f.npz", network.config)
    assert stored.psi == (0.5 if psi == "0.5" else None)
