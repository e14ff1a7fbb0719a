"""Reads the tensors of safetensors files, each when it is asked for."""

import os
from dataclasses import dataclass
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open

from aligned_jax.convert.files.inert import show
from aligned_jax.convert.files.tensor import Tensor
from aligned_jax.errors import FormatError
from aligned_jax.utils.reading import open_regular

_DTYPES = {"F16": "float16", "BF16": "bfloat16", "F32": "float32", "F64": "float64"}


@dataclass(frozen=True, eq=False)
class _Entry:
    """One tensor of an open file, read on demand."""

    file: Any
    name: str
    shape: tuple[int, ...]
    dtype: str

    def numpy(self) -> np.ndarray:
        try:
            return self.file.get_tensor(self.name)
        except (SafetensorError, OSError, TypeError, ValueError, AttributeError, KeyError) as error:
            raise FormatError(f"{show(self.name)} cannot be read ({show(str(error))})") from None


def is_safetensors(path: str | os.PathLike) -> bool:
    """Whether a file begins as safetensors do: eight bytes of length, then a JSON object."""
    try:
        with open_regular(path) as file:
            head = file.read(9)
    except (OSError, ValueError, FormatError):  # no file at all; whoever opens it says so
        return False
    return len(head) == 9 and head[4:8] == b"\0\0\0\0" and head[8:] == b"{"


def read_tensors(path: str | os.PathLike) -> tuple[dict[str, Tensor], dict[str, str]]:
    """All tensors by name, each read when its `numpy()` is called, and the header's texts.

    Raises FormatError for a damaged file.
    """
    try:
        file = safe_open(os.fspath(path), framework="np")
        metadata = file.metadata() or {}
        entries: dict[str, Tensor] = {name: _entry(file, name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, ValueError) as error:
        raise FormatError(
            f"it is no valid safetensors file ({show(str(error))}); it is damaged or cut short"
        ) from None
    return entries, metadata


def _entry(file: Any, name: str) -> _Entry:
    view = file.get_slice(name)
    stored = view.get_dtype()
    return _Entry(file, name, tuple(view.get_shape()), _DTYPES.get(stored, stored))
