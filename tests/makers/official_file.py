"""Writes files in the layout of the official implementation, without torch.

Snapshots are written the way its training loop does (persistent objects nested
per module, each storage a torch stream of its own), community checkpoints the
way `torch.save` does. Tensors may be memory maps or broadcast views: they are
read in pieces, so a file may be larger than the memory.
"""

import io
import os
import struct
import zipfile
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from tests.makers.pickle_writer import Call, Name, Payload, PickleWriter, Reference, dumps

_MAGIC = 0x1950A86A20F9469CFC6C
_SYSTEM = {
    "protocol_version": 1001,
    "little_endian": True,
    "type_sizes": {"short": 2, "int": 4, "long": 4},
}
_STORAGES = {
    "float32": "Float",
    "float64": "Double",
    "float16": "Half",
    "bfloat16": "BFloat16",
    "int64": "Long",
    "int32": "Int",
    "int16": "Short",
    "int8": "Char",
    "uint8": "Byte",
    "bool": "Bool",
}
_BUFFERS = ("resample_filter", "noise_const", "w_avg")
_OLD_HOOKS = "_backward_hooks _forward_hooks _forward_pre_hooks _state_dict_hooks"
_OLD_HOOKS += " _load_state_dict_pre_hooks"
_NEW_HOOKS = "_backward_pre_hooks _backward_hooks _forward_hooks _forward_hooks_with_kwargs"
_NEW_HOOKS += " _forward_hooks_always_called _forward_pre_hooks _forward_pre_hooks_with_kwargs"
_NEW_HOOKS += " _state_dict_hooks _state_dict_pre_hooks _load_state_dict_pre_hooks"
_NEW_HOOKS += " _load_state_dict_post_hooks"
_PIECE = 1 << 20
_ALIGNMENT = 64

Tensors = Mapping[str, np.ndarray]


@dataclass(frozen=True, eq=False)
class OfficialNetwork:
    """Constructor arguments, and tensors by official name (official layout).

    `frozen` names the tensors that are stored as buffers because their layer
    does not train. `class_name` of None follows from the key in the snapshot.
    """

    kwargs: Mapping[str, Any]
    tensors: Tensors
    frozen: Collection[str] = ()
    class_name: str | None = None
    module_src: str = ""


def write_snapshot(
    path: str | os.PathLike,
    networks: Mapping[str, OfficialNetwork],
    *,
    protocol: int = 3,
    numpy_names: str = "old",
    augment_pipe: Any = None,
    **entries: Any,
) -> None:
    """Writes a snapshot pickle with the keys of `networks` (G, D, G_ema).

    `numpy_names` "old" or "new" is the age of numpy and torch: module names of
    numpy, ordered or plain dictionaries, fewer or more hook fields. One object
    under two keys is stored once. `entries` join the snapshot as they are.
    """
    if numpy_names not in ("old", "new"):
        raise ValueError(f"numpy_names is {numpy_names!r}; it must be 'old' or 'new'")
    layout = _Layout(numpy_names == "old")
    objects = {id(net): layout.network(key, net) for key, net in networks.items()}
    snapshot = {"training_set_kwargs": None}
    snapshot |= {key: objects[id(net)] for key, net in networks.items()}
    snapshot |= {"augment_pipe": augment_pipe, **entries}
    with open(path, "wb") as file:
        PickleWriter(file, protocol).dump(snapshot)


def write_rosinality(
    path: str | os.PathLike, state: Mapping[str, Any], legacy: bool = False
) -> None:
    """Writes nested dictionaries of arrays as `write_torch` does."""
    write_torch(path, dict(state), legacy)


def write_torch(path: str | os.PathLike, value: Any, legacy: bool = False) -> None:
    """Writes an array, or nested dictionaries of arrays, as `torch.save` does: zip, or a stream.

    Dictionaries below the first level become ordered ones, as state
    dictionaries are. Values other than arrays are stored as they are.
    """
    storages: dict[str, np.ndarray] = {}
    content = _referring(value, storages, 6 if legacy else 5)
    with open(path, "wb") as file:
        if legacy:
            _write_stream(file, content, storages)
        else:
            _write_zip(file, Path(path).stem, content, storages)


class _Layout:
    """Module objects as one version of torch pickles them."""

    def __init__(self, old: bool) -> None:
        self.old = old
        self.hooks = (_OLD_HOOKS if old else _NEW_HOOKS).split()
        self.multiarray = "numpy.core.multiarray" if old else "numpy._core.multiarray"
        dtype = Name("numpy", "dtype")
        state = (3, "<", None, None, None, -1, -1, 0)
        self.float64 = Call(dtype, ("f8", False, True), state=state)
        self.keys = iter(range(94293033233744, 2**63, 64))

    def network(self, key: str, net: OfficialNetwork) -> Call:
        name = net.class_name or ("Discriminator" if key == "D" else "Generator")
        tree: dict[str, Any] = {}
        for path, array in net.tensors.items():
            *modules, leaf = path.split(".")
            node = tree
            for module in modules:
                node = node.setdefault(module, {})
            node[leaf] = (array, leaf in _BUFFERS or path in net.frozen)
        return self.module(name, tree, net.module_src, _easy(net.kwargs))

    def module(self, name: str, tree: dict, source: str, kwargs: dict) -> Call:
        parts = {"_parameters": {}, "_buffers": {}, "_modules": {}}
        for key, value in tree.items():
            if isinstance(value, dict):
                below = _class_name(name, key)
                parts["_modules"][key] = self.module(below, value, source, {})
            else:
                array, is_buffer = value
                wrap = self.tensor if is_buffer else self.parameter
                parts["_buffers" if is_buffer else "_parameters"][key] = wrap(array)
        state: dict[str, Any] = {"training": False}
        state["_parameters"] = self.dictionary(parts["_parameters"])
        state["_buffers"] = self.dictionary(parts["_buffers"])
        state["_non_persistent_buffers_set"] = set()
        state |= {hook: _ordered({}) for hook in self.hooks}
        state["_modules"] = self.dictionary(parts["_modules"])
        if parts["_parameters"]:
            gain = Name(self.multiarray, "scalar")
            state["weight_gain"] = Call(gain, (self.float64, struct.pack("<d", 0.5)))
        state |= {"_init_args": (), "_init_kwargs": kwargs}
        meta = {"type": "class", "version": 6, "module_src": source, "class_name": name}
        reconstruct = Name("torch_utils.persistence", "_reconstruct_persistent_obj")
        return Call(reconstruct, ({**meta, "state": state},))

    def dictionary(self, values: dict) -> Any:
        return _ordered(values) if self.old else values

    def parameter(self, array: np.ndarray) -> Call:
        rebuild = Name("torch._utils", "_rebuild_parameter")
        return Call(rebuild, (self.tensor(array), False, _ordered({})))

    def tensor(self, array: np.ndarray) -> Call:
        array = np.asanyarray(array)
        file = io.BytesIO()
        key = str(next(self.keys))
        _write_stream(file, _reference(key, array, 6), {key: array}, data=False)
        head = file.getvalue()
        payload = Payload(len(head) + array.nbytes, lambda: _chain(head, array))
        storage = Call(Name("torch.storage", "_load_from_bytes"), (payload,))
        return _rebuilt(storage, array)


