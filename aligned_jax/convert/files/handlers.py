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
    tensor = _arguments(args, "a parameter", 3, 4)[0]  # with attributes there are four
    if not isinstance(tensor, LazyTensor):
        raise FormatError("a parameter is not a tensor")
    return tensor


def _torch_size(args: tuple, budget: Budget) -> tuple:
    (sizes,) = _arguments(args, "a size", 1, 1)
    if type(sizes) not in (tuple, list):
        raise FormatError("a size is not a list of numbers")
    budget.spend(len(sizes))
    return tuple(sizes)


def _torch_typed_tensor(args: tuple, budget: Budget) -> LazyTensor:
    """Tensors of a class, or with attributes (buffers): (function, class, its arguments, state)."""
    function, cls, inner, _ = _arguments(args, "a tensor of a class", 4, 4)
    made_by = (function.module, function.name) if type(function) is Global else ("", "")
    if made_by not in _REBUILDERS or type(inner) is not tuple:
        raise FormatError("a tensor of a class is made by something that makes no tensors")
    if type(cls) is not Global or (cls.module, cls.name) not in _TENSOR_CLASSES:
        raise FormatError("a tensor is of a class that is not known here")
    return _REBUILDERS[made_by](inner, budget)


def _device_tensor(args: tuple, budget: Budget) -> LazyTensor:
    """Tensors of other accelerators, saved as arrays: (array, type, device, needs gradients)."""
    tensor = _arguments(args, "a tensor", 1, 4)[0]
    if not isinstance(tensor, LazyTensor):
        raise FormatError("a tensor is made from something that is no array")
    return tensor


def _default_dictionary(args: tuple, budget: Budget) -> dict:
    """A dictionary that would make what it lacks with a function; here it makes nothing."""
    return _dictionary(_arguments(args, "a dictionary", 0, 2)[1:], budget)


def _queue(args: tuple, budget: Budget) -> list:
    items = (_arguments(args, "a queue", 0, 2) or ([],))[0]
    if type(items) not in (list, tuple):
        raise FormatError("a queue is made from something that is no list")
    budget.spend(len(items))
    return list(items)


def _only_named(args: tuple, budget: Budget) -> Any:
    raise FormatError("a class that is only ever named is called")


def _arguments(args: tuple, what: str, least: int, most: int) -> tuple:
    if not least <= len(args) <= most:
        raise FormatError(f"{what} is made from {len(args)} arguments")
    return args


def _both(modules: str, names: str, handler: Handler) -> dict[tuple[str, str], Handler]:
    return {(module, name): handler for module in modules.split() for name in names.split()}


def _setting(name: str) -> Handler:
    """A setting that lies beside the weights, such as a path: kept with its name, never made."""
    return lambda args, budget: Opaque(name, args)


def _settings(module: str, names: str) -> dict[tuple[str, str], Handler]:
    return {(module, name): _setting(f"{module}.{name}") for name in names.split()}


_BUILTINS = "builtins __builtin__"
_MULTIARRAY = "numpy.core.multiarray numpy._core.multiarray"
_PATHS = "PosixPath WindowsPath PurePosixPath PureWindowsPath Path PurePath"
# Types of numbers and orders of axes, which torch pickles by name alone.
_TORCH_CONSTANTS = (
    "float16 float32 float64 half float double bfloat16 uint8 int8 int16 int32 int64 uint16 uint32 "
    "uint64 short int long bool complex32 complex64 complex128 cfloat cdouble float8_e4m3fn "
    "float8_e5m2 float8_e4m3fnuz float8_e5m2fnuz quint8 qint8 qint32 "
    "channels_last channels_last_3d contiguous_format preserve_format"
)
_REBUILDERS: Mapping[tuple[str, str], Handler] = {
    ("torch._utils", "_rebuild_tensor"): _torch_tensor,
    ("torch._utils", "_rebuild_tensor_v2"): _torch_tensor,
}
_TENSOR_CLASSES = {
    **_both("torch torch._tensor", "Tensor", _only_named),
    **_both("torch.nn.parameter torch.nn", "Parameter Buffer", _only_named),
}

HANDLERS: Mapping[tuple[str, str], Handler] = {
    ("collections", "OrderedDict"): _dictionary,
    ("collections", "Counter"): _dictionary,
    ("collections", "defaultdict"): _default_dictionary,
    ("collections", "deque"): _queue,
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
    **_both(_BUILTINS, "list dict int float str bool", _only_named),  # what defaultdicts make
    **_REBUILDERS,
    **_both("torch._utils", "_rebuild_parameter _rebuild_parameter_with_state", _torch_parameter),
    **_both("torch._tensor", "_rebuild_from_type _rebuild_from_type_v2", _torch_typed_tensor),
    **_both(
        "torch._utils",
        "_rebuild_device_tensor_from_numpy _rebuild_device_tensor_from_cpu_tensor",
        _device_tensor,
    ),
    **_TENSOR_CLASSES,
    ("torch", "Size"): _torch_size,
    **_both("torch", _TORCH_CONSTANTS, _only_named),
    ("torch_utils.persistence", "_reconstruct_persistent_obj"): _persistent_object,
    ("dnnlib.tflib.network", "Network"): _tf_network,
    # What training scripts keep beside the weights: command lines, devices, paths, times.
    **_settings("argparse", "Namespace"),
    **_settings("types", "SimpleNamespace"),
    **_settings("torch", "device"),
    **_settings("torch.serialization", "_get_layout"),
    **_settings("torch.torch_version", "TorchVersion"),
    **_settings("pathlib", _PATHS),
    **_settings("pathlib._local", _PATHS),
    **_settings("datetime", "datetime date time timedelta timezone"),
    **_settings("builtins", "complex slice range"),
    **_settings("__builtin__", "complex slice range xrange"),
}
