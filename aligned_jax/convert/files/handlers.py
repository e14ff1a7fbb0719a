"""The only classes and functions that mean something in a pickle, and what.

Keys are exact (module, name) pairs: a prefix would let `torch.serialization`
/ `os.system` through. Values are pure functions of (arguments, budget) that
make plain values; none of them imports, looks up or calls what it stands for.
"""

from collections.abc import Mapping
from typing import Any

from aligned_jax.convert.files.inert import (
    Budget,
    Global,
    Opaque,
    PersistentObject,
    TFNetwork,
    without,
)
from aligned_jax.convert.files.tensor import (
    DTYPES,
    LazyTensor,
    NumpyArray,
    NumpyType,
    Storage,
    as_bytes,
)
from aligned_jax.convert.files.unpickle import Handler, check_keys
from aligned_jax.errors import FormatError

_NUMPY_CODES = {
    f"{dtype.kind}{dtype.itemsize}": name for name, dtype in DTYPES.items() if dtype.isbuiltin == 1
}
_LATIN = ("latin1", "latin-1")


def _dictionary(args: tuple, budget: Budget) -> dict:
    """A dictionary, or (protocol 2 and below) one from a list of pairs."""
    pairs = _arguments(args, "a dictionary", 0, 1) or ([],)
    if type(pairs[0]) is dict:
        pairs = (list(pairs[0].items()),)
    if type(pairs[0]) not in (list, tuple):
        raise FormatError("a dictionary is made from something that is no list of pairs")
    budget.spend(len(pairs[0]))
    if not all(type(pair) in (list, tuple) and len(pair) == 2 for pair in pairs[0]):
        raise FormatError("a dictionary is made from a list of something other than pairs")
    keys = check_keys([key for key, _ in pairs[0]], budget)
    return dict(zip(keys, (value for _, value in pairs[0]), strict=True))


def _members(args: tuple, budget: Budget) -> list:
    members = (_arguments(args, "a set", 0, 1) or ([],))[0]
    if type(members) not in (list, tuple):
        raise FormatError("a set is made from something that is no list")
    budget.spend(len(members))
    return check_keys(list(members), budget)


def _encode(args: tuple, budget: Budget) -> bytes | memoryview:
    """Bytes in protocol 2 and below: text whose characters stand for bytes."""
    text, encoding = _arguments(args, "bytes", 2, 2)
    if type(text) is not str or type(encoding) is not str or encoding not in _LATIN:
        raise FormatError("bytes are made from something other than latin-1 text")
    return as_bytes(text, budget)


def _bytes(args: tuple, budget: Budget) -> bytes | memoryview:
    """Bytes, byte arrays: from nothing, from bytes, or from latin-1 text."""
    args = _arguments(args, "bytes", 0, 2)
    return as_bytes(args[0], budget) if args else b""


def _persistent_object(args: tuple, budget: Budget) -> PersistentObject:
    (meta,) = _arguments(args, "a network object", 1, 1)
    return PersistentObject(without(meta, "module_src", budget))


def _tf_network(args: tuple, budget: Budget) -> TFNetwork:
    _arguments(args, "a TensorFlow network", 0, 0)
    return TFNetwork()


def _numpy_type(args: tuple, budget: Budget) -> NumpyType:
    code = _arguments(args, "a numpy type", 1, 3)[0]
    name = _NUMPY_CODES.get(code) if type(code) is str else None
    if name is None:
        raise FormatError("a numpy array has a type other than plain numbers")
    return NumpyType(name)


def _numpy_scalar(args: tuple, budget: Budget) -> Any:
    dtype, data = _arguments(args, "a numpy number", 2, 2)
    return _filled(dtype, (), False, data, budget).numpy()[()]


