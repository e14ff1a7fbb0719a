"""Writes dictionaries of arrays as `torch.save` does, without torch.

The file is an uncompressed zip archive with `data.pkl`, which mentions nothing but
`collections.OrderedDict`, `torch._utils._rebuild_tensor_v2` and types of storages, and one
entry of raw numbers for each tensor. `torch.load(path, weights_only=True)` takes it.
"""

import struct
import zipfile
from collections.abc import Iterator, Mapping
from typing import BinaryIO

import numpy as np

_ROOT = "archive"
_ALIGNMENT = 64  # of numbers in the file, so that they can be mapped into memory
_STORAGES = {"float32": "FloatStorage", "float16": "HalfStorage"}

Content = Mapping[str, "Mapping[str, np.ndarray] | np.ndarray | str"]


def write_torch(file: BinaryIO, content: Content) -> None:
    """Writes tensors, texts and dictionaries of tensors by name to a file that can seek.

    Arrays are float32 or float16, of any shape. The same content gives the same bytes.
    Raises OSError as the file does.
    """
    pickler = _Pickler()
    data = pickler.dumps(content)
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        entries: list[tuple[str, bytes | memoryview]] = [("data.pkl", data)]
        entries.append(("byteorder", b"little"))
        entries += [(f"data/{i}", _raw(array)) for i, array in enumerate(pickler.arrays)]
        entries.append(("version", b"3\n"))
        for name, raw in entries:
            info = zipfile.ZipInfo(f"{_ROOT}/{name}")  # without the time of day
            header = 30 + len(info.filename) + 4
            padding = -(file.tell() + header) % _ALIGNMENT
            info.extra = b"FB" + struct.pack("<H", padding) + bytes(padding)
            with archive.open(info, "w", force_zip64=False) as entry:
                entry.write(raw)


class _Pickler:
    """A pickle of protocol 2, instruction by instruction; `arrays` lie outside of it."""

    def __init__(self) -> None:
        self.arrays: list[np.ndarray] = []

    def dumps(self, content: Content) -> bytes:
        return b"".join([b"\x80\x02", *self._dictionary(b"}", content), b"."])

    def _dictionary(self, empty: bytes, values: Content) -> Iterator[bytes]:
        yield empty + b"("
        for name, value in values.items():
            yield _text(name)
            if isinstance(value, str):
                yield _text(value)
            elif isinstance(value, np.ndarray):
                yield from self._tensor(value)
            else:
                yield from self._dictionary(_ORDERED, value)
        yield b"u"

    def _tensor(self, array: np.ndarray) -> Iterator[bytes]:
        key = str(len(self.arrays))
        self.arrays.append(array)
        strides = [int(np.prod(array.shape[i + 1 :])) for i in range(array.ndim)]
        yield _name("torch._utils", "_rebuild_tensor_v2") + b"("
        storage = _name("torch", _STORAGES[array.dtype.name])
        yield b"(" + _text("storage") + storage + _text(key) + _text("cpu")
        yield _number(array.size) + b"tQ"
        yield _number(0) + _numbers(array.shape) + _numbers(strides)
        yield b"\x89" + _ORDERED + b"tR"  # no gradients, no hooks


def _raw(array: np.ndarray) -> memoryview:
    """The numbers, little-endian and in C order."""
    little = array.astype(array.dtype.newbyteorder("<"), copy=False)
    return np.ascontiguousarray(little).reshape(-1).view(np.uint8).data


def _text(value: str) -> bytes:
    raw = value.encode()
    return b"X" + struct.pack("<I", len(raw)) + raw


def _number(value: int) -> bytes:
    raw = value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True)
    return b"\x8a" + bytes([len(raw)]) + raw


def _numbers(values: tuple[int, ...] | list[int]) -> bytes:
    return b"(" + b"".join(map(_number, values)) + b"t"


def _name(module: str, name: str) -> bytes:
    return f"c{module}\n{name}\n".encode()


_ORDERED = _name("collections", "OrderedDict") + b")R"
