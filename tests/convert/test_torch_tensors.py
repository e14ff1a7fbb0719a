"""Tensors by name from every kind of PyTorch file."""

import numpy as np
import pytest

from aligned_jax.convert.files.container import read_pickle
from aligned_jax.convert.files.torch_tensors import read_tensors
from aligned_jax.errors import FormatError
from tests.convert.small_files import FLOAT, REBUILD, legacy_file, script_file, zip_file
from tests.helpers import DATA
from tests.makers.pickle_writer import Call, Name, Reference, dumps


def tensor():
    reference = Reference(("storage", FLOAT, "0", "cpu", 2))
    return Call(REBUILD, (reference, 0, (2,), (1,), False, {}))


def test_an_archive_that_torch_wrote():
    tensors, kind = read_tensors(DATA / "torch_script.pt")
    assert kind == "torch-script"
    shapes = {name: value.shape for name, value in tensors.items()}
    moments = {f"layers.bn.{n}": (2,) for n in ("weight", "bias", "running_mean", "running_var")}
    assert shapes == moments | {
        "lpips0": (3,),
        "layers.conv1.weight": (2, 1, 1, 1),
        "layers.conv1.bias": (2,),
        "layers.bn.num_batches_tracked": (),
    }
    np.testing.assert_array_equal(tensors["lpips0"].numpy(), np.ones(3, np.float32))


def test_archives_by_hand(tmp_path):
    path = tmp_path / "net.pt"
    inner = Call(Name("__torch__.deep", "Layer"), state={"weight": tensor()}, new=True)
    lists = Call(Name("torch.jit._pickle", "build_intlist"), ([1, 2],))
    script_file(path, {"a": inner, "b": {"not": tensor()}, "sizes": lists, "again": inner})
    assert read_pickle(path).container == "torch-script"
    tensors, _ = read_tensors(path)
    assert [value.numpy().tolist() for value in tensors.values()] == [[1, 2]]
    assert set(tensors) <= {"a.weight", "again.weight"}
    deep = {"weight": tensor()}
    for _ in range(40):
        deep = {"inner": Call(Name("__torch__", "Layer"), state=deep, new=True)}
    cases = {
        "nest too deep at inner.inner": deep,
        "it mentions os.system, so it is no file of plain weights": {
            "a": Call(Name("os", "system"), ("true",))
        },
        "holds no tensors by name": {"training": False},
    }
    for reason, state in cases.items():
        script_file(path, state)
        with pytest.raises(FormatError, match=reason) as caught:
            read_tensors(path)
        assert str(caught.value).startswith("net.pt: ")


def test_programs_are_no_excuse_elsewhere(tmp_path):
    """Classes of programs are foreign in files that are no archives of programs."""
    path = tmp_path / "net.pt"
    foreign = Call(Name("__torch__", "Network"), ())
    path.write_bytes(legacy_file(content=[foreign], keys=[], raw=b""))
    with pytest.raises(FormatError, match=r"__torch__\.Network"):
        read_tensors(path)


def test_the_dictionary_with_most_tensors(tmp_path):
    path = tmp_path / "net.pt"
    few, many = {"a": tensor()}, {"a": tensor(), "b": tensor(), 3: tensor(), "c": 4}
    for content in (many, {"optimizer": few, "model": many, "epoch": 1}):
        zip_file(path, {"net/data.pkl": dumps(content, 2)})
        tensors, kind = read_tensors(path)
        assert set(tensors) == {"a", "b"} and kind == "torch-zip"
    for content in ([tensor()], {"a": [tensor()]}):
        zip_file(path, {"net/data.pkl": dumps(content, 2)})
        with pytest.raises(FormatError, match="no tensors by name"):
            read_tensors(path)
    path.write_bytes(b"\x08\0\0\0\0\0\0\0{oh no}!")
    with pytest.raises(FormatError, match=r"net.pt: it is no valid safetensors file"):
        read_tensors(path)
