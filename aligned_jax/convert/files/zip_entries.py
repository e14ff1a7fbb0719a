"""Where the entries of an uncompressed zip archive lie; nothing is unpacked."""

import struct

from aligned_jax.errors import FormatError

_END, _END_SIZE = b"PK\x05\x06", 22
_END64, _LOCATOR64 = b"PK\x06\x06", b"PK\x06\x07"
_ENTRY, _ENTRY_SIZE = b"PK\x01\x02", 46
_LOCAL, _LOCAL_SIZE = b"PK\x03\x04", 30
_MAX_COMMENT = 0xFFFF
_MAX_ENTRIES = 100_000
_IN_EXTRA = 0xFFFFFFFF  # "see the 64-bit field"


def zip_entries(data: memoryview) -> dict[str, memoryview | None]:
    """Views of the entries of a zip archive, by name; None for one that is compressed.

    Raises FormatError when the directory is missing or damaged, and for
    archives that are encrypted, split or name an entry twice.
    """
    count, size, start = _directory(data)
    if count > _MAX_ENTRIES:
        raise FormatError(f"the zip archive has {count} entries; {_MAX_ENTRIES:,} is the most")
    directory = _slice(data, start, size)
    entries: dict[str, memoryview | None] = {}
    position = 0
    for _ in range(count):
        name, content, position = _entry(data, directory, position)
        if name in entries:
            raise FormatError("the zip archive names an entry twice")
        entries[name] = content
    return entries


def _directory(data: memoryview) -> tuple[int, int, int]:
    """Number of entries, size and start of the central directory."""
    tail = bytes(data[-(_MAX_COMMENT + _END_SIZE) :])
    end = tail.rfind(_END)
    if end < 0 or len(tail) - end < _END_SIZE:
        raise FormatError("the zip archive has no directory; it is truncated, fetch it again")
    disk, first, _, count, size, start, _ = struct.unpack_from("<4H2LH", tail, end + 4)
    if disk or first:
        raise FormatError("the zip archive is split into several files")
    if count == 0xFFFF or _IN_EXTRA in (size, start):
        locator = len(data) - len(tail) + end - 20
        if locator < 0 or data[locator : locator + 4] != _LOCATOR64:
            raise FormatError("the zip archive's directory is damaged")
        (where,) = struct.unpack_from("<Q", data, locator + 8)
        record = _slice(data, where, 56)
        if record[:4] != _END64:
            raise FormatError("the zip archive's directory is damaged")
        count, size, start = struct.unpack_from("<3Q", record, 32)
    return count, size, start


def _entry(
    data: memoryview, directory: memoryview, position: int
) -> tuple[str, memoryview | None, int]:
    """Name and content of the entry at `position`, and where the next one starts."""
    head = _slice(directory, position, _ENTRY_SIZE)
    if head[:4] != _ENTRY:
        raise FormatError("the zip archive's directory is damaged")
    flags, method = struct.unpack_from("<2H", head, 8)
    packed, size, name_size, extra_size, comment_size = struct.unpack_from("<2L3H", head, 20)
    (start,) = struct.unpack_from("<L", head, 42)
    position += _ENTRY_SIZE
    name = str(_slice(directory, position, name_size), "utf-8", "replace")
    extra = _slice(directory, position + name_size, extra_size)
    packed, size, start = _large_fields(bytes(extra), size, packed, start)
    if flags & 1:
        raise FormatError("the zip archive is encrypted")
    following = position + name_size + extra_size + comment_size
    if method != 0 or packed != size:
        return name, None, following
    local = _slice(data, start, _LOCAL_SIZE)
    if local[:4] != _LOCAL:
        raise FormatError("an entry of the zip archive is not where the directory says")
    start += _LOCAL_SIZE + sum(struct.unpack_from("<2H", local, 26))
    return name, _slice(data, start, size), following


def _large_fields(extra: bytes, size: int, packed: int, start: int) -> tuple[int, int, int]:
    """(packed, size, start) with the 64-bit values of the extra field where they are meant."""
    values, position = [size, packed, start], 0
    missing = [i for i, value in enumerate(values) if value == _IN_EXTRA]
    while missing and position + 4 <= len(extra):
        kind, length = struct.unpack_from("<2H", extra, position)
        if kind == 1 and 8 * len(missing) <= length <= len(extra) - position - 4:
            for i, value in zip(
                missing, struct.unpack_from(f"<{len(missing)}Q", extra, position + 4), strict=True
            ):
                values[i] = value
            break
        position += 4 + length
    return values[1], values[0], values[2]


def _slice(data: memoryview, start: int, size: int) -> memoryview:
    if start > len(data) or size > len(data) - start:
        raise FormatError("the zip archive points beyond its end; it is truncated or damaged")
    return data[start : start + size]
