"""What strangers send: documents with other values in them, and files with other bytes."""

import copy
import json
from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

# What programs stumble over: other types under the right keys, numbers out of all ranges, texts
# with control characters, half a surrogate pair, depth.
ODD_VALUES: list[Any] = [
    None, True, False, 0, 1, -1, 2, 16, 2**31, 2**53, -(2**63), 2**64, 10**400, 0.5, 1e308, 1e-320,
    float("nan"), float("inf"), "", "x", "w", "../../etc/passwd", "\x1b[31m\n", "\ud800",
    "a" * 5000, [], {}, [[]], [1], ["a", 1], [[1, 2], [3]], {"a": 1}, {"a": {"b": [None]}},
    [0] * 5000,
]  # fmt: skip


def places(document: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Paths to all values inside a JSON document."""
    items: Any = ()
    if isinstance(document, dict):
        items = document.items()
    elif isinstance(document, list):
        items = enumerate(document)
    for key, value in items:
        yield (*path, key)
        yield from places(value, (*path, key))


@st.composite
def documents(draw: st.DrawFn, original: dict[str, Any]) -> Any:
    """The document with one to three changes: values replaced, entries removed, renamed, added."""
    changed = copy.deepcopy(original)
    if draw(st.integers(0, 30)) == 0:
        return draw(st.sampled_from(ODD_VALUES))
    for _ in range(draw(st.integers(1, 3))):
        known = list(places(changed))
        if not known:
            return changed
        *parents, key = draw(st.sampled_from(known))
        holder = changed
        for parent in parents:
            holder = holder[parent]
        kind = draw(st.sampled_from(("replace", "replace", "replace", "remove", "rename", "add")))
        if kind == "remove":
            del holder[key]
        elif kind == "replace":
            holder[key] = copy.deepcopy(draw(st.sampled_from(ODD_VALUES)))
        elif isinstance(holder, dict):
            name = draw(st.sampled_from(("", "x", f"{key}x", "__class__", "a" * 300, "\x00")))
            holder[name] = holder.pop(key) if kind == "rename" else 1
        else:
            holder.append(copy.deepcopy(draw(st.sampled_from(ODD_VALUES))))
    return changed


def texts(original: dict[str, Any]) -> st.SearchStrategy[bytes]:
    """JSON texts of changed documents; some are nested without end, or not JSON at all."""

    def written(document: Any) -> bytes:
        return json.dumps(document).encode("utf-8", "surrogatepass")

    endless = [b"[" * 100_000, b'{"a":' * 100_000, b"", b"\xff\xfe{", b"null", b"1e999999", b"[1,]"]
    return st.one_of(
        documents(original).map(written),
        documents(original).map(written),
        files(written(original)),
        st.sampled_from(endless),
    )


@st.composite
def files(draw: st.DrawFn, original: bytes) -> bytes:
    """The file with some bytes changed, removed, repeated or cut off."""
    data = bytearray(original)
    for _ in range(draw(st.integers(1, 4))):
        if not data:
            break
        start = draw(st.integers(0, len(data) - 1))
        length = draw(st.sampled_from((1, 1, 1, 4, 8, 64, 1000)))
        kind = draw(st.sampled_from(("flip", "flip", "set", "remove", "repeat", "cut")))
        if kind == "flip":
            data[start] ^= 1 << draw(st.integers(0, 7))
        elif kind == "set":
            filler = draw(st.sampled_from((b"\x00", b"\xff", b"\x7f", b"\x80")))
            data[start : start + length] = filler * len(data[start : start + length])
        elif kind == "remove":
            del data[start : start + length]
        elif kind == "repeat":
            data[start:start] = data[start : start + length]
        else:
            del data[start:]
    return bytes(data)
