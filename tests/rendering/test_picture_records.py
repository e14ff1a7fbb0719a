"""What pictures say of networks and latents, and latents that are kept beside them."""

import json
import re
import shutil

import numpy as np
import pytest
from PIL import Image

from aligned_jax import jobs, loading, provenance
from aligned_jax.errors import UserError
from aligned_jax.provenance import Command
from aligned_jax.rendering.latent_batch import LatentBatch, latents_of_seeds
from aligned_jax.rendering.latent_words import latents_of_file
from aligned_jax.rendering.records import beside, latents_record, seeds_of_rows, to_keep
from aligned_jax.viz import report
from tests.helpers import DATA

NETWORK = DATA / "hostile_baseline_ok.pkl"


@pytest.fixture(scope="module")
def network():
    return loading.load(NETWORK)


@pytest.fixture(scope="module")
def ws(network, tmp_path_factory):
    """A file of W+ that no seed has."""
    config = network.config
    path = tmp_path_factory.mktemp("latents") / "found.npz"
    shape = (2, config.num_ws, config.w_dim)
    np.savez(path, ws=np.random.RandomState(0).standard_normal(shape).astype(np.float32))
    return path


def text_of(path):
    with Image.open(path) as picture:
        return dict(picture.text)


def test_seeds_are_known_by_their_numbers(network):
    latents = latents_of_seeds(network.config, "3,5", psi=0.7)
    told = latents_record(network.config, latents)
    assert told == {"names": ["seed 3", "seed 5"], "psi": 0.7, "seeds": [3, 5]}
    again = latents_of_seeds(network.config, told["seeds"])
    assert np.array_equal(again.arrays["z"], latents.arrays["z"])


def test_what_only_looks_like_seeds_is_none(network):
    latents = latents_of_seeds(network.config, "3,5")
    arrays = latents.arrays
    others = [
        LatentBatch({**arrays, "z": arrays["z"] + 1}, latents.names, latents.numbers),
        LatentBatch(arrays, ("seed 3", "seed 6"), latents.numbers),
        LatentBatch(arrays, ("seed 3", "mine"), latents.numbers),
        latents.in_space(network, "w+"),
    ]
    assert [seeds_of_rows(network.config, one) for one in others] == [None] * 4
    assert "seeds" not in latents_record(network.config, others[0])


def test_a_picture_of_a_script_says_what_it_was_drawn_of(tmp_path):
    jobs.family([NETWORK, NETWORK], names=["a", "b"], seeds="3", psi=0.5).write(tmp_path / "x.png")
    text = text_of(tmp_path / "x.png")
    told = json.loads(text["aligned_jax"])
    assert text["Comment"] == "" == told["command"] and told["versions"] == provenance.versions()
    assert told["latents"] == {"names": ["seed 3"], "psi": 0.5, "seeds": [3]}
    sha256 = loading.load(NETWORK).provenance["sha256"]
    assert [one["sha256"] for one in told["networks"].values()] == [sha256] * 2
    assert not (tmp_path / "x.npz").exists()


@pytest.mark.parametrize("name", ["x.png", "x.html", "x"])
def test_latents_of_no_seed_are_kept_beside_pictures(name, network, ws, tmp_path):
    drawing = jobs.generate(NETWORK, latents=ws, out=tmp_path / name)
    drawing.write(tmp_path / name)
    kept = latents_of_file(network.config, tmp_path / "x.npz", None, 1.0)
    assert np.array_equal(kept.arrays["ws"], drawing.latents.arrays["ws"])
    again = jobs.generate(NETWORK, latents=tmp_path / "x.npz")
    assert np.array_equal(again.images(), drawing.images())
    with np.load(tmp_path / "x.npz") as file:
        assert json.loads(str(file["meta_json"]))["versions"] == provenance.versions()


def test_seeds_need_no_file(tmp_path):
    for name in ("x.png", "x.html", "x"):
        jobs.generate(NETWORK, "0", out=tmp_path / name).write(tmp_path / name)
    assert not list(tmp_path.glob("*.npz"))


