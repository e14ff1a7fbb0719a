"""Whether the files of a dataset are still those that were written."""

import hashlib
from collections.abc import Callable
from typing import Any

from aligned_jax.data.dataset import read_info, recorded_files
from aligned_jax.errors import FormatError, UserError
from aligned_jax.utils.text import listed

_PIECE = 1 << 24


def check_files(path: str, advance: Callable[[int], None] | None = None) -> int:
    """Compares every shard of all splits with the SHA-256 recorded when it was written.

    Args:
      path: of a dataset.
      advance: told after every file, with 1.

    Returns:
      how many files there are.

    Raises:
      UserError: no dataset, or one that records no SHA-256.
      FormatError: naming the files that are damaged or missing.
    """
    info = read_info(path)
    recorded = recorded_files(info)
    shards = [file for split in info.splits.values() for file in split.filepaths]
    unknown = [file.name for file in shards if "sha256" not in recorded.get(file.name, {})]
    if unknown:
        raise UserError(
            f"{path} records no SHA-256 of {listed(unknown)}; only datasets that `aligned data` "
            "wrote can be checked"
        )
    wrong = []
    for file in shards:
        if not file.exists():
            wrong.append(f"{file.name} (missing)")
        elif _sha256(file) != recorded[file.name]["sha256"]:
            wrong.append(file.name)
        if advance is not None:
            advance(1)
    if wrong:
        raise FormatError(f"{path}: damaged are {listed(wrong)}; make it again, or copy it anew")
    return len(shards)


def _sha256(file: Any) -> str:
    digest = hashlib.sha256()
    with file.open("rb") as opened:
        while piece := opened.read(_PIECE):
            digest.update(piece)
    return digest.hexdigest()
