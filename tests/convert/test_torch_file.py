"""Tensors, torch containers, and what people hand over instead of a checkpoint."""

import io
import os
import struct
import tracemalloc
import zipfile

import ml_dtypes
import numpy as np
import pytest

from aligned_jax.convert.container import read_pickle
from aligned_jax.convert.inert import PersistentObject, walk
from aligned_jax.convert.tensor import DTYPES, LazyTensor, Storage
from aligned_jax.errors import FormatError
from benchmarks.official_file import OfficialNetwork, write_rosinality, write_snapshot
from benchmarks.pickle_writer import Call, Name, Reference, dumps
from tests.helpers import DATA, reference

FLOAT = Name("torch", "FloatStorage")
REBUILD = Name("torch._utils", "_rebuild_tensor_v2")


def refusal(path) -> str:
    with pytest.raises(FormatError) as caught:
        read_pickle(path)
    assert str(caught.value).startswith(f"{os.path.basename(path)}: ")
    return str(caught.value)


def tensors(value) -> list[LazyTensor]:
    return [node for node in walk(value) if isinstance(node, LazyTensor)]


def state_tensors(module: PersistentObject, prefix: str = "") -> dict[str, np.ndarray]:
    state = module.meta["state"]
    found = {
        prefix + name: tensor.numpy()
        for kind in ("_parameters", "_buffers")
        for name, tensor in state[kind].items()
        if tensor is not None
    }
    for name, child in state["_modules"].items():
        found |= state_tensors(child, f"{prefix}{name}.")
    return found


# Reference files


@pytest.mark.parametrize("path", sorted(DATA.glob("generator_*.pkl")), ids=lambda path: path.stem)
def test_official_snapshots(path):
    loaded = read_pickle(path)
    assert loaded.container == "pickle" and loaded.unknown_globals == ()
    expected = reference(path.stem)
    for key in ("G", "D", "G_ema"):
        found = state_tensors(loaded.value[key])
        names = expected[f"{key}/tensor_names"].tolist()
        assert set(found) == set(names)
        for name, total in zip(names, expected[f"{key}/tensor_sum"], strict=True):
            assert found[name].sum(dtype=np.float64) == pytest.approx(total, rel=1e-12, abs=1e-9)
    for key, array in expected.items():
        if key.startswith("param/"):
            np.testing.assert_array_equal(found[key.removeprefix("param/")], array, err_msg=key)


def test_community_checkpoint():
    loaded = read_pickle(DATA / "rosinality_skip32.pt")
    assert loaded.container == "torch-zip" and loaded.unknown_globals == ()
    assert all(tensor.dtype == "float32" for tensor in tensors(loaded.value))
    assert len(tensors(loaded.value["g_ema"])) > 50


@pytest.mark.parametrize("name", ["torch_types", "torch_types_legacy"])
def test_files_written_by_torch(name):
    """Written with torch 2.13: each type, views of one storage, a parameter, a state dictionary."""
    loaded = read_pickle(DATA / f"{name}.pt")
    assert loaded.container == ("torch-legacy" if "legacy" in name else "torch-zip")
    assert loaded.unknown_globals == ()
    value = dict(loaded.value)
    for dtype in DTYPES:
        if dtype.startswith("uint") and dtype != "uint8":
            continue
        assert value[dtype].dtype == dtype
        expected = np.arange(4).astype(DTYPES[dtype])
        np.testing.assert_array_equal(value[dtype].numpy(), expected)
    ramp = np.arange(12, dtype=np.float32)
    np.testing.assert_array_equal(value["transposed"].numpy(), ramp.reshape(3, 4).T)
    np.testing.assert_array_equal(value["slice"].numpy(), ramp[5:9])
    np.testing.assert_array_equal(value["step"].numpy(), ramp[1::4])
    assert value["slice"].storage is value["step"].storage
    assert value["scalar"].shape == () and value["scalar"].numpy() == 2.5
    assert value["empty"].shape == (0, 3) == value["empty"].numpy().shape
    assert value["parameter"].numpy().tolist() == [1, 1] and value["size"] == (2, 3)
    assert value["state"]["weight"].numpy().tolist() == [[7], [7]]


@pytest.mark.parametrize(
    "name, unknown",
    [
        ("hostile_dotted_name", "torch.serialization.os.system"),
        ("hostile_eval", "builtins.eval"),
        ("hostile_eval_proto2", "__builtin__.eval"),
        ("hostile_helper_lookup", "dnnlib.util.get_obj_by_name"),
        ("hostile_os_system", "posix.system"),
        ("hostile_os_system_proto0", "os.system"),
    ],
)
def test_hostile_names_are_reported(name, unknown):
    assert read_pickle(DATA / f"{name}.pkl").unknown_globals == (unknown,)


