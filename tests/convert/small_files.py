"""What several tests of the reader share: small files, and how they are refused."""

import os
import struct
import zipfile

import numpy as np
import pytest

from aligned_jax.convert.files.container import read_pickle
from aligned_jax.convert.files.handlers import HANDLERS
from aligned_jax.convert.files.inert import PersistentObject, walk
from aligned_jax.convert.files.tensor import LazyTensor
from aligned_jax.convert.files.unpickle import unpickle
from aligned_jax.errors import FormatError
from tests.makers.pickle_writer import Call, Name, Reference, dumps

FLOAT = Name("torch", "FloatStorage")
REBUILD = Name("torch._utils", "_rebuild_tensor_v2")


def read(data: bytes, **options):
    """The value of a pickle in memory."""
    return unpickle(memoryview(data), HANDLERS, **options).value


def refusal(data: bytes, **options) -> str:
    """Why a pickle in memory is refused."""
    with pytest.raises(FormatError) as caught:
        read(data, **options)
    return str(caught.value)


def file_refusal(path) -> str:
    """Why a file is refused, in a message that begins with its name."""
    with pytest.raises(FormatError) as caught:
        read_pickle(path)
    assert str(caught.value).startswith(f"{os.path.basename(path)}: ")
    return str(caught.value)


def legacy_file(reference=("storage", FLOAT, "7", "cpu", 2, None), **changes) -> bytes:
    """An older torch file with one tensor [1, 2], with parts replaced."""
    tensor = Call(REBUILD, (Reference(reference), 0, (2,), (1,), False, {}))
    parts = {
        "magic": 0x1950A86A20F9469CFC6C,
        "version": 1001,
        "system": {"little_endian": True},
        "content": [tensor],
        "keys": ["7"],
    } | {key: value for key, value in changes.items() if key != "raw"}
    raw = changes.get("raw", struct.pack("<q2f", 2, 1, 2))
    return b"".join(dumps(part, 2) for part in parts.values()) + raw


def zip_file(path, entries=None, method=zipfile.ZIP_STORED) -> None:
    """A newer torch file with one tensor [1, 2]; `entries` replace, add or (None) drop."""
    reference = Reference(("storage", FLOAT, "0", "cpu", 2))
    tensor = Call(REBUILD, (reference, 0, (2,), (1,), False, {}))
    content = {"net/data.pkl": dumps([tensor], 2), "net/data/0": struct.pack("<2f", 1, 2)}
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in (content | (entries or {})).items():
            if data is not None:
                archive.writestr(name, data)


def script_file(path, state, storages=None) -> None:
    """A TorchScript archive of one object with this state; its program is compressed.

    Tensors in it refer to storage 0 of two numbers, or to `storages` by key.
    """
    root = Call(Name("__torch__", "Network"), state=state, new=True)
    data = {f"net/data/{key}": array.tobytes() for key, array in (storages or {}).items()}
    pickles = {"net/data.pkl": dumps(root, 2), "net/constants.pkl": dumps((), 2)}
    zip_file(path, pickles | data)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("net/code/__torch__.py", "class Network:\n" * 99)


def tensors(value) -> list[LazyTensor]:
    """All tensors of a result."""
    return [node for node in walk(value) if isinstance(node, LazyTensor)]


def state_tensors(module: PersistentObject, prefix: str = "") -> dict[str, np.ndarray]:
    """Arrays of a network by official name."""
    state = module.meta["state"]
    by_name = {
        prefix + name: tensor.numpy()
        for kind in ("_parameters", "_buffers")
        for name, tensor in state[kind].items()
        if tensor is not None
    }
    for name, child in state["_modules"].items():
        by_name |= state_tensors(child, f"{prefix}{name}.")
    return by_name
