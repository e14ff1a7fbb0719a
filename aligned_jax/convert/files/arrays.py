"""Arrays in .npz, .npy and torch files, which are looked at before anything of them is read."""

import contextlib
import io
import json
import math
import os
import tokenize
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from typing import IO, Any, NamedTuple, Protocol

import numpy as np

from aligned_jax.convert.files.container import read_pickle
from aligned_jax.convert.files.tensor import DTYPES, LazyTensor
from aligned_jax.errors import FormatError
from aligned_jax.utils.reading import open_regular
from aligned_jax.utils.text import listed, said

# The key of an array that stands alone in its file.
UNNAMED = "the array"
_HEADERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}
_LONGEST_HEADER = 2**16  # bytes; more than ten thousand characters are refused by numpy
_LONGEST_TEXT = 2**28  # bytes
# Compression makes numbers smaller, but hardly so much; what is short may be all zeros.
_PACKED, _SHORT = 64, 2**26
# What damage raises in a zip archive, in its compression (NotImplementedError: an unknown one;
# zlib.error is no OSError), in its encryption (RuntimeError), and in an array of it.
DAMAGE = (OSError, ValueError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error)


class Header(NamedTuple):
    """What an entry of a file says it holds; believed only if its own size agrees."""

    shape: tuple[int, ...]
    dtype: np.dtype
    size: int  # of the entry without its header, in bytes
    packed: int  # of the same in the file

    @property
    def is_numbers(self) -> bool:
        """Whether it holds real numbers; truth values are none."""
        return self.dtype.kind in "fiu" or self.dtype == DTYPES["bfloat16"]

    @property
    def problem(self) -> str:
        """Why its array cannot be read, behind the name of the entry; empty if it can."""
        if self.dtype.hasobject:
            return "holds pickled objects, which are never read"
        if not all(type(size) is int for size in self.shape):
            return f"is damaged (shape {list(self.shape)})"
        if math.prod(self.shape) * self.dtype.itemsize != self.size:
            return f"is damaged (shape {list(self.shape)}, but {self.size} bytes of numbers)"
        if self.size > max(_SHORT, _PACKED * self.packed):
            return f"unpacks from {self.packed} to {self.size} bytes, as no numbers of a network do"
        return ""


class ArrayFile(Protocol):
    """An open file of arrays. Nothing in it is run, and nothing is read that was not asked for."""

    @property
    def keys(self) -> list[str]:
        """The names of its arrays, in their order."""
        ...

    def header(self, key: str) -> Header:
        """What an entry says it holds; raises KeyError, or one of DAMAGE."""
        ...

    def array(self, key: str) -> np.ndarray:
        """An entry's array; raises KeyError, MemoryError, or one of DAMAGE."""
        ...


def read_headers(file: ArrayFile, keys: Sequence[str]) -> tuple[dict[str, Header], list[str]]:
    """The headers that can be read, and a line for each of the others."""
    headers: dict[str, Header] = {}
    problems: list[str] = []
    for key in keys:
        try:
            headers[key] = file.header(key)
        except DAMAGE as error:
            problems.append(f"{key} is damaged ({said(error)})")
    return headers, problems


def read_arrays(file: ArrayFile, keys: Sequence[str]) -> tuple[dict[str, np.ndarray], list[str]]:
    """The arrays that can be read, and a line for each of the others; look at headers first."""
    arrays: dict[str, np.ndarray] = {}
    problems: list[str] = []
    for key in keys:
        try:
            arrays[key] = file.array(key)
        except DAMAGE as error:
            problems.append(f"{key} is damaged ({said(error)})")
        except MemoryError:
            problems.append(f"{key} is larger than the memory")
    return arrays, problems


def read_document(file: ArrayFile, key: str = "meta_json") -> Any:
    """The JSON document that an entry holds as text; raises KeyError, or one of DAMAGE."""
    header = file.header(key)
    if header.problem or header.shape or header.dtype.kind != "U":
        raise ValueError(f"{key} {header.problem or 'is no text'}")
    if header.size > _LONGEST_TEXT:
        raise ValueError(f"{key} is a text of {header.size} bytes")
    arrays, problems = read_arrays(file, [key])
    if problems:
        raise ValueError(problems[0])
    return json.loads(str(arrays[key]))