def _numpy_array(args: tuple, budget: Budget) -> NumpyArray:
    """`_reconstruct(ndarray, (0,), b"b")`: an empty array, filled afterwards."""
    cls = _arguments(args, "a numpy array", 3, 3)[0]
    if type(cls) is not Global or (cls.module, cls.name) != ("numpy", "ndarray"):
        raise FormatError("a numpy array is of a class other than numpy.ndarray")
    return NumpyArray()


def _numpy_from_buffer(args: tuple, budget: Budget) -> NumpyArray:
    """Arrays in protocol 5: (buffer, dtype, shape, order)."""
    data, dtype, shape, order = _arguments(args, "a numpy array", 4, 4)
    if type(order) is not str or order not in ("C", "F"):
        raise FormatError("a numpy array is stored in an unknown order")
    return _filled(dtype, shape, order == "F", data, budget)


def _filled(dtype: Any, shape: Any, fortran: bool, data: Any, budget: Budget) -> NumpyArray:
    array = NumpyArray()
    array.fill(dtype, shape, fortran, data, budget)
    return array


def _torch_tensor(args: tuple, budget: Budget) -> LazyTensor:
    """(storage, offset, sizes, strides, ...): what follows concerns gradients."""
    storage, offset, shape, strides = _arguments(args, "a tensor", 4, 7)[:4]
    if type(storage) is not Storage:
        raise FormatError("a tensor has no storage")
    return LazyTensor(storage, offset, shape, strides)


def _torch_parameter(args: tuple, budget: Budget) -> LazyTensor:
    tensor = _arguments(args, "a parameter", 3, 3)[0]
    if not isinstance(tensor, LazyTensor):
        raise FormatError("a parameter is not a tensor")
    return tensor


def _torch_size(args: tuple, budget: Budget) -> tuple:
    (sizes,) = _arguments(args, "a size", 1, 1)
    if type(sizes) not in (tuple, list):
        raise FormatError("a size is not a list of numbers")
    budget.spend(len(sizes))
    return tuple(sizes)


def _only_named(args: tuple, budget: Budget) -> Any:
    raise FormatError("a class that is only ever named is called")


def _arguments(args: tuple, what: str, least: int, most: int) -> tuple:
    if not least <= len(args) <= most:
        raise FormatError(f"{what} is made from {len(args)} arguments")
    return args


def _both(modules: str, name: str, handler: Handler) -> dict[tuple[str, str], Handler]:
    return {(module, name): handler for module in modules.split()}


_BUILTINS = "builtins __builtin__"
_MULTIARRAY = "numpy.core.multiarray numpy._core.multiarray"

HANDLERS: Mapping[tuple[str, str], Handler] = {
    ("collections", "OrderedDict"): _dictionary,
    **_both("dnnlib.util dnnlib", "EasyDict", _dictionary),
    **_both(_BUILTINS, "set", lambda args, budget: set(_members(args, budget))),
    **_both(_BUILTINS, "frozenset", lambda args, budget: frozenset(_members(args, budget))),
    **_both(_BUILTINS, "bytearray", _bytes),
    **_both(_BUILTINS, "bytes", _bytes),
    ("_codecs", "encode"): _encode,
    **_both(_MULTIARRAY, "scalar", _numpy_scalar),
    **_both(_MULTIARRAY, "_reconstruct", _numpy_array),
    **_both("numpy.core.numeric numpy._core.numeric", "_frombuffer", _numpy_from_buffer),
    ("numpy", "ndarray"): _only_named,
    ("numpy", "dtype"): _numpy_type,
    ("torch._utils", "_rebuild_tensor"): _torch_tensor,
    ("torch._utils", "_rebuild_tensor_v2"): _torch_tensor,
    ("torch._utils", "_rebuild_parameter"): _torch_parameter,
    ("torch", "Size"): _torch_size,
    ("torch_utils.persistence", "_reconstruct_persistent_obj"): _persistent_object,
    ("dnnlib.tflib.network", "Network"): _tf_network,
    # The command line of the community port's training script; holds no weights.
    ("argparse", "Namespace"): lambda args, budget: Opaque("argparse.Namespace", args),
}
