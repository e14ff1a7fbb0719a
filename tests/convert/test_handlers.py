"""The classes that mean something in a pickle: containers, numpy, networks."""

import pickle

import numpy as np
import pytest

from aligned_jax.convert.files.handlers import HANDLERS
from aligned_jax.convert.files.inert import Global, Opaque, PersistentObject, TFNetwork
from aligned_jax.convert.files.tensor import DTYPES, LazyTensor
from aligned_jax.convert.files.unpickle import unpickle
from aligned_jax.errors import FormatError
from tests.convert.small_files import read, refusal
from tests.makers.pickle_writer import Call, Name, dumps


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("name", [name for name in DTYPES if name != "bfloat16"])
def test_numpy_arrays(name, order, protocol):
    array = np.arange(24).reshape(2, 3, 4).astype(np.dtype(name).newbyteorder(order))
    scalar = np.dtype(name).type(1)
    values = [array, np.asfortranarray(array), array[:, :0], array[1, 2, 3:4].reshape(()), scalar]
    result = unpickle(memoryview(pickle.dumps(values, protocol)), HANDLERS)
    assert result.unknown_globals == ()
    for lazy, expected in zip(result.value[:-1], values[:-1], strict=True):
        assert isinstance(lazy, LazyTensor)
        assert (lazy.dtype, lazy.shape) == (name, expected.shape)
        assert lazy.numpy().dtype == np.dtype(name) and lazy.numpy().dtype.isnative
        np.testing.assert_array_equal(lazy.numpy(), expected)
    assert type(result.value[-1]) is type(scalar) and result.value[-1] == scalar


@pytest.mark.parametrize("module", ["numpy.core", "numpy._core"])
def test_numpy_of_python_2_and_old_names(module):
    dtype = Call(Name("numpy", "dtype"), ("f4", 0, 1), (3, "<", None, None, None, -1, -1, 0))
    raw = np.array([1.5, -2.25], "<f4")
    text = raw.tobytes().decode("latin-1")
    empty = (Name("numpy", "ndarray"), (0,), b"b")
    array = Call(Name(f"{module}.multiarray", "_reconstruct"), empty, (1, (2,), dtype, False, text))
    scalar = Call(Name(f"{module}.multiarray", "scalar"), (dtype, text[:4]))
    lazy, number = read(dumps([array, scalar], 2))
    np.testing.assert_array_equal(lazy.numpy(), raw)
    assert number == np.float32(1.5) and type(number) is np.float32


def test_numpy_arrays_are_views_of_the_file():
    array = np.arange(10_000, dtype=np.float32)
    for protocol in (3, 4, 5):
        data = pickle.dumps(array, protocol)
        view = read(data).numpy()
        assert np.shares_memory(view, np.frombuffer(data, np.uint8))
        assert not view.flags.writeable


@pytest.mark.parametrize(
    "array",
    [
        np.array([{}, None], object),
        np.zeros(2, [("a", "f4")]),
        np.array(["text"]),
        np.zeros(2, "M8[s]"),
        np.zeros(2, "c8"),
    ],
    ids=["object", "record", "text", "date", "complex"],
)
def test_other_numpy_types_are_refused(array):
    assert "type other than plain numbers" in refusal(pickle.dumps(array, 2))


def test_numpy_sizes_must_agree():
    dtype = Call(Name("numpy", "dtype"), ("f4",), (3, "<", None))
    empty = (Name("numpy", "ndarray"), (0,), b"b")

    def array(*state):
        return dumps(Call(Name("numpy.core.multiarray", "_reconstruct"), empty, state))

    assert "needs 12 bytes, the file has 8" in refusal(array(1, (3,), dtype, False, bytes(8)))
    assert "whole numbers" in refusal(array(1, (-1,), dtype, False, b""))
    assert "usual layout" in refusal(array(1, (1,), dtype, False))
    assert "no type" in refusal(array(1, (1,), "f4", False, bytes(4)))
    assert "valid shape" in refusal(array(1, (1,) * 33, dtype, False, bytes(4)))
    huge = array(1, (2**62, 2**62, 0), dtype, False, b"")
    assert "more elements" in refusal(huge)
    wrong_class = Call(Name("numpy.core.multiarray", "_reconstruct"), (Name("os", "x"), (0,), b"b"))
    assert "other than numpy.ndarray" in refusal(dumps(wrong_class))
    no_order = Call(Name("numpy", "dtype"), ("f4",), (3, "?", None))
    assert "byte order" in refusal(dumps(no_order))