@contextlib.contextmanager
def open_arrays(path: str | os.PathLike) -> Iterator[ArrayFile]:
    """The arrays in a file, to be read inside the block: .npz, .npy, or what torch saved.

    Raises:
      FormatError: for a pipe or device, or a file of torch that is damaged or holds no tensors.
      OSError, ValueError, EOFError, zipfile.BadZipFile: for one that is neither of them or is not
        there.
    """
    with open_regular(path) as file:
        if file.read(len(np.lib.format.MAGIC_PREFIX)) == np.lib.format.MAGIC_PREFIX:
            yield _Npy(file)
        elif _is_torch(path, file):
            yield _Torch(path)
        else:
            with zipfile.ZipFile(file) as archive:
                yield _Npz(archive)


def _is_torch(path: str | os.PathLike, file: IO[bytes]) -> bool:
    """Whether torch wrote a file, whose name need not say so; damaged ones go by their name."""
    if os.fspath(path).lower().endswith((".pt", ".pth")):
        return True
    if not zipfile.is_zipfile(file):
        return False
    with zipfile.ZipFile(file) as archive:
        return any(name.split("/")[-1] == "data.pkl" for name in archive.namelist())


class _Npz:
    """What numpy.savez writes."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self._names = {name.removesuffix(".npy"): name for name in archive.namelist()}
        if self._names and not any(name.endswith(".npy") for name in self._names.values()):
            raise ValueError("a zip without arrays")
        if len(self._names) == 1 and "arr_0" in self._names:  # savez(path, array)
            self._names = {UNNAMED: self._names["arr_0"]}

    @property
    def keys(self) -> list[str]:
        return list(self._names)

    def header(self, key: str) -> Header:
        info = self._archive.getinfo(self._names[key])
        with self._archive.open(info) as entry:
            return _read_header(entry, info.file_size, info.compress_size)

    def array(self, key: str) -> np.ndarray:
        with self._archive.open(self._names[key]) as entry:
            return np.lib.format.read_array(entry, allow_pickle=False)


class _Npy:
    """What numpy.save writes: one array without a name."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    @property
    def keys(self) -> list[str]:
        return [UNNAMED]

    def header(self, key: str) -> Header:
        size = self._file.seek(0, os.SEEK_END)
        self._file.seek(0)
        return _read_header(self._file, size, size)

    def array(self, key: str) -> np.ndarray:
        self._file.seek(0)
        return np.lib.format.read_array(self._file, allow_pickle=False)


class _Torch:
    """What torch.save writes: a tensor without a name, or a dictionary of tensors."""

    def __init__(self, path: str | os.PathLike) -> None:
        loaded = read_pickle(path)
        name = os.path.basename(os.fspath(path))
        if loaded.unknown_globals:
            raise FormatError(
                f"{name}: it mentions {listed(loaded.unknown_globals)}, so it holds more than "
                "tensors; nothing was run"
            )
        value = loaded.value
        if isinstance(value, LazyTensor):
            value = {UNNAMED: value}
        self._tensors: Mapping[str, Any] = value if isinstance(value, Mapping) else {}
        wrong = [str(key) for key in self._tensors if not isinstance(key, str)]
        if wrong or not self._tensors:
            raise FormatError(f"{name}: it is no tensor, and no dictionary of tensors by name")

    @property
    def keys(self) -> list[str]:
        return list(self._tensors)

    def header(self, key: str) -> Header:
        tensor = self._tensors[key]
        if not isinstance(tensor, LazyTensor):
            raise ValueError("it is no tensor")
        dtype = DTYPES[tensor.dtype]
        size = math.prod(tensor.shape) * dtype.itemsize
        return Header(tensor.shape, dtype, size, size)

    def array(self, key: str) -> np.ndarray:
        return np.asarray(self._tensors[key].numpy())


def _read_header(entry: IO[bytes], size: int, packed: int) -> Header:
    """The header at the beginning of an entry, of which no more than a header's length is read."""
    beginning = io.BytesIO(entry.read(_LONGEST_HEADER))
    version = np.lib.format.read_magic(beginning)
    if version not in _HEADERS:
        raise ValueError(f"a header of version {version}")
    try:
        shape, _, dtype = _HEADERS[version](beginning)
    except (tokenize.TokenError, RecursionError, MemoryError):  # it is read as Python's literals
        raise ValueError("a header that is no dictionary") from None
    return Header(shape, dtype, size - beginning.tell(), packed)