@pytest.mark.parametrize(
    "name, reason",
    [
        ("hostile_nested_storage", "posix.system; nothing was run"),
        ("hostile_view_negative_stride", "not whole numbers >= 0"),
        ("hostile_view_offset", "reaches element 1000000063 of a storage of 64"),
        ("hostile_view_past_end", "of a storage of 64"),
        ("hostile_truncated", "truncated"),
        ("hostile_truncated_one_byte", "truncated"),
        ("hostile_empty", "empty (0 bytes)"),
        ("hostile_not_a_pickle", "web page, not a checkpoint: the download failed"),
        ("hostile_random_bytes", "neither a pickle nor a torch file"),
    ],
)
def test_hostile_files_are_refused(name, reason):
    assert reason in refusal(DATA / f"{name}.pkl")


# Files of our own writer


def networks(large: int = 0) -> dict[str, OfficialNetwork]:
    random = np.random.default_rng(0)
    generator = {
        "synthesis.b4.const": random.normal(size=(3, 4, 4)).astype(np.float32),
        "synthesis.b4.conv1.weight": random.normal(size=(40, 40, 3, 3)).astype(np.float32),
        "synthesis.b4.conv1.noise_strength": np.array(0.5, np.float32),
        "synthesis.b4.resample_filter": np.ones((4, 4), np.float32),
        "mapping.w_avg": np.ones(8, np.float32),
    }
    discriminator = {"b8.fromrgb.weight": np.ones((3, 3, 1, 1), np.float32)}
    if large:
        generator["synthesis.b4.conv1.weight"] = np.zeros((large, 1000, 3, 3), np.float32)
    shared = OfficialNetwork({"z_dim": 8, "synthesis_kwargs": {"channel_base": 64}}, generator)
    frozen = OfficialNetwork({"c_dim": 0}, discriminator, frozen=["b8.fromrgb.weight"])
    return {"G": shared, "D": frozen, "G_ema": shared}


@pytest.mark.parametrize("names", ["old", "new"])
@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_written_snapshots_read_back(tmp_path, protocol, names):
    path, written = tmp_path / "net.pkl", networks()
    write_snapshot(path, written, protocol=protocol, numpy_names=names, extra={"a": 1})
    loaded = read_pickle(path)
    assert loaded.unknown_globals == () and loaded.value["extra"] == {"a": 1}
    assert loaded.value["G"] is loaded.value["G_ema"]
    for key, network in written.items():
        found = state_tensors(loaded.value[key])
        assert set(found) == set(network.tensors)
        for name, array in network.tensors.items():
            np.testing.assert_array_equal(found[name], array)
        assert loaded.value[key].meta["state"]["_init_kwargs"] == network.kwargs
    block = loaded.value["D"].meta["state"]["_modules"]["b8"].meta["state"]["_modules"]["fromrgb"]
    assert list(block.meta["state"]["_buffers"]) == ["weight"]
    text = path.read_bytes()
    assert (b"numpy.core.multiarray" in text) == (names == "old")


@pytest.mark.parametrize("legacy", [False, True])
def test_written_checkpoints_read_back(tmp_path, legacy):
    shared = np.arange(6, dtype=np.float32).reshape(2, 3)
    state = {"g_ema": {"a": shared, "b": shared}, "latent_avg": np.ones(3, np.float16), "step": 7}
    write_rosinality(tmp_path / "net.pt", state, legacy=legacy)
    loaded = read_pickle(tmp_path / "net.pt")
    assert loaded.container == ("torch-legacy" if legacy else "torch-zip")
    assert loaded.value["step"] == 7 and loaded.value["latent_avg"].dtype == "float16"
    np.testing.assert_array_equal(loaded.value["g_ema"]["a"].numpy(), shared)
    assert loaded.value["g_ema"]["a"].storage is loaded.value["g_ema"]["b"].storage


def test_large_files_cost_no_memory(tmp_path):
    path = tmp_path / "large.pkl"
    write_snapshot(path, networks(large=600))
    size = path.stat().st_size
    assert size > 20_000_000
    tracemalloc.start()
    try:
        arrays = [tensor.numpy() for tensor in tensors(read_pickle(path).value)]
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert sum(array.nbytes for array in arrays) > 20_000_000
    assert peak < 2_000_000
    assert not any(array.flags.writeable for array in arrays)


# Views


