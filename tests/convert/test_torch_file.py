"""Tensors of the official files, and the older container of torch."""

import struct

import numpy as np
import pytest

from aligned_jax.convert.files.container import read_pickle
from aligned_jax.convert.files.tensor import DTYPES
from tests.convert.small_files import (
    FLOAT,
    REBUILD,
    file_refusal,
    legacy_file,
    state_tensors,
    tensors,
)
from tests.helpers import DATA, reference
from tests.makers.pickle_writer import Call, Name, Reference, dumps


@pytest.mark.parametrize("path", sorted(DATA.glob("generator_*.pkl")), ids=lambda path: path.stem)
def test_official_snapshots(path):
    loaded = read_pickle(path)
    assert loaded.container == "pickle" and loaded.unknown_globals == ()
    expected = reference(path.stem)
    for key in ("G", "D", "G_ema"):
        actual = state_tensors(loaded.value[key])
        names = expected[f"{key}/tensor_names"].tolist()
        assert set(actual) == set(names)
        for name, total in zip(names, expected[f"{key}/tensor_sum"], strict=True):
            assert actual[name].sum(dtype=np.float64) == pytest.approx(total, rel=1e-12, abs=1e-9)
    for key, array in expected.items():
        if key.startswith("param/"):
            np.testing.assert_array_equal(actual[key.removeprefix("param/")], array, err_msg=key)


def test_community_checkpoint():
    loaded = read_pickle(DATA / "rosinality_skip32.pt")
    assert loaded.container == "torch-zip" and loaded.unknown_globals == ()
    assert all(tensor.dtype == "float32" for tensor in tensors(loaded.value))
    assert len(tensors(loaded.value["g_ema"])) > 50


@pytest.mark.parametrize("name", ["torch_types", "torch_types_legacy"])
def test_files_written_by_torch(name):
    """Written with torch 2.13: each type, views of one storage, a parameter, a state dictionary."""
    loaded = read_pickle(DATA / f"{name}.pt")
    assert loaded.container == ("torch-legacy" if "legacy" in name else "torch-zip")
    assert loaded.unknown_globals == ()
    value = dict(loaded.value)
    for dtype in DTYPES:
        if dtype.startswith("uint") and dtype != "uint8":
            continue
        assert value[dtype].dtype == dtype
        expected = np.arange(4).astype(DTYPES[dtype])
        np.testing.assert_array_equal(value[dtype].numpy(), expected)
    ramp = np.arange(12, dtype=np.float32)
    np.testing.assert_array_equal(value["transposed"].numpy(), ramp.reshape(3, 4).T)
    np.testing.assert_array_equal(value["slice"].numpy(), ramp[5:9])
    np.testing.assert_array_equal(value["step"].numpy(), ramp[1::4])
    assert value["slice"].storage is value["step"].storage
    assert value["scalar"].shape == () and value["scalar"].numpy() == 2.5
    assert value["empty"].shape == (0, 3) == value["empty"].numpy().shape
    assert value["parameter"].numpy().tolist() == [1, 1] and value["size"] == (2, 3)
    assert value["state"]["weight"].numpy().tolist() == [[7], [7]]


def test_legacy_files(tmp_path):
    path = tmp_path / "net.pt"
    path.write_bytes(legacy_file())
    loaded = read_pickle(path)
    assert loaded.container == "torch-legacy" and loaded.value[0].numpy().tolist() == [1, 2]
    cases = {
        "not of version 1001": legacy_file(version=1002),
        "no list of its storages": legacy_file(keys={}),
        "does not match its tensors": legacy_file(keys=["8"]),
        "list of storages does not": legacy_file(keys=["7", "7"]),
        "2 numbers, its tensors expect 3": legacy_file(("storage", FLOAT, "7", "cpu", 3, None)),
        "needs 8 bytes, the file has 4": legacy_file(raw=struct.pack("<q1f", 2, 1)),
        "ends before its last storage": legacy_file(raw=b"1234"),
        "part of another one": legacy_file(("storage", FLOAT, "7", "cpu", 2, ("8", 0, 2))),
        "no tensor storage": legacy_file(("storage", FLOAT, "7", "cpu", 2)),
        "refers to something": legacy_file(("other", 1)),
        "no known type": legacy_file(("storage", Name("os", "system"), "7", "cpu", 2, None)),
        "or no name": legacy_file(("storage", FLOAT, 7, "cpu", 2, None)),
        "no valid size": legacy_file(("storage", FLOAT, "7", "cpu", -2, None)),
        "storages is called": legacy_file(content=[Call(FLOAT)]),
    }
    for reason, data in cases.items():
        path.write_bytes(data)
        assert reason in file_refusal(path)
    path.write_bytes(legacy_file(system=[Name("os", "system")]))
    assert read_pickle(path).unknown_globals == ("os.system",)


def test_tensors_may_not_disagree_about_a_storage(tmp_path):
    first = ("storage", FLOAT, "7", "cpu", 2, None)
    for second in ((*first[:4], 1, None), ("storage", Name("torch", "IntStorage"), *first[2:])):
        both = [Call(REBUILD, (Reference(r), 0, (1,), (1,), False, {})) for r in (first, second)]
        (tmp_path / "net.pt").write_bytes(legacy_file(content=both))
        assert "disagree" in file_refusal(tmp_path / "net.pt")


def test_whole_pickled_modules_are_named(tmp_path):
    """Older files refer to a class and its program text; the text goes nowhere."""
    model = Call(Reference(("module", Name("model", "Generator"), "model.py", "import os")), ())
    (tmp_path / "net.pt").write_bytes(legacy_file(content=[model], keys=[], raw=b""))
    assert read_pickle(tmp_path / "net.pt").unknown_globals == ("model.Generator",)


def test_storages_hold_nothing_but_numbers(tmp_path):
    path = tmp_path / "net.pkl"

    def nested(data) -> str:
        path.write_bytes(dumps(Call(Name("torch.storage", "_load_from_bytes"), (data,))))
        return file_refusal(path)

    inner = Reference(("storage", FLOAT, "7", "cpu", 2, None))
    path.write_bytes(
        dumps(Call(Name("torch.storage", "_load_from_bytes"), (legacy_file(content=inner),)))
    )
    assert read_pickle(path).value.numel == 2
    assert "not torch data" in nested(dumps(1))
    assert "hold something else" in nested(legacy_file(content=[inner]))
    code = Call(Name("os", "system"), ("true",))
    assert "os.system; nothing was run" in nested(legacy_file(content=code, keys=[], raw=b""))
    assert "not made of bytes" in nested("text")
    # A storage inside a storage would let files nest without end.
    again = Call(Name("torch.storage", "_load_from_bytes"), (legacy_file(content=inner),))
    assert "torch.storage._load_from_bytes" in nested(legacy_file(content=again, keys=[], raw=b""))
