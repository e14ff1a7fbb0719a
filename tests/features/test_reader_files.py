"""Files of readers: what is written comes back; what was damaged or made up is refused."""

import dataclasses
import json

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from aligned_jax.errors import FormatError, UserError
from aligned_jax.features.attributes import file as files
from aligned_jax.features.attributes import load
from aligned_jax.features.attributes.card import reader_card
from aligned_jax.features.attributes.file import KEY, rounded, save_reader
from aligned_jax.utils.checksums import checksum_of, sealed
from tests.helpers import same_bits
from tests.labelled_pictures import noise, reader


@pytest.fixture
def path(tmp_path):
    save_reader(tmp_path / "r.safetensors", dataclasses.replace(reader(), card={"says": "so"}))
    return tmp_path / "r.safetensors"


def test_what_is_written_comes_back(path):
    written, found = reader(), load(path)
    assert found.config == written.config and found.card == {"says": "so"}
    assert same_bits(found.params, written.params)


def test_a_card_may_hold_numbers_that_are_no_scores(tmp_path):
    """A stranger's card is read whatever it says."""
    name = reader().heads[0].name
    for score in (10**400, float("inf"), float("nan"), True, "x", None, [1]):
        card = {"scores": {name: dict.fromkeys(("accuracy", "auc"), score)}}
        save_reader(
            tmp_path / "r.safetensors", dataclasses.replace(reader(), card=card), overwrite=True
        )
        assert name in reader_card(tmp_path / "r.safetensors").text()


def test_half_precision_is_half_the_size_and_what_rounded_says(path, tmp_path):
    small = tmp_path / "half.safetensors"
    save_reader(small, reader(), half=True)
    assert {str(v.dtype) for v in load_file(small).values()} == {"float16"}
    assert same_bits(load(small).params, rounded(reader()).params)
    told, full = load(small)(noise(4)), load(path)(noise(4))
    np.testing.assert_allclose(told["age"], full["age"], atol=0.1)
    assert (told["age"] != full["age"]).any()


def test_half_precision_refuses_what_it_cannot_hold(tmp_path):
    large = reader()
    large.params["attributes"]["dense"]["bias"] = np.full(8, 1e6, np.float32)
    with pytest.raises(UserError, match=r"cannot hold attributes\.dense\.bias"):
        save_reader(tmp_path / "r.safetensors", large, half=True)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_exists_stays(path):
    before = path.read_bytes()
    with pytest.raises(UserError, match="already exists"):
        save_reader(path, reader(1))
    assert path.read_bytes() == before
    save_reader(path, reader(1), overwrite=True)
    assert path.read_bytes() != before


def rewritten(path, change=None, tensors=None):
    """The file with a changed description, sealed again, or with other tensors."""
    held = load_file(path)
    from safetensors import safe_open

    with safe_open(path, "np") as opened:
        document = json.loads(opened.metadata()[KEY])
    document |= change or {}
    held |= tensors or {}
    if tensors:
        document["checksum"] = checksum_of(sorted(held.items()))
    save_file(held, path, {KEY: json.dumps(sealed(document))})


def test_damage_is_found(path):
    whole = bytearray(path.read_bytes())
    whole[-3] ^= 1
    path.write_bytes(whole)
    with pytest.raises(FormatError, match="damaged: its parameters"):
        load(path)
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(FormatError, match="damaged or cut short"):
        load(path)
    path.write_bytes(b"nothing")
    with pytest.raises(FormatError, match="no safetensors file"):
        load(path)


def test_a_description_that_was_edited_is_found(path):
    whole = path.read_bytes()
    path.write_bytes(whole.replace(b'\\"name\\": \\"glasses\\"', b'\\"name\\": \\"glosses\\"'))
    assert path.read_bytes() != whole
    with pytest.raises(FormatError, match="damaged or was edited"):
        load(path)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"format_version": 99}, "format 99"),
        ({"config": {"heads": []}}, "0 attributes"),
        ({"config": 3}, "must be an object"),
        ({"checksum": None}, "its parameters are not those"),
    ],
)
def test_descriptions_that_do_not_fit(path, change, said):
    rewritten(path, change)
    with pytest.raises(FormatError, match=said):
        load(path)


def test_tensors_that_do_not_fit_are_all_named(path):
    rewritten(
        path,
        tensors={
            "extra": np.zeros(2, np.float32),
            "attributes.dense.bias": np.zeros(9, np.float32),
            "attributes.heads.bias": np.full(9, np.nan, np.float32),
        },
    )
    with pytest.raises(FormatError) as refused:
        load(path)
    for said in ("extra is unexpected", "dense.bias has shape", "heads.bias holds values"):
        assert said in str(refused.value)


def test_other_files_are_no_readers(tmp_path):
    save_file({"a": np.zeros(3, np.float32)}, tmp_path / "other.safetensors")
    with pytest.raises(FormatError, match="is no reader"):
        load(tmp_path / "other.safetensors")
    with pytest.raises(UserError, match="is no file"):
        load(tmp_path / "missing.safetensors")
    with pytest.raises(UserError, match="there is no reader zoo:nobody"):
        load("zoo:nobody")


def test_the_zoo_s_readers_are_found_by_name(monkeypatch):
    monkeypatch.setattr(files, "zoo_readers", lambda: ["somebody"])
    assert files.reader_file("zoo:somebody").endswith("zoo/somebody/reader.safetensors")
    with pytest.raises(UserError, match="there are zoo:somebody"):
        files.reader_file("zoo:nobody")