def storage(numel: int, dtype: str = "float32") -> Storage:
    return Storage(dtype, numel).attach(np.arange(numel).astype(DTYPES[dtype]).tobytes())


@pytest.mark.parametrize(
    "offset, shape, strides",
    [
        (0, (3, 4), (4, 1)),
        (2, (5,), (2,)),
        (11, (), ()),
        (0, (4, 3), (1, 4)),
        (0, (2, 2), (3, 3)),
        (0, (1, 2), (2**62, 1)),
    ],
)
def test_views_match_numpy(offset, shape, strides):
    ramp = np.arange(12, dtype=np.float32)
    expected = np.lib.stride_tricks.as_strided(
        ramp[offset:], shape, [4 * min(s, 99) for s in strides]
    )
    actual = LazyTensor(storage(12), offset, shape, strides).numpy()
    np.testing.assert_array_equal(actual, expected)


@pytest.mark.parametrize(
    "offset, shape, strides, reason",
    [
        (0, (13,), (1,), "more elements"),
        (1, (12,), (1,), "reaches element 12 of a storage of 12"),
        (12, (), (), "reaches element 12"),
        (0, (2, 7), (6, 1), "more elements"),
        (0, (2, 6), (7, 1), "reaches element 12"),
        (0, (1000, 1000), (0, 0), "more elements"),
        (-1, (2,), (1,), "whole numbers"),
        (0, (-2,), (1,), "whole numbers"),
        (0, (2,), (-1,), "whole numbers"),
        (0, (2.0,), (1,), "whole numbers"),
        (0, (True,), (1,), "whole numbers"),
        (0, (2**63,), (1,), "whole numbers"),
        (0, (2,), (1, 1), "belong together"),
        (0, [2], (1,), "belong together"),
        (0, (1,) * 33, (1,) * 33, "33 dimensions"),
        (0, (0, 2**62, 2**62), (1, 1, 1), "more elements"),
    ],
)
def test_views_outside_their_storage_are_refused(offset, shape, strides, reason):
    with pytest.raises(FormatError, match=reason):
        LazyTensor(storage(12), offset, shape, strides)


def test_empty_and_bfloat16_views():
    assert LazyTensor(storage(0), 0, (0, 3), (3, 1)).numpy().shape == (0, 3)
    assert LazyTensor(storage(4), 99, (2, 0), (1, 1)).numpy().shape == (2, 0)
    array = LazyTensor(storage(4, "bfloat16"), 1, (3,), (1,)).numpy()
    assert array.dtype == ml_dtypes.bfloat16 and array.astype(np.float32).tolist() == [1, 2, 3]


@pytest.mark.parametrize("dtype", DTYPES)
def test_big_endian_storages(dtype):
    array = np.arange(4).astype(DTYPES[dtype])
    swapped = Storage(dtype, 4, swapped=True).attach(array.byteswap().tobytes())
    np.testing.assert_array_equal(LazyTensor(swapped, 1, (3,), (1,)).numpy(), array[1:])


def test_storages_check_their_size():
    with pytest.raises(FormatError, match="needs 16 bytes, the file has 15"):
        Storage("float32", 4).attach(bytes(15))
    for numel in (-1, 1.0, None, True):
        with pytest.raises(FormatError, match="no valid size"):
            Storage("float32", numel)
    with pytest.raises(FormatError, match="bytes are missing"):
        LazyTensor(Storage("float32", 4), 0, (4,), (1,)).numpy()


# Torch containers


def legacy_file(reference=("storage", FLOAT, "7", "cpu", 2, None), **changes) -> bytes:
    """An older torch file with one tensor [1, 2], with parts replaced."""
    tensor = Call(REBUILD, (Reference(reference), 0, (2,), (1,), False, {}))
    parts = {
        "magic": 0x1950A86A20F9469CFC6C,
        "version": 1001,
        "system": {"little_endian": True},
        "content": [tensor],
        "keys": ["7"],
    } | {key: value for key, value in changes.items() if key != "raw"}
    raw = changes.get("raw", struct.pack("<q2f", 2, 1, 2))
    return b"".join(dumps(part, 2) for part in parts.values()) + raw


