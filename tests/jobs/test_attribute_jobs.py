"""Training and reading as functions: every option changes the reader, and its card is true."""

import dataclasses
import json
import zlib

import numpy as np
import pytest
from PIL import Image

from aligned_jax import jobs
from aligned_jax.errors import UserError
from aligned_jax.features.attributes import load
from aligned_jax.features.attributes.network import start
from aligned_jax.provenance import Command
from aligned_jax.training.attributes import ReaderTraining
from tests.helpers import same_bits
from tests.jobs.small_inputs import PARENT
from tests.labelled_pictures import drawn, noise, reader, save_table


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    return save_table(tmp_path_factory.mktemp("labelled"), 48)


def untrained(config, options, images, labels, advance):
    """In the place of training: parameters that are a function of all it is given."""
    told = (options, images.tobytes(), *(labels[head.name].tobytes() for head in config.heads))
    return start(config, zlib.crc32(repr(told).encode()))


@pytest.fixture
def quick(table, monkeypatch):
    """quick(option=...) -> a reader that was not trained."""
    monkeypatch.setattr("aligned_jax.jobs.attributes.training.train_heads", untrained)

    def train(**options):
        usual = {"resolution": 8, "training": ReaderTraining()}
        return jobs.train_attributes(table, **usual | options)

    return train


@pytest.fixture
def plain(quick):
    return quick()


def test_the_reader_and_its_card(plain, tmp_path):
    heads = {head.name: head for head in plain.reader.heads}
    assert {name: head.kind for name, head in heads.items()} == {
        "glasses": "binary",
        "hair": "category",
        "skin": "colour",
        "yaw": "number",
    }
    assert heads["yaw"].odd and heads["yaw"].mean == 0 and heads["yaw"].deviation > 1
    plain.write(tmp_path / "r.safetensors", Command("aligned attributes train ..."))
    card = jobs.reader_card(tmp_path / "r.safetensors")
    document = json.loads(json.dumps(card.document()))
    assert document["pictures"] == {"train": 38, "calibrate": 5, "score": 5}
    assert document["command"] == "aligned attributes train ..."
    assert document["training"] == dataclasses.asdict(ReaderTraining())
    assert document["scores"]["glasses"]["images"] == 5
    text = card.text()
    assert "4 attributes, looks at 8 px" in text and "hair: curly, long, short" in text
    assert f"{document['scores']['yaw']['mae']:.3f}" in text


def test_the_card_s_scores_are_those_of_the_file_on_pictures_it_never_saw(quick, tmp_path, table):
    trained = quick(half=True)
    trained.write(tmp_path / "r.safetensors")
    found = load(tmp_path / "r.safetensors")
    assert found.params["attributes"]["dense"]["weight"].dtype == np.float32
    images, rows = drawn(48)
    # The split is a pure function of the seed; see `training._split`.
    score = np.random.default_rng((0, 1)).permutation(48)[5:10]
    told = found(images[score].astype(np.float32) / 127.5 - 1)
    label = np.float32([rows[k]["yaw"] for k in score])
    expected = float(np.abs(told["yaw"] - label).mean())
    assert found.card["scores"]["yaw"]["mae"] == pytest.approx(expected, rel=1e-4)


@pytest.mark.slow
def test_options_change_the_reader(quick, plain):
    params = plain.reader.params
    assert same_bits(quick().reader.params, params)
    assert not same_bits(quick(num=40).reader.params, params)
    assert not same_bits(quick(held_out=0.4).reader.params, params)
    assert not same_bits(quick(half=True).reader.params, params)
    assert not same_bits(quick(training=ReaderTraining(seed=1)).reader.params, params)
    assert quick(mirror=False).reader.config.mirror is False
    assert quick(resolution=16).reader.config.resolution == 16
    few = quick(attributes=["yaw", "glasses"], odd=[]).reader.heads
    assert [(h.name, h.kind, h.odd) for h in few] == [
        ("yaw", "number", False),
        ("glasses", "binary", False),
    ]
    assert few[0].mean != 0
    kinds = {head.name: head.kind for head in quick(kinds={"yaw": "category"}).reader.heads}
    assert kinds["yaw"] == "category"


