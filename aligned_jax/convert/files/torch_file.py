"""Storages and tensors as torch writes them, read without torch.

Two containers exist. The older one is a stream: a magic number, the protocol
version and facts about the system (a pickle each), the pickled object, the
list of storage keys, then for each key an eight-byte count and raw data. The
newer one is an uncompressed zip archive with `data.pkl` and one entry a
storage; a TorchScript archive has compressed programs besides, which are not
looked at. Pickled tensors of the official PyTorch networks carry a stream of the
older kind for each storage (`torch.storage._load_from_bytes`).
"""

import struct
from collections.abc import Mapping
from typing import Any

from aligned_jax.convert.files.handlers import HANDLERS
from aligned_jax.convert.files.inert import Budget, Global
from aligned_jax.convert.files.tensor import Storage
from aligned_jax.convert.files.unpickle import Handler, Unpickled, unpickle
from aligned_jax.convert.files.zip_entries import zip_entries
from aligned_jax.errors import FormatError
from aligned_jax.utils.text import listed

MAGIC = 0x1950A86A20F9469CFC6C
_VERSION = 1001
_MAX_KEY = 256

_STORAGE_TYPES = {
    ("torch", f"{name}Storage"): dtype
    for name, dtype in {
        "Float": "float32",
        "Double": "float64",
        "Half": "float16",
        "BFloat16": "bfloat16",
        "Long": "int64",
        "Int": "int32",
        "Short": "int16",
        "Char": "int8",
        "Byte": "uint8",
        "Bool": "bool",
    }.items()
}


class _Storages:
    """Storages mentioned by one pickle; their bytes are attached afterwards."""

    def __init__(self, fields: int, swapped: bool = False) -> None:
        self.by_key: dict[str, Storage] = {}
        self.fields, self.swapped = fields, swapped

    def refer(self, reference: Any) -> Storage | Global:
        """A persistent id: ("storage", type, key, location, size[, view])."""
        if type(reference) is not tuple or not reference:
            raise FormatError("the file refers to something that is no tensor storage")
        if reference[0] == "module" and len(reference) > 1 and type(reference[1]) is Global:
            return reference[1]  # a whole pickled network; its class is foreign and thus reported
        if reference[0] != "storage" or len(reference) != self.fields:
            raise FormatError("the file refers to something that is no tensor storage")
        _, kind, key, _, numel = reference[:5]
        if any(view is not None for view in reference[5:]):
            raise FormatError("a tensor storage is part of another one, as in files before 2018")
        dtype = _STORAGE_TYPES.get((kind.module, kind.name)) if type(kind) is Global else None
        if dtype is None or type(key) is not str or len(key) > _MAX_KEY:
            raise FormatError("a tensor storage has no known type or no name")
        storage = self.by_key.setdefault(key, Storage(dtype, numel, self.swapped))
        if (storage.dtype, storage.numel) != (dtype, numel):
            raise FormatError("two tensors disagree about the storage that they share")
        return storage


def read_torch_stream(
    data: bytes | memoryview,
    start: int,
    handlers: Mapping[tuple[str, str], Handler],
    budget: Budget,
) -> Unpickled:
    """The object in an older torch file, from the pickle after the magic number on.

    Raises FormatError when a storage is missing, left over or not of its size.
    """
    view, storages = memoryview(data), _Storages(fields=6)
    version = unpickle(view, {}, start=start, budget=budget)
    if type(version.value) is not int or version.value != _VERSION:
        raise FormatError(f"the torch file is not of version {_VERSION}")
    system = unpickle(view, {}, start=version.end, budget=budget)
    result = unpickle(view, handlers, start=system.end, persistent=storages.refer, budget=budget)
    keys = unpickle(view, {}, start=result.end, budget=budget)
    end = _attach_in_order(view, keys, storages.by_key)
    unknown = version.unknown_globals + system.unknown_globals + result.unknown_globals
    return Unpickled(result.value, end, unknown + keys.unknown_globals)