def test_legacy_files(tmp_path):
    path = tmp_path / "net.pt"
    path.write_bytes(legacy_file())
    loaded = read_pickle(path)
    assert loaded.container == "torch-legacy" and loaded.value[0].numpy().tolist() == [1, 2]
    cases = {
        "not of version 1001": legacy_file(version=1002),
        "no list of its storages": legacy_file(keys={}),
        "does not match its tensors": legacy_file(keys=["8"]),
        "list of storages does not": legacy_file(keys=["7", "7"]),
        "2 numbers, its tensors expect 3": legacy_file(("storage", FLOAT, "7", "cpu", 3, None)),
        "needs 8 bytes, the file has 4": legacy_file(raw=struct.pack("<q1f", 2, 1)),
        "ends before its last storage": legacy_file(raw=b"1234"),
        "part of another one": legacy_file(("storage", FLOAT, "7", "cpu", 2, ("8", 0, 2))),
        "no tensor storage": legacy_file(("storage", FLOAT, "7", "cpu", 2)),
        "refers to something": legacy_file(("other", 1)),
        "no known type": legacy_file(("storage", Name("os", "system"), "7", "cpu", 2, None)),
        "or no name": legacy_file(("storage", FLOAT, 7, "cpu", 2, None)),
        "no valid size": legacy_file(("storage", FLOAT, "7", "cpu", -2, None)),
        "storages is called": legacy_file(content=[Call(FLOAT)]),
    }
    for reason, data in cases.items():
        path.write_bytes(data)
        assert reason in refusal(path)
    path.write_bytes(legacy_file(system=[Name("os", "system")]))
    assert read_pickle(path).unknown_globals == ("os.system",)


def test_tensors_may_not_disagree_about_a_storage(tmp_path):
    first = ("storage", FLOAT, "7", "cpu", 2, None)
    for second in ((*first[:4], 1, None), ("storage", Name("torch", "IntStorage"), *first[2:])):
        both = [Call(REBUILD, (Reference(r), 0, (1,), (1,), False, {})) for r in (first, second)]
        (tmp_path / "net.pt").write_bytes(legacy_file(content=both))
        assert "disagree" in refusal(tmp_path / "net.pt")


def test_whole_pickled_modules_are_named(tmp_path):
    """Older files refer to a class and its program text; the text goes nowhere."""
    model = Call(Reference(("module", Name("model", "Generator"), "model.py", "import os")), ())
    (tmp_path / "net.pt").write_bytes(legacy_file(content=[model], keys=[], raw=b""))
    assert read_pickle(tmp_path / "net.pt").unknown_globals == ("model.Generator",)


def test_storages_hold_nothing_but_numbers(tmp_path):
    path = tmp_path / "net.pkl"

    def nested(data) -> str:
        path.write_bytes(dumps(Call(Name("torch.storage", "_load_from_bytes"), (data,))))
        return refusal(path)

    inner = Reference(("storage", FLOAT, "7", "cpu", 2, None))
    path.write_bytes(
        dumps(Call(Name("torch.storage", "_load_from_bytes"), (legacy_file(content=inner),)))
    )
    assert read_pickle(path).value.numel == 2
    assert "not torch data" in nested(dumps(1))
    assert "hold something else" in nested(legacy_file(content=[inner]))
    code = Call(Name("os", "system"), ("true",))
    assert "os.system; nothing was run" in nested(legacy_file(content=code, keys=[], raw=b""))
    assert "not made of bytes" in nested("text")
    # A storage inside a storage would let files nest without end.
    again = Call(Name("torch.storage", "_load_from_bytes"), (legacy_file(content=inner),))
    assert "torch.storage._load_from_bytes" in nested(legacy_file(content=again, keys=[], raw=b""))


def zip_file(path, entries=None, method=zipfile.ZIP_STORED) -> None:
    reference = Reference(("storage", FLOAT, "0", "cpu", 2))
    tensor = Call(REBUILD, (reference, 0, (2,), (1,), False, {}))
    content = {"net/data.pkl": dumps([tensor], 2), "net/data/0": struct.pack("<2f", 1, 2)}
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in (content | (entries or {})).items():
            if data is not None:
                archive.writestr(name, data)


def test_zip_files(tmp_path):
    path = tmp_path / "net.pt"
    zip_file(path)
    assert read_pickle(path).value[0].numpy().tolist() == [1, 2]
    zip_file(path, {"net/byteorder": b"big", "net/data/0": struct.pack(">2f", 1, 2)})
    assert read_pickle(path).value[0].numpy().tolist() == [1, 2]
    zip_file(path, {"net/byteorder": b"middle"})
    assert "neither little nor big" in refusal(path)
    zip_file(path, {"net/data/0": None})
    assert "lacks the numbers" in refusal(path)
    zip_file(path, {"net/data/0": bytes(7)})
    assert "needs 8 bytes, the file has 7" in refusal(path)
    zip_file(path, {"net/data.pkl": None})
    assert "no data.pkl" in refusal(path)
    zip_file(path, method=zipfile.ZIP_DEFLATED)
    assert "compressed" in refusal(path)


