"""Zip archives of torch: content, damage, 64-bit fields."""

import struct
import zipfile

from aligned_jax.convert.files.container import read_pickle
from tests.convert.small_files import file_refusal, zip_file


def test_zip_files(tmp_path):
    path = tmp_path / "net.pt"
    zip_file(path)
    assert read_pickle(path).value[0].numpy().tolist() == [1, 2]
    zip_file(path, {"net/byteorder": b"big", "net/data/0": struct.pack(">2f", 1, 2)})
    assert read_pickle(path).value[0].numpy().tolist() == [1, 2]
    zip_file(path, {"net/byteorder": b"middle"})
    assert "neither little nor big" in file_refusal(path)
    zip_file(path, {"net/data/0": None})
    assert "lacks the numbers" in file_refusal(path)
    zip_file(path, {"net/data/0": bytes(7)})
    assert "needs 8 bytes, the file has 7" in file_refusal(path)
    zip_file(path, {"net/data.pkl": None})
    assert "no data.pkl" in file_refusal(path)
    zip_file(path, method=zipfile.ZIP_DEFLATED)
    assert "compressed" in file_refusal(path)


def test_zip_damage(tmp_path):
    path = tmp_path / "net.pt"
    zip_file(path)
    data = path.read_bytes()
    directory, end = data.index(b"PK\x01\x02"), data.index(b"PK\x05\x06")

    def changed(position: int, layout: str, *values) -> str:
        broken = bytearray(data)
        struct.pack_into(layout, broken, position, *values)
        path.write_bytes(broken)
        return file_refusal(path)

    path.write_bytes(data[:-1])
    assert "no directory; it is truncated" in file_refusal(path)
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
        file_refusal(path)


def test_zip_names_are_unique(tmp_path):
    path = tmp_path / "net.pt"
    zip_file(path, {"net/data/1": b"x"})
    path.write_bytes(path.read_bytes().replace(b"net/data/1", b"net/data/0"))
    assert "twice" in file_refusal(path)


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