def _attach_in_order(view: memoryview, keys: Unpickled, by_key: dict[str, Storage]) -> int:
    """Gives each storage its bytes, which follow in the order of the key list."""
    names, end = keys.value, keys.end
    if type(names) is not list or not all(type(name) is str for name in names):
        raise FormatError("the torch file has no list of its storages")
    if len(set(names)) != len(names) or set(names) != set(by_key):
        raise FormatError("the torch file's list of storages does not match its tensors")
    for name in names:
        if len(view) - end < 8:
            raise FormatError("the torch file ends before its last storage; it is truncated")
        (count,) = struct.unpack_from("<q", view, end)
        storage = by_key[name]
        if count != storage.numel:
            raise FormatError(
                f"a tensor storage has {count} numbers, its tensors expect {storage.numel}"
            )
        storage.attach(view[end + 8 : end + 8 + storage.nbytes])
        end += 8 + storage.nbytes
    return end


def _load_from_bytes(args: tuple, budget: Budget) -> Storage:
    """A single storage, wrapped in a stream of its own."""
    data = args[0] if len(args) == 1 else None
    if not isinstance(data, bytes | memoryview):
        raise FormatError("a tensor storage is not made of bytes")
    first = unpickle(memoryview(data), _STORAGE_NAMES, budget=budget)
    if not is_magic(first.value):
        raise FormatError("the bytes of a tensor storage are not torch data" + _naming(first))
    result = read_torch_stream(data, first.end, _STORAGE_NAMES, budget)
    if type(result.value) is not Storage or result.unknown_globals:
        raise FormatError("the bytes of a tensor storage hold something else" + _naming(result))
    return result.value


def read_torch_zip(data: memoryview, budget: Budget) -> Unpickled:
    """The object in a newer torch file, with storages that are views of `data`."""
    entries = zip_entries(data)
    pickles = [name for name in entries if name == "data.pkl" or name.endswith("/data.pkl")]
    if len(pickles) != 1:
        raise FormatError("it is a zip archive, but not one that torch wrote (no data.pkl)")
    folder = pickles[0].removesuffix("data.pkl")
    order = bytes(_content(entries, f"{folder}byteorder", b"little")[:16])
    if order not in (b"little", b"big"):
        raise FormatError("the torch file's byte order is neither little nor big")
    storages = _Storages(fields=5, swapped=order == b"big")
    content = memoryview(_content(entries, pickles[0]))
    result = unpickle(content, TORCH_HANDLERS, persistent=storages.refer, budget=budget)
    for key, storage in storages.by_key.items():
        if f"{folder}data/{key}" not in entries:
            raise FormatError("the torch file lacks the numbers of some of its tensors")
        storage.attach(_content(entries, f"{folder}data/{key}"))
    return result


def is_script(data: memoryview) -> bool:
    """Whether a newer torch file is a TorchScript archive: a program, with its weights."""
    return any(name.endswith("constants.pkl") for name in zip_entries(data))


def _content(
    entries: Mapping[str, memoryview | None], name: str, missing: Any = None
) -> memoryview | bytes:
    """An entry's bytes; torch compresses the programs of an archive but never its numbers."""
    content = entries.get(name, missing)
    if content is None:
        raise FormatError("the zip archive is compressed, so it is not a file that torch wrote")
    return content


def is_magic(value: Any) -> bool:
    """Whether a pickle's value is the number that opens an older torch file."""
    return type(value) is int and value == MAGIC


def _naming(result: Unpickled) -> str:
    """What a stream mentions, as the end of a message."""
    names = result.unknown_globals
    return f": they mention {listed(names)}; nothing was run" if names else ""


def _only_named(args: tuple, budget: Budget) -> Any:
    raise FormatError("a class of tensor storages is called, which no network does")


_STORAGE_NAMES: Mapping[tuple[str, str], Handler] = dict.fromkeys(_STORAGE_TYPES, _only_named)
TORCH_HANDLERS: Mapping[tuple[str, str], Handler] = {
    **HANDLERS,
    **_STORAGE_NAMES,
    ("torch.storage", "_load_from_bytes"): _load_from_bytes,
}