def test_zip_damage(tmp_path):
    path = tmp_path / "net.pt"
    zip_file(path)
    data = path.read_bytes()
    directory, end = data.index(b"PK\x01\x02"), data.index(b"PK\x05\x06")

    def changed(position: int, layout: str, *values) -> str:
        broken = bytearray(data)
        struct.pack_into(layout, broken, position, *values)
        path.write_bytes(broken)
        return refusal(path)

    path.write_bytes(data[:-1])
    assert "no directory; it is truncated" in refusal(path)
    assert "split" in changed(end + 4, "<H", 1)
    assert "points beyond" in changed(end + 10, "<H", 9)
    assert "directory is damaged" in changed(end + 10, "<H", 0xFFFF)
    assert "points beyond" in changed(end + 16, "<L", len(data))
    assert "directory is damaged" in changed(directory, "<L", 0)
    assert "encrypted" in changed(directory + 8, "<H", 1)
    assert "compressed" in changed(directory + 20, "<L", 1)
    assert "points beyond" in changed(directory + 20, "<2L", 2**31, 2**31)
    assert "not where the directory says" in changed(directory + 42, "<L", 1)
    for size in range(4, len(data)):
        path.write_bytes(data[:size])
        refusal(path)


def test_zip_names_are_unique(tmp_path):
    path = tmp_path / "net.pt"
    zip_file(path, {"net/data/1": b"x"})
    path.write_bytes(path.read_bytes().replace(b"net/data/1", b"net/data/0"))
    assert "twice" in refusal(path)


def test_zip_with_64_bit_fields(tmp_path):
    path = tmp_path / "net.pt"
    zip_file(path)
    data = path.read_bytes()
    start, end = data.index(b"PK\x01\x02"), data.index(b"PK\x05\x06")
    entries = data[start:end]
    position = entries.index(b"net/data/0") - 46
    size, offset = (struct.unpack_from("<L", entries, position + at)[0] for at in (24, 42))
    extra = struct.pack("<2H", 0xABCD, 0) + struct.pack("<2H3Q", 1, 24, size, size, offset)
    head = bytearray(entries[position : position + 46])
    struct.pack_into("<2L", head, 20, 0xFFFFFFFF, 0xFFFFFFFF)
    struct.pack_into("<H", head, 30, len(extra))
    struct.pack_into("<L", head, 42, 0xFFFFFFFF)
    entries = entries[:position] + head + b"net/data/0" + extra + entries[position + 56 :]
    record = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, 2, 2, len(entries), start)
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, start + len(entries), 1)
    last = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, *[0xFFFF] * 2, *[0xFFFFFFFF] * 2, 0)
    path.write_bytes(data[:start] + entries + record + locator + last)
    assert read_pickle(path).value[0].numpy().tolist() == [1, 2]


# What people hand over by mistake


def test_other_things_are_recognised(tmp_path):
    cases = {
        "web page": b"\n <html>",
        "a web page": b'\xef\xbb\xbf<?xml version="1.0"?><Error/>',
        "git lfs pull": b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12\n",
        "gzip": b"\x1f\x8b\x08",
        "HDF5": b"\x89HDF\r\n",
        "picture": b"\x89PNG\r\n",
        "safetensors": struct.pack("<Q", 40) + b'{"a"',
        "tar archive": bytes(257) + b"ustar\0",
        "empty zip": b"PK\x05\x06" + bytes(18),
        "neither a pickle": b"hello world",
    }
    for reason, data in cases.items():
        path = tmp_path / "net.pkl"
        path.write_bytes(data)
        assert reason in refusal(path)


def test_paths_that_are_no_files(tmp_path):
    assert "no such file" in refusal(tmp_path / "absent.pkl")
    assert "folder" in refusal(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    assert "pipe" in refusal(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    assert "cannot be read" in refusal(tmp_path / "loop")
    with pytest.raises(FormatError, match="cannot be read"):
        read_pickle("a\0b.pkl")
    if os.geteuid():  # the superuser may read everything
        (tmp_path / "locked.pkl").write_bytes(b"N.")
        (tmp_path / "locked.pkl").chmod(0)
        assert "cannot be read" in refusal(tmp_path / "locked.pkl")


def test_data_outside_of_a_pickle_is_explained(tmp_path):
    """The inner pickle of a torch archive, taken out by hand."""
    file = io.BytesIO()
    zip_file(file)
    with zipfile.ZipFile(file) as archive:
        (tmp_path / "data.pkl").write_bytes(archive.read("net/data.pkl"))
    assert "lies in another file" in refusal(tmp_path / "data.pkl")
