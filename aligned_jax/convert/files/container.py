"""Opens a file of weights: a pickle, or one of the two containers of torch."""

import mmap
import os
import stat
from dataclasses import dataclass
from typing import Any

from aligned_jax.convert.files.inert import Budget
from aligned_jax.convert.files.torch_file import (
    TORCH_HANDLERS,
    is_magic,
    is_script,
    read_torch_stream,
    read_torch_zip,
)
from aligned_jax.convert.files.unpickle import unpickle
from aligned_jax.errors import FormatError

_ZIP = b"PK\x03\x04"
_LFS = b"version https://git-lfs"
# Other things that end up under a checkpoint's name, and what to say about them.
_FOREIGN = {
    b"\x1f\x8b": "it is compressed with gzip; unpack it first",
    b"BZh": "it is compressed with bzip2; unpack it first",
    b"\xfd7zXZ": "it is compressed with xz; unpack it first",
    b"7z\xbc\xaf": "it is a 7z archive; unpack it first",
    b"\x89HDF": "it is an HDF5 file, not a pickle or a torch file",
    b"\x89PNG": "it is a picture, not a pickle or a torch file",
    b"\xff\xd8\xff": "it is a picture, not a pickle or a torch file",
    b"\x93NUMPY": "it is a numpy array, not a pickle or a torch file",
    b"PK\x05\x06": "it is an empty zip archive",
}


@dataclass(frozen=True, eq=False, repr=False)
class Loaded:
    """What a file holds. `unknown_globals` names every class or function in it
    that this reader does not know; whoever uses the value must refuse the file
    if there are any. `container` is "pickle", "torch-zip", "torch-script" (a
    program with its weights, of which only the weights are read) or "torch-legacy".
    """

    value: Any
    unknown_globals: tuple[str, ...]
    container: str


def read_pickle(path: str | os.PathLike) -> Loaded:
    """Reads a pickle or torch file without importing or running anything from it.

    Tensors and arrays are `LazyTensor`s: views of the file, which stays mapped
    as long as one of them lives. Networks are `PersistentObject` or
    `TFNetwork`. The value may share and contain itself; see
    `aligned_jax.convert.files.inert` for how to descend it.

    Raises FormatError, beginning with the file's name, for whatever is wrong
    with the file.
    """
    name = os.path.basename(os.fspath(path))
    try:
        data = _map(path)
        budget = Budget.of_file(len(data))
        if data[:4] == _ZIP:
            result = read_torch_zip(data, budget)
            container = "torch-script" if is_script(data) else "torch-zip"
        else:
            result, container = unpickle(data, TORCH_HANDLERS, budget=budget), "pickle"
            if is_magic(result.value):
                result = read_torch_stream(data, result.end, TORCH_HANDLERS, budget)
                container = "torch-legacy"
    except FormatError as error:
        raise FormatError(f"{name}: {error}") from None
    return Loaded(result.value, result.unknown_globals, container)


def _map(path: str | os.PathLike) -> memoryview:
    """The file's bytes, mapped into memory, once its beginning looks right."""
    try:
        status = os.stat(path)
    except FileNotFoundError:
        raise FormatError("there is no such file") from None
    except (OSError, ValueError) as error:
        raise FormatError(f"the file cannot be read ({error})") from None
    if stat.S_ISDIR(status.st_mode):
        raise FormatError("this is a folder, not a file of weights")
    if not stat.S_ISREG(status.st_mode):
        raise FormatError("this is a device or a pipe, not a file of weights")
    if status.st_size == 0:
        raise FormatError("the file is empty (0 bytes); fetch it again")
    try:
        with open(path, "rb") as file:
            data = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    except (OSError, ValueError) as error:
        raise FormatError(f"the file cannot be read ({error})") from None
    _check_beginning(bytes(data[:512]))
    return data


def _check_beginning(head: bytes) -> None:
    """Recognises what people hand over by mistake."""
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if text.startswith(b"<"):
        raise FormatError("this is a web page, not a checkpoint: the download failed")
    if text.startswith(_LFS):
        raise FormatError("this is a git-LFS pointer, not the file itself: run `git lfs pull`")
    if head[8:10] == b'{"' and head[2:8].strip(b"\0") == b"":
        raise FormatError("it is a safetensors file, not a pickle or a torch file")
    if head[257:262] == b"ustar":
        raise FormatError("it is a tar archive; unpack it first")
    for beginning, what in _FOREIGN.items():
        if head.startswith(beginning):
            raise FormatError(what)
    # Protocols 2 and up open with 0x80; older ones with the first instruction.
    if not head.startswith((_ZIP, b"\x80")) and head[0] not in b"(])}cIJKLMGFNSTUVX":
        raise FormatError("this is neither a pickle nor a torch file; its beginning is unknown")
