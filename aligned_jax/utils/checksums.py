"""Checksums of arrays, and of the JSON documents that describe them.

They notice damage: a bit that a disk, a network or an editor changed. They do not
protect against somebody who changes a file on purpose, and can write a new one.
"""

import functools
import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from typing import Any

import jax
import numpy as np

from aligned_jax.errors import FormatError
from aligned_jax.types import PyTree

SEAL = "sha256"


def checksum(tree: PyTree) -> str:
    """SHA-256 of all leaves of a pytree: their names, dtypes, shapes and bytes, as hexadecimals.

    A network of 1024 px has 120 MB, which take some tenths of a second.
    """
    leaves = jax.tree_util.tree_leaves_with_path(tree)
    keystr = functools.partial(jax.tree_util.keystr, simple=True, separator="/")
    return checksum_of((keystr(path), leaf) for path, leaf in leaves)


def checksum_of(named: Iterable[tuple[str, Any]]) -> str:
    """`checksum` of arrays that come one by one, in an order of their own, with their names."""
    digest = hashlib.sha256()
    for name, array in named:
        values = np.asarray(array, order="C")
        digest.update(f"{name} {values.dtype.str} {values.shape}\n".encode())
        digest.update(values.reshape(-1).view(np.uint8).data)
    return digest.hexdigest()


def of_file(path: str | os.PathLike[str]) -> str:
    """SHA-256 of a file, hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sealed(document: Mapping[str, Any]) -> dict[str, Any]:
    """The JSON-able document with a last entry `sha256`, the checksum of all other entries."""
    content = {key: value for key, value in document.items() if key != SEAL}
    return {**content, SEAL: _document_checksum(content)}


def check_seal(document: Mapping[str, Any], where: str) -> None:
    """Refuses a document that was changed after it was sealed; one without a seal passes.

    Raises:
      FormatError: naming the document.
    """
    if SEAL not in document:
        return
    content = {key: value for key, value in document.items() if key != SEAL}
    if document[SEAL] != _document_checksum(content):
        raise FormatError(
            f"{where} is damaged or was edited: its content does not have the checksum that it "
            f"records (who edits it on purpose removes the entry {SEAL!r})"
        )


def _document_checksum(content: Mapping[str, Any]) -> str:
    # Sorted and without spaces, so that only the content counts.
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