def test_what_cannot_be_trained(quick, table, tmp_path):
    def refused(said, **options):
        with pytest.raises(UserError, match=said):
            quick(**options)

    refused("held_out is 1", held_out=1.0)
    refused("8 to 512 pixels, not 9", resolution=9)
    refused("num is 0", num=0)
    refused("10 pictures, of which 8 are left", num=10)
    refused("averaged only by readers", training=ReaderTraining(flip=False))
    refused(r"hair: no number .* numbers are yaw", odd=["hair"])
    refused(r"cannot teach hat; it has", attributes=["hat"])
    (tmp_path / "taken").write_text("x")
    refused("already exists", out=tmp_path / "taken")
    with pytest.raises(UserError, match="does not exist"):
        jobs.train_attributes(tmp_path / "nowhere")


def test_what_is_left_or_right_is_not_mirrored(tmp_path, monkeypatch):
    table = save_table(tmp_path, 40)
    table.write_text(table.read_text().replace("glasses", "earring_left"))
    options = {"resolution": 8}
    with pytest.raises(UserError, match=r"earring_left: what is left or right .*`mirror=False`"):
        jobs.train_attributes(table, **options)
    monkeypatch.setattr("aligned_jax.jobs.attributes.training.train_heads", untrained)
    options |= {"training": ReaderTraining(flip=False), "mirror": False}
    heads = jobs.train_attributes(table, **options).reader.heads
    assert "earring_left" in [head.name for head in heads]


def test_an_interrupted_training_leaves_nothing(plain, tmp_path, monkeypatch):
    def stop(*args, **more):
        raise KeyboardInterrupt

    monkeypatch.setattr("aligned_jax.features.attributes.file.save", stop)
    with pytest.raises(KeyboardInterrupt):
        plain.write(tmp_path / "r.safetensors")
    assert list(tmp_path.iterdir()) == []


def test_reading_pictures(tmp_path):
    images, _ = drawn(4)
    known = reader()
    expected = known(images.astype(np.float32) / 127.5 - 1)
    for k, image in enumerate(images):
        Image.fromarray(image).save(tmp_path / f"{k}.png")
    (tmp_path / "3.png").write_bytes(b"\x89PNG\r\n\x1a\n nothing")
    with pytest.warns(UserWarning, match=r"3\.png was left out"):
        told = jobs.read_attributes(known, tmp_path)
    assert told.names == ("0", "1", "2") and told.seeds is None
    np.testing.assert_allclose(told.readings["age"], expected["age"][:3], rtol=1e-4)
    again = jobs.read_attributes(known, images)
    np.testing.assert_allclose(again.readings["age"], expected["age"], rtol=1e-4)
    rows = told.rows()
    assert rows[0]["picture"] == "0" and set(rows[0]["hair"]) == {"curly", "long", "short"}
    assert rows[0]["glasses"]["yes"] == pytest.approx(expected["glasses"][0], abs=1e-3)
    assert told.table().count("\n") == 3 and told.picture().ndim == 3


def test_reading_what_a_network_draws_gives_a_judge(tmp_path):
    known = reader()
    told = jobs.read_attributes(known, PARENT, seeds="3,1", psi=0.7)
    assert told.names == ("seed 3", "seed 1") and told.seeds.tolist() == [3, 1]
    images = np.clip(jobs.generate(PARENT, "3,1", psi=0.7).images(), -1, 1)
    np.testing.assert_allclose(told.readings["age"], known(images)["age"], rtol=1e-5)
    other = jobs.read_attributes(known, PARENT, seeds="3,1", psi=1)
    assert (other.readings["age"] != told.readings["age"]).any()
    for ending in (".csv", ".npz"):
        told.write(tmp_path / f"scores{ending}")
        scores = jobs.load_judge(tmp_path / f"scores{ending}")
        np.testing.assert_allclose(scores.of([1])["yaw"], told.scores["yaw"][1:], rtol=1e-4)
    told.write(tmp_path / "all.json")
    document = json.loads((tmp_path / "all.json").read_text())
    assert [row["picture"] for row in document["pictures"]] == ["seed 3", "seed 1"]
    with pytest.raises(UserError, match=r"readings are written to a name in \.json"):
        told.write(tmp_path / "all.txt")
    with pytest.raises(UserError, match="already exists"):
        told.write(tmp_path / "all.json")
    with pytest.raises(UserError, match="seeds are drawn by one network"):
        jobs.read_attributes(known, noise(1), seeds="0")
