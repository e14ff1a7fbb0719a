"""Tensors that stay in the file until somebody asks for them."""

import math
from typing import Any, Protocol

import ml_dtypes
import numpy as np

from aligned_jax.convert.files.inert import Budget
from aligned_jax.errors import FormatError

_PLAIN = "bool int8 int16 int32 int64 uint8 uint16 uint32 uint64 float16 float32 float64"
DTYPES = {name: np.dtype(name) for name in _PLAIN.split()}
DTYPES["bfloat16"] = np.dtype(ml_dtypes.bfloat16)
MAX_RANK = 32
_MAX_EMPTY = 2**40  # numpy multiplies the other sizes of an empty array, so they are bounded too


class Storage:
    """A run of `numel` numbers; `data` is set once its bytes are found."""

    __slots__ = ("data", "dtype", "numel", "swapped")

    def __init__(self, dtype: str, numel: int, swapped: bool = False) -> None:
        if type(numel) is not int or numel < 0:
            raise FormatError("a tensor storage has no valid size")
        self.dtype, self.numel, self.swapped = dtype, numel, swapped
        self.data: bytes | memoryview | None = None

    @property
    def nbytes(self) -> int:
        return self.numel * DTYPES[self.dtype].itemsize

    def attach(self, data: bytes | memoryview) -> "Storage":
        """Sets the bytes; raises FormatError unless there are as many as declared."""
        if len(data) != self.nbytes:
            raise FormatError(
                f"a tensor storage of {self.numel} {self.dtype} needs {self.nbytes} bytes, "
                f"the file has {len(data)}"
            )
        self.data = data
        return self


class Tensor(Protocol):
    """What every reader gives for a tensor: its shape and type at once, its numbers when asked."""

    @property
    def shape(self) -> tuple[int, ...]: ...
    @property
    def dtype(self) -> str: ...
    def numpy(self) -> np.ndarray: ...


class LazyTensor:
    """A checked view of a storage: `shape`, `dtype` (a name of DTYPES), `numpy()`.

    `offset` and `strides` count elements. Every check is made here, before any
    array exists: the view ends inside its storage and has no more elements
    than it, so that a stride of zero cannot inflate a file.
    """

    __slots__ = ("offset", "shape", "storage", "strides")

    def __init__(self, storage: Storage, offset: int, shape: tuple, strides: tuple) -> None:
        if type(shape) is not tuple or type(strides) is not tuple or len(shape) != len(strides):
            raise FormatError("a tensor's sizes and strides do not belong together")
        if len(shape) > MAX_RANK:
            raise FormatError(f"a tensor has {len(shape)} dimensions; {MAX_RANK} is the most")
        if not all(type(n) is int and 0 <= n < 2**63 for n in (offset, *shape, *strides)):
            raise FormatError("a tensor's offset, sizes or strides are not whole numbers >= 0")
        count = math.prod(max(n, 1) for n in shape)
        if count > (_MAX_EMPTY if 0 in shape else storage.numel):
            raise FormatError(
                f"a tensor of shape {shape} has more elements than its storage ({storage.numel})"
            )
        last = offset + sum((n - 1) * step for n, step in zip(shape, strides, strict=True))
        if 0 not in shape and last >= storage.numel:
            raise FormatError(
                f"a tensor of shape {shape} reaches element {last} of a storage of {storage.numel}"
            )
        self.storage, self.offset, self.shape, self.strides = storage, offset, shape, strides

    @property
    def dtype(self) -> str:
        return self.storage.dtype

    def numpy(self) -> np.ndarray:
        """Array in the stored dtype, native byte order, read-only or a fresh copy.

        No bytes are copied unless their order must be swapped; the array keeps
        the file mapped and may be unaligned or strided.
        """
        dtype = DTYPES[self.dtype]
        if 0 in self.shape:
            return np.zeros(self.shape, dtype)
        if self.storage.data is None:
            raise FormatError("a tensor's bytes are missing")
        size = dtype.itemsize
        raw = np.dtype(f">u{size}") if self.storage.swapped else dtype
        array = np.ndarray(
            self.shape,
            raw,
            buffer=self.storage.data,
            offset=self.offset * size,
            # The step along a dimension of size one leads nowhere and may be any number.
            strides=[
                s * size if n > 1 else 0 for n, s in zip(self.shape, self.strides, strict=True)
            ],
        )
        return array.astype(f"=u{size}").view(dtype) if self.storage.swapped else array


class NumpyType:
    """A numpy dtype under construction: the byte order comes second."""

    __slots__ = ("name", "swapped")

    def __init__(self, name: str) -> None:
        self.name, self.swapped = name, False

    def build(self, state: Any, budget: Budget) -> None:
        order = state[1] if type(state) is tuple and len(state) > 1 else None
        if type(order) is not str or order not in ("<", ">", "|", "="):
            raise FormatError("a numpy type has no valid byte order")
        self.swapped = order == ">" and DTYPES[self.name].itemsize > 1


class NumpyArray(LazyTensor):
    """A numpy array, which a pickle first makes empty and then fills."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__(Storage("int8", 0).attach(b""), 0, (0,), (1,))

    def build(self, state: Any, budget: Budget) -> None:
        if type(state) is not tuple or len(state) != 5:
            raise FormatError("a numpy array is not in the usual layout")
        _, shape, dtype, fortran, data = state
        fortran = type(fortran) in (bool, int) and bool(fortran)
        self.fill(dtype, shape, fortran, data, budget)

    def fill(self, dtype: Any, shape: Any, fortran: bool, data: Any, budget: Budget) -> None:
        if type(dtype) is not NumpyType:
            raise FormatError("a numpy array has no type")
        if type(shape) is not tuple or len(shape) > MAX_RANK:
            raise FormatError("a numpy array has no valid shape")
        if not all(type(n) is int and 0 <= n < 2**63 for n in shape):
            raise FormatError("a numpy array's shape is not made of whole numbers >= 0")
        storage = Storage(dtype.name, math.prod(shape), dtype.swapped)
        storage.attach(as_bytes(data, budget))
        super().__init__(storage, 0, shape, _dense_strides(shape, fortran))


def _dense_strides(shape: tuple, fortran: bool) -> tuple:
    strides, step = [], 1
    for size in shape if fortran else reversed(shape):
        strides.append(step)
        step *= max(size, 1)
    # The steps of an empty array lead nowhere, however large the other sizes claim to be.
    strides = [min(step, _MAX_EMPTY) for step in strides] if 0 in shape else strides
    return tuple(strides if fortran else reversed(strides))


def as_bytes(value: Any, budget: Budget) -> bytes | memoryview:
    """Raw bytes, also of a Python 2 string, which reads as latin-1 text."""
    if isinstance(value, bytes | memoryview):
        return value
    if type(value) is not str:
        raise FormatError(f"raw data is a {type(value).__name__}, not bytes")
    budget.copy(len(value))
    try:
        return value.encode("latin-1")
    except UnicodeEncodeError:
        raise FormatError("raw data is text that stands for no bytes") from None
