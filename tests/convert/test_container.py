"""What people hand over: hostile files, wrong files, no files."""

import io
import os
import struct
import zipfile

import pytest

from aligned_jax.convert.files.container import read_pickle
from aligned_jax.errors import FormatError
from tests.convert.small_files import file_refusal, zip_file
from tests.helpers import DATA


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
        assert reason in file_refusal(path)


def test_paths_that_are_no_files(tmp_path):
    assert "no such file" in file_refusal(tmp_path / "absent.pkl")
    assert "folder" in file_refusal(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    assert "pipe" in file_refusal(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    assert "cannot be read" in file_refusal(tmp_path / "loop")
    with pytest.raises(FormatError, match="cannot be read"):
        read_pickle("a\0b.pkl")
    if os.geteuid():  # the superuser may read everything
        (tmp_path / "locked.pkl").write_bytes(b"N.")
        (tmp_path / "locked.pkl").chmod(0)
        assert "cannot be read" in file_refusal(tmp_path / "locked.pkl")


def test_data_outside_of_a_pickle_is_explained(tmp_path):
    """The inner pickle of a torch archive, taken out by hand."""
    file = io.BytesIO()
    zip_file(file)
    with zipfile.ZipFile(file) as archive:
        (tmp_path / "data.pkl").write_bytes(archive.read("net/data.pkl"))
    assert "lies in another file" in file_refusal(tmp_path / "data.pkl")


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
    assert reason in file_refusal(DATA / f"{name}.pkl")