def test_known_classes_become_plain_values():
    metadata = {"_metadata": 1}
    attributes = Call(Name("collections", "OrderedDict"), state=metadata, items={"a": 1})
    assert read(dumps(attributes)) == {"a": 1}
    pairs = Call(Name("collections", "OrderedDict"), ([["a", 1], ["b", 2]],))
    assert read(dumps(pairs, 2)) == {"a": 1, "b": 2}
    for module in ("dnnlib.util", "dnnlib"):
        assert read(dumps(Call(Name(module, "EasyDict"), new=True, items={"x": 2}))) == {"x": 2}
    assert read(dumps(Call(Name("torch", "Size"), ([2, 3],)))) == (2, 3)
    assert read(dumps(b"\xff\x00a", 2)) == b"\xff\x00a"
    assert read(dumps({"a"}, 2)) == read(dumps({"a"}, 3)) == {"a"}


def test_networks_lose_their_program_text():
    meta = {"class_name": "Generator", "module_src": "import os", "state": {"x": 1}}
    reconstruct = Name("torch_utils.persistence", "_reconstruct_persistent_obj")
    network = read(dumps(Call(reconstruct, (meta,))))
    assert isinstance(network, PersistentObject)
    assert network.meta == {"class_name": "Generator", "state": {"x": 1}}
    state = {"version": 4, "build_module_src": "import os"}
    network = read(dumps(Call(Name("dnnlib.tflib.network", "Network"), (), state, new=True)))
    assert isinstance(network, TFNetwork) and network.state == {"version": 4}
    assert "not a dictionary" in refusal(dumps(Call(reconstruct, ([],))))


def test_the_command_line_of_the_community_port_is_tolerated():
    data = dumps(Call(Name("argparse", "Namespace"), state={"iter": 5}, new=True))
    result = unpickle(memoryview(data), HANDLERS)
    assert result.unknown_globals == () and result.value.state == {"iter": 5}


def test_known_functions_check_their_arguments():
    cases = {
        "arguments": Call(Name("collections", "OrderedDict"), (1, 2)),
        "list of pairs": Call(Name("collections", "OrderedDict"), (1,)),
        "other than pairs": Call(Name("collections", "OrderedDict"), ([1],)),
        "no list": Call(Name("builtins", "set"), (1,)),
        "latin-1": Call(Name("_codecs", "encode"), ("a", "rot13")),
        "stands for no bytes": Call(Name("_codecs", "encode"), ("€", "latin1")),
        "not bytes": Call(Name("builtins", "bytearray"), (5,)),
        "no storage": Call(Name("torch._utils", "_rebuild_tensor_v2"), (1, 0, (), (), False, {})),
        "not a tensor": Call(Name("torch._utils", "_rebuild_parameter"), (1, False, {})),
        "list of numbers": Call(Name("torch", "Size"), (3,)),
        "only ever named": Call(Name("numpy", "ndarray"), ((0,),)),
        "unknown order": Call(Name("numpy.core.numeric", "_frombuffer"), (b"", 1, (0,), "A")),
    }
    for expected, call in cases.items():
        assert expected in refusal(dumps(call)), expected


def opaque(module, name, *args, **state):
    return Call(Name(module, name), args, state or None)


# What torch 2.14 and Python 3.11 write for these values.
SETTINGS = {
    "device": opaque("torch", "device", "cuda", 0),
    "type of numbers": Name("torch", "float16"),
    "order of axes": Name("torch", "channels_last"),
    "path": opaque("pathlib", "PosixPath", "/", "data"),
    "path of Python 3.13": opaque("pathlib._local", "WindowsPath", "c:", "data"),
    "namespace": opaque("types", "SimpleNamespace", a=1),
    "command line": opaque("argparse", "Namespace", device=opaque("torch", "device", "cpu")),
    "version of torch": opaque("torch.torch_version", "TorchVersion", "2.14.1"),
    "time": opaque("datetime", "timedelta", 1, 2, 3),
    "slice": opaque("builtins", "slice", 1, 2, None),
    "layout": opaque("torch.serialization", "_get_layout", "torch.strided"),
}


