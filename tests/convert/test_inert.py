"""Descending results that share and contain themselves."""

import io

import numpy as np
import pytest

from aligned_jax.convert.files.inert import Opaque, plain, walk
from aligned_jax.errors import FormatError
from tests.convert.small_files import read
from tests.makers.pickle_writer import Call, Name, dumps


def bomb(depth: int) -> bytes:
    """A list holding a list a hundred times, holding a list a hundred times ..."""
    file = io.BytesIO(b"\x80\x02N")
    file.seek(0, io.SEEK_END)
    for _ in range(depth):
        file.write(b"q\x000(" + b"h\x00" * 100 + b"l")
    return file.getvalue() + b"."


def test_shared_nesting_is_walked_once_and_never_copied():
    value = read(bomb(20))
    assert len(list(walk(value))) == 21
    assert repr(Opaque("x", (value,))).startswith("<")
    with pytest.raises(FormatError, match="too large"):
        plain(value)


def test_walk_enters_every_kind_of_object():
    leaf = [Name("foreign", "Leaf")]
    reconstruct = Name("torch_utils.persistence", "_reconstruct_persistent_obj")
    network = Call(Name("dnnlib.tflib.network", "Network"), (), {"inner": leaf}, new=True)
    unknown = Call(Name("foreign", "Thing"), ((network,),), {"x": (1,)})
    nodes = list(walk(read(dumps(Call(reconstruct, ({"state": [unknown]},))))))
    assert {str(node) for node in nodes if type(node).__name__ == "Global"} == {"foreign.Leaf"}
    assert 1 in nodes


def test_plain_copies_settings_only():
    value = {"a": [1, (2.5, None)], "b": np.float64(0.5), "c": {"d": True}}
    assert plain(value) == {"a": [1, [2.5, None]], "b": 0.5, "c": {"d": True}}
    assert type(plain(value)["b"]) is float
    for bad in ({"a": {1}}, {1: 2}, [Opaque("x")], b"bytes"):
        with pytest.raises(FormatError, match="not a plain value"):
            plain(bad)
    for large in (2**64, -(2**64), 10**400):
        with pytest.raises(FormatError, match="more than 64 bits"):
            plain([large])
    assert plain([2**64 - 1]) == [2**64 - 1]
    with pytest.raises(FormatError, match="too large"):
        plain([0] * 20, items=20)
    with pytest.raises(FormatError, match="too large"):
        plain([[[]]], depth=1)
    assert plain([[[]]], depth=2) == [[[]]]
