"""What every reader of a format hands over: one network as its file describes it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from aligned_jax.config import AnyConfig
from aligned_jax.convert.files.tensor import Tensor
from aligned_jax.convert.kwargs import ADA


@dataclass(frozen=True, eq=False)
class Description:
    """A network in official terms, nothing checked and nothing read yet.

    `kwargs` are the official constructor arguments, as far as recorded;
    `tensors` maps official names to lazy tensors (`shape`, `dtype`, `numpy()`).
    `has_filters` is False for formats that do not hold `resample_filter` buffers.
    `config` is set by our own files, which record it; else it has to be deduced.
    """

    is_generator: bool
    tensors: Mapping[str, Tensor]
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    code_base: str = ADA
    has_filters: bool = True
    config: AnyConfig | None = None


@dataclass(frozen=True, eq=False)
class Derived:
    """A lazy tensor made from another one when it is read; `shape` is the result's."""

    source: Tensor
    shape: tuple[int, ...]
    function: Callable[[np.ndarray], np.ndarray]

    @property
    def dtype(self) -> str:
        return str(self.source.dtype)

    def numpy(self) -> np.ndarray:
        return self.function(self.source.numpy())


@dataclass(frozen=True, eq=False)
class InMemory:
    """An array in memory that is used like a lazy tensor."""

    array: np.ndarray

    @property
    def shape(self) -> tuple[int, ...]:
        return self.array.shape

    @property
    def dtype(self) -> str:
        return str(self.array.dtype)

    def numpy(self) -> np.ndarray:
        return self.array
