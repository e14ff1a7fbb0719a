"""Writes pickles of made-up classes instruction by instruction, in little memory.

The standard library can neither name classes that are not installed nor write
a file of several hundred megabytes without holding all of it: its memo keeps
every byte string alive. This writer takes large payloads as iterators of
chunks and forgets them.
"""

import io
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, BinaryIO

import numpy as np

_FRAME = 64 * 1024


@dataclass(frozen=True)
class Name:
    """A class or function, by module and name; nothing is imported."""

    module: str
    name: str


@dataclass(eq=False)
class Call:
    """`function(*args)`, then `state` set on the result, then dictionary `items`.

    `new` writes the instruction that makes an object of a class instead.
    """

    function: Name
    args: tuple = ()
    state: Any = None
    items: dict | None = None
    new: bool = False


@dataclass(eq=False)
class Payload:
    """Bytes of known size that are produced when they are written."""

    size: int
    chunks: Callable[[], Iterator[bytes | memoryview]]


@dataclass(eq=False)
class Reference:
    """A persistent id: data that lies outside the pickle."""

    value: tuple


@dataclass
class PickleWriter:
    """One pickle of `protocol` 2 to 5, written to `file` in frames where those exist.

    Texts and names are stored once and mentioned afterwards, as are objects
    that occur several times (the same object, not an equal one).
    """

    file: BinaryIO
    protocol: int = 4
    _pending: io.BytesIO = field(default_factory=io.BytesIO)
    _memo: dict[Any, int] = field(default_factory=dict)
    _alive: list[Any] = field(default_factory=list)  # an id is only unique while its object lives

    def dump(self, value: Any) -> None:
        self.file.write(b"\x80" + bytes([self.protocol]))
        self._save(value)
        self._pending.write(b".")
        self._flush()

    def _flush(self) -> None:
        data = self._pending.getvalue()
        if self.protocol >= 4 and len(data) >= 4:
            self.file.write(b"\x95" + struct.pack("<Q", len(data)))
        self.file.write(data)
        self._pending = io.BytesIO()

    def _write(self, *parts: bytes) -> None:
        for part in parts:
            self._pending.write(part)

    def _save(self, value: Any) -> None:
        if self._pending.tell() >= _FRAME:
            self._flush()
        index = self._memo.get(_identity(value))
        if index is not None:
            self._write(b"h" + bytes([index]) if index < 256 else b"j" + struct.pack("<I", index))
            return
        self._savers[type(value)](self, value)

    def _memoize(self, value: Any) -> None:
        index = len(self._alive)
        self._memo[_identity(value)] = index
        self._alive.append(value)
        if self.protocol >= 4:
            self._write(b"\x94")
        else:
            self._write(b"q" + bytes([index]) if index < 256 else b"r" + struct.pack("<I", index))

    def _save_int(self, value: int) -> None:
        if 0 <= value < 256:
            self._write(b"K" + bytes([value]))
        elif 0 <= value < 65536:
            self._write(b"M" + struct.pack("<H", value))
        elif -(2**31) <= value < 2**31:
            self._write(b"J" + struct.pack("<i", value))
        else:
            raw = value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True)
            self._write(b"\x8a" + bytes([len(raw)]) + raw)

    def _save_str(self, value: str) -> None:
        raw = value.encode("utf-8", "surrogatepass")
        if self.protocol >= 4 and len(raw) < 256:
            self._write(b"\x8c" + bytes([len(raw)]) + raw)
        else:
            self._write(b"X" + struct.pack("<I", len(raw)) + raw)
        self._memoize(value)

    def _save_bytes(self, value: bytes) -> None:
        if self.protocol >= 3 and len(value) < 256:
            self._write(b"C" + bytes([len(value)]) + value)
            self._memoize(value)
        else:
            self._save_payload(Payload(len(value), lambda: iter([value])))

    def _save_payload(self, value: Payload) -> None:
        """Large bytes, which are text in protocol 2."""
        if self.protocol == 2:
            self._save(Name("_codecs", "encode"))
            high = sum(np.count_nonzero(np.frombuffer(c, np.uint8) > 127) for c in value.chunks())
            texts = (str(chunk, "latin-1").encode() for chunk in value.chunks())
            self._raw(b"X", value.size + high, texts)
            self._memoize(value.chunks)  # the text, for the number it takes; never mentioned
            self._save("latin1")
            self._write(b"\x86R")
        else:
            self._raw(b"B", value.size, value.chunks())
        self._memoize(value)

    def _raw(self, code: bytes, size: int, chunks: Iterator[bytes | memoryview]) -> None:
        """Payloads of a frame's size or more stay outside of frames."""
        if size >= _FRAME:
            self._flush()
        target = self.file if size >= _FRAME else self._pending
        target.write(code + struct.pack("<I", size))
        for chunk in chunks:
            target.write(chunk)

    def _save_tuple(self, value: tuple) -> None:
        if not value:
            self._write(b")")
            return
        if len(value) > 3:
            self._write(b"(")
        for item in value:
            self._save(item)
        self._write({1: b"\x85", 2: b"\x86", 3: b"\x87"}.get(len(value), b"t"))
        self._memoize(value)

    def _save_list(self, value: list) -> None:
        self._write(b"]")
        self._memoize(value)
        if value:
            self._write(b"(")
            for item in value:
                self._save(item)
            self._write(b"e")

    def _save_dict(self, value: dict) -> None:
        self._write(b"}")
        self._memoize(value)
        self._save_items(value)

    def _save_items(self, value: dict) -> None:
        if value:
            self._write(b"(")
            for key, item in value.items():
                self._save(key)
                self._save(item)
            self._write(b"u")

    def _save_set(self, value: set) -> None:
        members = sorted(value)
        if self.protocol >= 4:
            self._write(b"\x8f")
            self._memoize(value)
            if members:
                self._write(b"(")
                for member in members:
                    self._save(member)
                self._write(b"\x90")
            return
        self._save(Name("__builtin__" if self.protocol == 2 else "builtins", "set"))
        self._save((members,))
        self._write(b"R")
        self._memoize(value)

    def _save_name(self, value: Name) -> None:
        if self.protocol >= 4:
            self._save(value.module)
            self._save(value.name)
            self._write(b"\x93")
        else:
            self._write(f"c{value.module}\n{value.name}\n".encode())
        self._memoize(value)

    def _save_call(self, value: Call) -> None:
        self._save(value.function)
        self._save(value.args)
        self._write(b"\x81" if value.new else b"R")
        self._memoize(value)
        if value.items is not None:
            self._save_items(value.items)
        if value.state is not None:
            self._save(value.state)
            self._write(b"b")

    def _save_reference(self, value: Reference) -> None:
        self._save(value.value)
        self._write(b"Q")

    _savers = {  # noqa: RUF012 (a constant, not a field)
        type(None): lambda self, value: self._write(b"N"),
        bool: lambda self, value: self._write(b"\x88" if value else b"\x89"),
        float: lambda self, value: self._write(b"G" + struct.pack(">d", value)),
        int: _save_int,
        str: _save_str,
        bytes: _save_bytes,
        Payload: _save_payload,
        tuple: _save_tuple,
        list: _save_list,
        dict: _save_dict,
        set: _save_set,
        Name: _save_name,
        Call: _save_call,
        Reference: _save_reference,
    }


def _identity(value: Any) -> Any:
    """What a value is remembered by: texts and names by content, others as the same object."""
    return value if type(value) in (str, Name) else id(value)


def dumps(value: Any, protocol: int = 4) -> bytes:
    """The pickle of a value as bytes."""
    file = io.BytesIO()
    PickleWriter(file, protocol).dump(value)
    return file.getvalue()
