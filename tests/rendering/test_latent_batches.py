"""Latents of seeds and files on their way to the renderer."""

import json

import numpy as np
import pytest

from aligned_jax import loading, translation
from aligned_jax.errors import UserError
from aligned_jax.latents import truncate, z_from_seeds
from aligned_jax.rendering.draw import render
from aligned_jax.rendering.latent_batch import LatentBatch, latents_of_seeds
from aligned_jax.rendering.latent_files import read_latents
from aligned_jax.rendering.latent_words import kind_of_words, latents_of_file, latents_of_files
from tests.helpers import DATA, relative_error


@pytest.fixture(scope="module")
def network():
    """An unconditional 8 px network."""
    return loading.load(DATA / "hostile_baseline_ok.pkl")


@pytest.fixture(scope="module")
def labelled():
    """A 16 px network with three classes."""
    return loading.load(DATA / "generator_options16.pkl")


def drawn_file(path, network, psi, count=3, **meta):
    """As `aligned generate` writes them: both z and ws, and the psi between them."""
    z = z_from_seeds(network.config, range(count))
    ws = np.asarray(network.mapping(z, psi=psi))
    meta = meta or {"manner": {"psi": psi}}
    np.savez(path, z=z, ws=ws, images=np.zeros(7), meta_json=json.dumps(meta))
    return z, ws


def test_seeds_in_text_or_as_numbers(network, labelled):
    latents = latents_of_seeds(network.config, "3,5-6", psi=0.7)
    assert latents.names == ("seed 3", "seed 5", "seed 6") and len(latents) == 3
    assert (latents.arrays["z"] == z_from_seeds(network.config, [3, 5, 6])).all()
    assert latents.arrays["c"].shape == (3, 0) and latents.labels(network.config) is None
    assert latents.numbers.tolist() == [3, 5, 6] and latents.numbers.dtype == np.uint32
    assert latents.in_z and latents.psi == 0.7 and latents.summary == "psi 0.7"
    again = latents_of_seeds(network.config, [3, 5, 6], psi=0.7)
    assert (again.arrays["z"] == latents.arrays["z"]).all() and again.names == latents.names
    one = latents_of_seeds(labelled.config, [1, 2], label=1)
    assert one.labels(labelled.config).tolist() == [[0, 1, 0]] * 2
    with pytest.raises(UserError, match="choose a class with `label`"):
        latents_of_seeds(labelled.config, [1])
    with pytest.raises(UserError, match="this network is unconditional"):
        latents_of_seeds(network.config, [1], label=0)


def test_rows_are_taken_with_all_that_is_theirs(network):
    plain = latents_of_seeds(network.config, "3-6")
    pictures = np.arange(4, dtype=np.uint8).reshape(4, 1, 1, 1)
    latents = LatentBatch(plain.arrays, plain.names, plain.numbers, 0.5, pictures, {"a": "b"})
    for some in (latents.take([2, 0]), latents.only({"seed 3", "seed 5"}).take(np.array([1, 0]))):
        assert some.names == ("seed 5", "seed 3") and some.numbers.tolist() == [5, 3]
        assert (some.arrays["z"] == plain.arrays["z"][[2, 0]]).all()
        assert some.pictures.ravel().tolist() == [2, 0]
        assert some.psi == 0.5 and some.skipped == {"a": "b"}


def test_psi_is_of_z_alone(network):
    latents = latents_of_seeds(network.config, [0], psi=0.5)
    assert latents.with_psi(0.3).psi == 0.3 and latents.with_psi(None).psi == 0.5
    ws = latents.in_space(network, "w+")
    assert ws.psi == 1 and ws.with_psi(0.3).psi == 1 and ws.summary == ""


@pytest.mark.parametrize("kind", ["z", "ws"])
def test_styles_are_those_of_truncated_latents(network, kind):
    z = z_from_seeds(network.config, [0, 1])
    ws = network.mapping(z)
    arrays = {"z": z, "c": np.zeros((2, 0))} if kind == "z" else {"ws": np.asarray(ws)}
    maps = {"noise/b4.conv1": np.ones((2, 4, 4), np.float32)}
    latents = LatentBatch({**arrays, **maps}, ("a", "b"), np.arange(2, dtype=np.uint32), 0.6)
    expected = network.styles(truncate(ws, network.w_avg, 0.6))
    for styles in (latents.styles(network), latents.in_space(network, "s")):
        assert styles.psi == 1 and styles.names == ("a", "b")
        assert set(styles.arrays) == {f"styles/{name}" for name in expected} | set(maps)
        assert list(styles.style_vectors()) == list(expected)
        for name, value in styles.style_vectors().items():
            assert relative_error(value, expected[name]) < 1e-5
    in_w = latents.in_space(network, "w+")
    assert relative_error(in_w.arrays["ws"], truncate(ws, network.w_avg, 0.6)) < 1e-5
    assert in_w.psi == 1
    with pytest.raises(UserError, match="from which no way leads to z"):
        in_w.in_space(network, "z")


