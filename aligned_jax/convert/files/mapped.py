"""Memory of the mapped file that a network's tensors are views of."""

import mmap
from collections.abc import Iterable
from typing import Any


def release(tensors: Iterable[Any]) -> None:
    """Lets the system drop the pages of the file that were read through these tensors.

    They come back by themselves when they are read again. Without this a file
    of 400 MB, checked once, would count as 400 MB of memory from then on.
    """
    maps = {id(file): file for file in map(_file, tensors) if file is not None}
    if hasattr(mmap, "MADV_DONTNEED"):
        for file in maps.values():
            file.madvise(mmap.MADV_DONTNEED)


def _file(tensor: Any) -> mmap.mmap | None:
    """The map behind a lazy tensor, seen through what was derived from it."""
    while hasattr(tensor, "source"):
        tensor = tensor.source
    data = getattr(getattr(tensor, "storage", None), "data", None)
    file = data.obj if isinstance(data, memoryview) else None
    return file if isinstance(file, mmap.mmap) else None