def _class_name(parent: str, key: str) -> str:
    """Class of the module `key` inside a module of class `parent`."""
    if key in ("mapping", "synthesis"):
        return f"{key.capitalize()}Network"
    if key.startswith("b") and key[1:].isdigit():
        if parent != "Discriminator":
            return "SynthesisBlock"
        return "DiscriminatorEpilogue" if key == "b4" else "DiscriminatorBlock"
    if key == "torgb":
        return "ToRGBLayer"
    if key in ("fromrgb", "skip", "conv"):
        return "Conv2dLayer"
    if key in ("conv0", "conv1"):
        return "SynthesisLayer" if parent == "SynthesisBlock" else "Conv2dLayer"
    return "FullyConnectedLayer"


def _easy(values: Mapping[str, Any]) -> Any:
    """Settings of a network; the dictionaries inside are EasyDicts, as the official ones."""
    easy = Name("dnnlib.util", "EasyDict")
    return {
        key: Call(easy, new=True, items=_easy(value)) if isinstance(value, Mapping) else value
        for key, value in values.items()
    }


def _ordered(values: dict) -> Call:
    return Call(Name("collections", "OrderedDict"), items=values)


def _rebuilt(storage: Any, array: np.ndarray) -> Call:
    strides = tuple(int(np.prod(array.shape[i + 1 :])) for i in range(array.ndim))
    rebuild = Name("torch._utils", "_rebuild_tensor_v2")
    return Call(rebuild, (storage, 0, tuple(array.shape), strides, False, _ordered({})))


def _reference(key: str, array: np.ndarray, fields: int) -> Reference:
    kind = Name("torch", f"{_STORAGES[array.dtype.name]}Storage")
    return Reference(("storage", kind, key, "cpu", array.size, None)[:fields])


def _referring(value: Any, storages: dict[str, np.ndarray], fields: int, depth: int = 0) -> Any:
    """A copy in which arrays have become tensors that refer to numbered storages."""
    if isinstance(value, Mapping):
        values = {k: _referring(v, storages, fields, depth + 1) for k, v in value.items()}
        return _ordered(values) if depth else values
    if not isinstance(value, np.ndarray):
        return value
    known = [key for key, array in storages.items() if array is value]
    key = known[0] if known else str(len(storages))
    storages[key] = value
    return _rebuilt(_reference(key, value, fields), value)


def _write_stream(
    file: BinaryIO, content: Any, storages: Mapping[str, np.ndarray], data: bool = True
) -> None:
    """The older container; `data` False stops before the raw data of the only storage."""
    for part in (_MAGIC, 1001, _SYSTEM, content, list(storages)):
        file.write(dumps(part, 2))
    for array in storages.values():
        file.write(struct.pack("<q", array.size))
        for piece in _pieces(array) if data else ():
            file.write(piece)


def _write_zip(file: BinaryIO, root: str, content: Any, storages: Mapping[str, np.ndarray]) -> None:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        entries: dict[str, Any] = {"data.pkl": iter([dumps(content, 2)])}
        entries |= {"byteorder": iter([b"little"])}
        entries |= {f"data/{key}": _pieces(array) for key, array in storages.items()}
        entries |= {"version": iter([b"3\n"])}
        for name, pieces in entries.items():
            info = zipfile.ZipInfo(f"{root}/{name}")
            # An extra field fills the header up, so that numbers are aligned in the file.
            end = file.tell() + 30 + len(info.filename.encode()) + 4
            info.extra = b"FB" + struct.pack("<H", -end % _ALIGNMENT) + bytes(-end % _ALIGNMENT)
            with archive.open(info, "w") as entry:
                for piece in pieces:
                    entry.write(piece)


def _chain(head: bytes, array: np.ndarray) -> Iterator[bytes | memoryview]:
    yield head
    yield from _pieces(array)


def _pieces(array: np.ndarray) -> Iterator[bytes]:
    """Raw data in C order, about a megabyte at a time."""
    rows = array.reshape(1) if array.ndim == 0 else array
    step = max(1, _PIECE // max(1, rows[:1].nbytes)) if len(rows) else 1
    for start in range(0, len(rows), step):
        yield rows[start : start + step].tobytes()