def test_a_file_says_how_it_is_truncated(network, tmp_path):
    file = tmp_path / "drawn.npz"
    z, ws = drawn_file(file, network, 0.8)
    plain = latents_of_file(network.config, file)
    assert (plain.arrays["ws"] == ws).all() and plain.psi == 1
    assert plain.names == ("row 0", "row 1", "row 2") and plain.numbers.tolist() == [0, 1, 2]
    assert latents_of_file(network.config, file, psi=0.5).psi == 0.5  # ws once more
    assert latents_of_file(network.config, file, psi=None).psi == 1  # ws are truncated already
    in_z = latents_of_file(network.config, file, psi=None, prefer="z")
    assert (in_z.arrays["z"] == z).all() and in_z.psi == 0.8
    assert relative_error(render(network, in_z), render(network, plain)) < 1e-5
    assert latents_of_file(network.config, file, psi=0.3, prefer="z").psi == 0.3
    assert latents_of_files(network.config, [str(file)]).psi == 0.8
    assert latents_of_files(network.config, [str(file)], psi=0.3).psi == 0.3
    silent = tmp_path / "silent.npz"
    np.savez(silent, z=z)
    assert latents_of_files(network.config, [str(silent)]).psi == translation.PSI
    assert latents_of_files(network.config, [str(silent)], otherwise=0.9).psi == 0.9
    np.savez(silent, ws=ws)
    assert latents_of_files(network.config, [str(silent)], psi=0.3).psi == 1


@pytest.mark.parametrize(
    ("meta", "psi"),
    [
        ({"manner": {"psi": 0.8}}, 0.8), ({"settings": {"psi": 1}}, 1.0), ({"manner": 3}, None),
        ({"settings": {"psi": 0.6}, "manner": {"psi": 0.8}}, 0.6), ({"manner": {}}, None),
        ({"manner": {"psi": "0.8"}}, None), ({"manner": {"psi": float("nan")}}, None),
    ],
)  # fmt: skip
def test_the_psi_of_a_file_is_believed_if_it_is_a_number(network, tmp_path, meta, psi):
    drawn_file(tmp_path / "a.npz", network, 0.8, **meta)
    assert read_latents(tmp_path / "a.npz", network.config).psi == psi


@pytest.mark.parametrize("text", [b"{", [1, 2], np.zeros(2), "[1]", "{" * 100_000])
def test_a_document_that_cannot_be_read_says_nothing(network, tmp_path, text):
    np.savez(tmp_path / "a.npz", z=z_from_seeds(network.config, [0]), meta_json=np.asarray(text))
    assert read_latents(tmp_path / "a.npz", network.config).psi is None


def test_rows_of_several_files_are_called_after_them(network, tmp_path):
    many, one = tmp_path / "many.npz", tmp_path / "one.npz"
    z, _ = drawn_file(many, network, 0.8)
    drawn_file(one, network, 0.8, count=1)
    latents = latents_of_files(network.config, [f"{many}@2", str(one), f"{many}@0"])
    assert latents.names == ("many, row 2", "one", "many, row 0")
    assert latents.numbers.tolist() == [0, 1, 2]
    assert (latents.arrays["z"] == z[[2, 0, 0]]).all()
    assert latents_of_files(network.config, [str(many)]).names == ("row 0", "row 1", "row 2")
    drawn_file(one, network, 0.7, count=1)
    with pytest.raises(UserError, match=r"say different `psi` \(0.7, 0.8\); choose one"):
        latents_of_files(network.config, [str(many), str(one)])
    assert latents_of_files(network.config, [str(many), str(one)], psi=0.7).psi == 0.7
    with pytest.raises(UserError, match="the file has rows 0 to 2"):
        latents_of_files(network.config, [f"{many}@3"])
    with pytest.raises(UserError, match="a, c@0: no file of latents; these are F"):
        latents_of_files(network.config, ["a", "b.npz@1", "c@0"])


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        (["3"], "seeds"), (["0-7, 9"], "seeds"), (["a.npz"], "latents"),
        (["a.npy"], "latents"), (["a.pt@2", "b.pth"], "latents"), (["a.npy.png"], "pictures"),
        (["a.npz@1", "b\n.npz"], "latents"), (["a.png", "b@1", "c"], "pictures"),
        (["3", "4"], None), (["a.npz", "a.png"], None), (["1", "a.png"], None), ([], None),
    ],
)  # fmt: skip
def test_what_words_stand_for(words, kind):
    if kind:
        assert kind_of_words(words) == kind
        return
    with pytest.raises(UserError, match="give one list of seeds, or files of latents, or pictures"):
        kind_of_words(words)