@pytest.mark.parametrize("name", SETTINGS)
@pytest.mark.parametrize("protocol", [2, 4])
def test_settings_beside_weights_are_inert(name, protocol):
    data = dumps({"args": SETTINGS[name], "x": 1}, protocol)
    result = unpickle(memoryview(data), HANDLERS)
    assert result.unknown_globals == () and result.value["x"] == 1
    assert type(result.value["args"]) in (Opaque, Global)


def test_containers_of_the_standard_library_are_plain():
    assert read(dumps(opaque("collections", "Counter", {"a": 2}))) == {"a": 2}
    assert read(dumps(opaque("collections", "deque", [1, 2], 3))) == [1, 2]
    for factory in ("list", "dict", "int"):
        made = Call(
            Name("collections", "defaultdict"), (Name("builtins", factory),), items={"a": 1}
        )
        assert read(dumps(made)) == {"a": 1}
    assert "only ever named" in refusal(dumps(Call(Name("builtins", "list"), ())))
    assert "no list" in refusal(dumps(opaque("collections", "deque", 3)))


def typed(function, cls, args):
    return Call(Name("torch._tensor", "_rebuild_from_type_v2"), (function, cls, args, {"tag": 3}))


def test_tensors_with_attributes_and_buffers():
    """Buffers and parameters with attributes come as calls around the plain ones."""
    array = np.arange(3, dtype=np.float32)
    data = pickle.dumps(array, 2)
    plain = read(data)
    storage = plain.storage
    rebuild = Name("torch._utils", "_rebuild_tensor_v2")
    handlers = {**HANDLERS, ("x", "storage"): lambda args, budget: storage}
    args = (Call(Name("x", "storage")), 0, (3,), (1,), False, {})
    cases = [
        typed(rebuild, Name("torch", "Tensor"), args),
        typed(rebuild, Name("torch.nn.parameter", "Buffer"), args),
        Call(
            Name("torch._utils", "_rebuild_parameter_with_state"),
            (Call(rebuild, args), True, {}, {"note": "x"}),
        ),
        Call(
            Name("torch._utils", "_rebuild_device_tensor_from_cpu_tensor"), (Call(rebuild, args),)
        ),
    ]
    for case in cases:
        result = unpickle(memoryview(dumps(case)), handlers)
        assert result.unknown_globals == ()
        assert np.array_equal(result.value.numpy(), array)
    bad = {
        "makes no tensors": typed(
            Name("torch._utils", "_rebuild_parameter"), Name("torch", "Tensor"), args
        ),
        "not known here": typed(rebuild, Name("torch", "Size"), args),
        "no array": Call(Name("torch._utils", "_rebuild_device_tensor_from_numpy"), (3,)),
    }
    for said, case in bad.items():
        with pytest.raises(FormatError, match=said):
            unpickle(memoryview(dumps(case)), handlers)
    foreign = typed(Name("os", "system"), Name("torch", "Tensor"), ("touch x",))
    assert "makes no tensors" in refusal(dumps(foreign))


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("builtins", "eval"),
        ("builtins", "getattr"),
        ("torch", "load"),
        ("torch", "float32.__class__"),
        ("torch.serialization", "load"),
        ("pathlib", "os.system"),
        ("pathlib", "Path.unlink"),
        ("types", "FunctionType"),
        ("types", "CodeType"),
        ("functools", "partial"),
        ("collections", "namedtuple"),
        ("datetime", "sys"),
        ("torch._utils", "_import_dotted_name"),
    ],
)
def test_what_could_run_code_stays_unknown(module, name):
    result = unpickle(memoryview(dumps({"args": Call(Name(module, name), ("x",))})), HANDLERS)
    assert result.unknown_globals == (f"{module}.{name}",)
