"""Opens files of strangers: regular ones only, of bounded size, and JSON of bounded depth.

A folder that somebody hands us can hold a pipe, which never answers, or a link to a
device, which never ends, where a file of some kilobytes is expected.
"""

import json
import os
import stat
from collections import Counter
from typing import IO, Any

from aligned_jax.errors import FormatError
from aligned_jax.utils.paths import as_path, is_remote
from aligned_jax.utils.text import listed

LONGEST_JSON = 16 << 20


def open_regular(path: str | os.PathLike) -> IO[bytes]:
    """Opens a file to read bytes from, wherever links to it lead.

    Raises:
      OSError: as `open`.
      FormatError: if the name is that of a pipe, a device, a socket or a folder.
    """
    if is_remote(path):
        return as_path(path).open("rb")
    # Without O_NONBLOCK, opening a pipe waits until somebody writes to it.
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise FormatError(f"{os.fspath(path)} is not a regular file")
    return os.fdopen(descriptor, "rb")


def open_lock(path: str | os.PathLike) -> IO[str]:
    """Opens a file to lock, which is made if there is none, and keeps what it holds.

    Raises:
      OSError: as `open`, or if it is a link: what it leads to is nobody's lock.
      FormatError: if the name is that of a pipe or a device.
    """
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK
    descriptor = os.open(path, flags, 0o666)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise FormatError(f"{os.fspath(path)} is not a regular file")
    return os.fdopen(descriptor, "r+", encoding="utf-8", errors="replace")


def read_bytes(path: str | os.PathLike, limit: int = LONGEST_JSON) -> bytes:
    """All of a regular file.

    Raises:
      OSError: as `open`.
      FormatError: if it is not a regular file, or longer than `limit` bytes.
    """
    with open_regular(path) as file:
        content = file.read(limit + 1)
    if len(content) > limit:
        raise FormatError(
            f"{os.fspath(path)} is longer than {limit} bytes, which none of its kind is"
        )
    return content


def read_json(path: str | os.PathLike, limit: int = LONGEST_JSON) -> dict[str, Any]:
    """The object that a JSON file holds.

    Raises:
      OSError: as `open`.
      FormatError: as `read_bytes`, or if it holds no JSON, another thing than an object, or
        one that is nested too deeply to be read.
    """
    return parse_json(read_bytes(path, limit), os.fspath(path))


def parse_json(text: str | bytes, where: str) -> dict[str, Any]:
    """The object of a JSON text.

    Args:
      text: UTF-8, if it is bytes.
      where: what messages call it.

    Raises:
      FormatError: if it is no JSON, no object, nested too deeply, or has a name twice.
    """
    try:
        value = json.loads(text, object_pairs_hook=_object)
    except RecursionError:
        raise FormatError(f"{where} cannot be read: it is nested too deeply") from None
    except ValueError as error:
        raise FormatError(f"{where} cannot be read: {error}") from None
    if not isinstance(value, dict):
        raise FormatError(f"{where} holds no JSON object but a {type(value).__name__}")
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of JSON; of a name that is there twice, the first would be lost without a word."""
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = sorted({name for name, count in Counter(k for k, _ in pairs).items() if count > 1})
        raise ValueError(f"{listed(map(repr, twice))} is there more than once")
    return found