def test_files_beside_are_replaced_when_asked(ws, tmp_path):
    (tmp_path / "x.npz").write_bytes(b"mine")
    with pytest.raises(UserError, match=r"x\.npz already exists"):
        jobs.generate(NETWORK, latents=ws, out=tmp_path / "x.png")
    with pytest.raises(UserError, match=r"x\.npz already exists"):
        jobs.translate(NETWORK, NETWORK, str(ws), kind="latents", out=tmp_path / "x.png")
    drawing = jobs.generate(NETWORK, latents=ws, out=tmp_path / "x.png", overwrite=True)
    drawing.write(tmp_path / "x.png", overwrite=True)
    assert (tmp_path / "x.npz").read_bytes() != b"mine"


def test_the_file_that_was_given_stays_as_it_is(ws, tmp_path):
    own = shutil.copy(ws, tmp_path / "x.npz")
    before = own.read_bytes()
    jobs.generate(NETWORK, latents=own, out=tmp_path / "x.png").write(tmp_path / "x.png")
    translation = jobs.translate(NETWORK, NETWORK, f"{own}@1", kind="latents")
    translation.write(tmp_path / "x.html")
    assert own.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["x.html", "x.npz", "x.png"]


def test_a_translation_keeps_the_latents_of_its_source(network, ws, tmp_path):
    translation = jobs.translate(
        NETWORK, NETWORK, str(ws), kind="latents", reference=f"{ws}@0", layers=[1]
    )
    said = translation.write(tmp_path / "x.png")
    assert said.endswith(f"latents in {tmp_path}/x.npz, latents in {tmp_path}/x-reference.npz")
    with np.load(ws) as file:
        expected = file["ws"]
    for name, rows in (("x", expected), ("x-reference", expected[:1])):
        kept = latents_of_file(network.config, tmp_path / f"{name}.npz", None, 1.0)
        assert np.array_equal(kept.arrays["ws"], rows)
    seeded = jobs.translate(NETWORK, NETWORK, "4", texture="7", layers=[1], psi=0.5)
    seeded.write(tmp_path / "y.png")
    told = json.loads(text_of(tmp_path / "y.png")["aligned_jax"])
    assert told["latents"]["seeds"] == [4] and told["latents reference"]["seeds"] == [7]
    assert not (tmp_path / "y.npz").exists()


@pytest.mark.parametrize(
    "out, what, name",
    [
        ("a/x.png", "", "a/x.npz"),
        ("x.html", "w+", "x-w+.npz"),
        ("a/b/", "", "a/b.npz"),
        ("v1.5", "", "v1.5.npz"),
    ],
)
def test_where_latents_are_kept(out, what, name):
    assert beside(out, what) == name


def test_only_what_was_not_given_is_kept(tmp_path):
    given = [f"{tmp_path}/./x.npz@3"]
    assert to_keep(tmp_path / "x.png", ["", "reference"], given) == ["reference"]


def test_a_page_holds_its_record_as_data(tmp_path):
    facts = {"name": "</script><b>&"}
    html = report.record(facts)
    assert html.count("</script>") == 1 and "<b>" not in html
    assert json.loads(re.search(r">(.*)</script>", html)[1]) == facts


def test_arguments_of_any_kind_are_told(tmp_path):
    given = {"place": tmp_path, "out": "y", "count": np.int64(3), "none": None}
    command = Command.of("aligned x", given)
    told = provenance.record(command)
    assert told["arguments"] == {"place": str(tmp_path), "count": 3}
    text = provenance.png_text(command, {"psi": np.float32(0.5), "seeds": [np.int32(4)]})
    document = json.loads(text["aligned_jax"])
    assert document["command"] == "aligned x" and type(told["arguments"]["count"]) is int
    assert document["psi"] == 0.5 and document["seeds"] == [4]
    assert provenance.png_text("aligned y").keys() == {"Software", "Comment"}
