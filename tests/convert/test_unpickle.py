"""Reading pickles without running them: protocols, values, names, bounds."""

import collections
import math
import pickle
import struct
import time
from pathlib import Path

import numpy as np
import pytest

from aligned_jax.convert.files.handlers import HANDLERS
from aligned_jax.convert.files.inert import MAX_NUMBER_KEYS, MAX_STEPS, Budget, Opaque, show, walk
from aligned_jax.convert.files.unpickle import unpickle
from tests.convert.small_files import read, refusal
from tests.makers.pickle_writer import Call, Name, dumps

PROTOCOLS = range(6)
PLAIN = {
    "none": None,
    "flags": [True, False],
    "integers": [0, 1, -1, 255, 256, 65535, 65536, -(2**31), 2**31, 2**63, -(2**200)],
    "fractions": [0.0, -1.5, 1e300, 2.5e-310, math.inf, -math.inf],
    "texts": ["", "a", "ä€𝄞", "\ud800", "line\nbreak\\", "x" * 300, "y" * 70_000],
    "bytes": [b"", b"abc", bytes(range(256)), bytearray(b"xy")],
    "tuples": [(), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4), ((), ((),))],
    "containers": [[], [[]], {}, {"a": {1: 2.0}}, set(), {1, "b"}, frozenset({3})],
    "keys": {None: 0, True: 1, 2: 3, 2.5: 4, "five": 6, b"seven": 8},
    "ordered": collections.OrderedDict([("b", 1), ("a", 2)]),
}


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("name", PLAIN)
def test_plain_values_equal_the_standard_library(name, protocol):
    data = pickle.dumps(PLAIN[name], protocol)
    result = unpickle(memoryview(data), HANDLERS)
    assert result.value == PLAIN[name]
    assert (result.end, result.unknown_globals) == (len(data), ())


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_not_a_number_and_types_survive(protocol):
    assert math.isnan(read(pickle.dumps(math.nan, protocol)))
    values = read(pickle.dumps([True, 1, 1.0, "1", (1,), [1]], protocol))
    assert [type(v) for v in values] == [bool, int, float, str, tuple, list]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_shared_and_recursive_values_keep_their_identity(protocol):
    shared = ["x"]
    cycle = {"a": shared, "b": shared}
    cycle["self"] = cycle
    value = read(pickle.dumps(cycle, protocol))
    assert value["a"] is value["b"] and value["self"] is value


def test_python_2_strings_are_latin_1():
    # `S` in protocol 0, `U` and `T` in protocols 1 and 2.
    assert read(b"S'a\\x41\\n\\'\\101\\q\\\\'\n.") == "aA\n'A\\q\\"
    assert read(b'S"\xe4"\n.') == "ä"
    assert read(b"U\x02a\xe4.") == "aä"
    assert read(b"T\x02\0\0\0a\xe4.") == "aä"
    assert read(b"Va\\u20ac\xe4\n.") == "a€ä"
    assert read(b"I01\n.") is True and read(b"I00\n.") is False and read(b"L12L\n.") == 12


def test_less_common_instructions():
    assert read(b"(K\x01K\x02l.") == [1, 2]
    assert read(b"(K\x01K\x02d.") == {1: 2}
    assert read(b"K\x01K\x020.") == 1  # discard
    assert read(b"K\x01(K\x02K\x031.") == 1  # discard to the mark
    assert read(b"K\x01(0.") == 1  # discard the mark itself
    assert read(b"K\x012\x86.") == (1, 1)  # duplicate
    assert read(b"\x8b\x01\0\0\0\xff.") == -1
    assert read(b"]p5\nK\x07ag5\n\x86.") == ([7], [7])


def test_large_payloads_stay_in_the_buffer():
    payload = np.random.default_rng(0).bytes(100_000)
    for protocol, original in ((3, payload), (4, payload), (5, payload), (5, bytearray(payload))):
        data = pickle.dumps([original, b"small"], protocol)
        large, small = read(data)
        assert isinstance(large, memoryview) and large.obj is data and large == payload
        assert type(small) is bytes
    data = b"T" + struct.pack("<i", len(payload)) + payload + b"."
    assert read(data).obj is data
    assert type(read(pickle.dumps(bytes(4096)))) is bytes
    assert type(read(pickle.dumps(bytes(4097)))) is memoryview


class _Touch:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_nothing_is_called(tmp_path, protocol):
    marker = tmp_path / "marker"
    data = pickle.dumps({"a": _Touch(marker), "b": eval}, protocol)
    result = unpickle(memoryview(data), HANDLERS)
    assert not marker.exists()
    assert any(name.endswith(".eval") for name in result.unknown_globals)
    assert len(result.unknown_globals) >= 2
    assert isinstance(result.value["a"], Opaque)
    pickle.loads(data)
    assert marker.exists(), "the file would not have done anything"


def test_all_unknown_names_are_reported_once():
    values = [Name("os", "system"), Call(Name("posix", "fork")), Name("os", "system")]
    values.append(Name("torch.serialization", "os.system"))
    result = unpickle(memoryview(dumps(values, 3)), HANDLERS)
    expected = ("os.system", "posix.fork", "torch.serialization.os.system")
    assert result.unknown_globals == expected


def test_unknown_objects_keep_arguments_and_state():
    value = read(dumps(Call(Name("foreign", "Thing"), ("a", 1), {"b": 2}, new=True)))
    assert (value.name, value.args, value.state) == ("foreign.Thing", ("a", 1), {"b": 2})
    # The result of one unknown call may be called, filled and extended in turn.
    inner = b"cos\nsystem\n(K\x01tR(K\x02tR"
    value = read(inner + b"(K\x03K\x04u(K\x05e(K\x06\x90.")
    assert (value.name, value.args) == ("os.system", (2,))
    # Keyword arguments of an unknown class; the oldest ways to make an object.
    assert read(b"cos\nsystem\n)}X\1\0\0\0aK\1s\x92.").name == "os.system"
    assert read(b"(K\x01ios\nsystem\n.").args == (1,)
    assert read(b"(cos\nsystem\nK\x01o.").args == (1,)


def test_names_are_fit_to_print():
    name = unpickle(
        memoryview(b"\x80\x04\x8c\x04a\n\x1b[X" + b"\xe8\x03\0\0" + b"b" * 1000 + b"\x93."), {}
    )
    (shown,) = name.unknown_globals
    assert shown.startswith("a\\n\\x1b[.bbb") and len(shown) < 120 and shown.isprintable()
    assert show("\ud800\r") == "\\ud800\\r" and show(3) == "<int>"


DAMAGED = {
    b"": "ends too early",
    b"\x80": "ends too early",
    b"\x80\x06N.": "5 is the highest",
    b"\x95\x09\0\0\0\0\0\0\0N.": "9 bytes are announced, 2 follow",
    b"N": "ends too early",
    b"\xff.": "0xff",
    b".": "empty stack",
    b"0.": "never set",
    b"t.": "never set",
    b"2.": "empty stack",
    b"h\x00.": "never stored",
    b"q\x00.": "empty stack",
    b"Np-1\n.": "negative",
    b"X\xff\xff\xff\xffabc.": "4294967295 more bytes",
    b"\x8e\xff\xff\xff\xff\xff\xff\xff\xff.": "more bytes are announced",
    b"T\xff\xff\xff\xffabc.": "-1 more bytes",
    b"X\x01\0\0\0\xff.": "UTF-8",
    b"V\\u12\n.": "escape",
    b"Sabc\n.": "quotes",
    b"S'\n.": "quotes",
    b"Iabc\n.": "digits",
    b"I1_0\n.": "digits",
    b"F1.2.3\n.": "digits",
    b"F.\n.": "digits",
    b"I" + b"9" * 101 + b"\n.": "digits",
    b"I12": "inside a line",
    b"\x8a\xff" + bytes(255) + b".": "whole number of 255 bytes",
    b"\x8b\xff\xff\xff\xff.": "whole number of -1 bytes",
    b"N)R.": "calls a NoneType",
    b"cos\nsystem\nNR.": "no tuple",
    b"ccollections\nOrderedDict\n)}K\x01K\x02s\x92.": "keyword arguments",
    b"K\x01K\x02\x93.": "no text",
    b"(o.": "without a class",
    b"K\x01Nb.": "sets the state of a int",
    b"K\x01Na.": "appends to a int",
    b"K\x01NNs.": "sets items of a int",
    b"K\x01(N\x90.": "adds members to a int",
    b"}(Nu.": "key without a value",
    b"}]Ns.": "key of type list",
    b"}K\x01\x85Ns.": "key of type tuple",
    b"\x8f(](e\x90.": "key of type list",
    b"P1\n.": "another file",
    b"NQ.": "another file",
    b"\x82\x01.": "not in the file",
    b"\x97.": "not in the file",
    b"}X\x01\x20\0\0" + b"k" * 8193 + b"Ns.": "key of 8193 characters",
}


@pytest.mark.parametrize("data", DAMAGED, ids=[f"{i}" for i in range(len(DAMAGED))])
def test_damage_is_refused_with_a_reason(data):
    assert DAMAGED[data] in refusal(data)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_every_truncation_is_refused(protocol):
    data = pickle.dumps([PLAIN["integers"], PLAIN["keys"], np.arange(3.0)], protocol)
    for size in range(len(data)):
        refusal(data[:size])


def test_the_number_of_steps_is_bounded():
    assert f"{MAX_STEPS:,} steps" in refusal(b"(" + b"N" * MAX_STEPS + b"t.")
    assert read(b"NNN.", budget=Budget(copies=0, steps=4)) is None
    assert "steps" in refusal(b"NNN.", budget=Budget(copies=0, steps=3))


def test_repeated_copies_are_bounded():
    text = "x" * 1_000_000
    encode = b"c_codecs\nencode\nq\x00X" + struct.pack("<I", len(text)) + text.encode()
    encode += b"X\x06\0\0\0latin1\x86q\x01(" + b"h\x00h\x01R" * 100 + b"t."
    assert "copies the same bytes" in refusal(b"\x80\x02" + encode)
    pairs = b"ccollections\nOrderedDict\nq\x00](" + b"X\1\0\0\0aN\x86" * 10_000 + b"e\x85q\x01("
    assert "steps" in refusal(b"\x80\x02" + pairs + b"h\x00h\x01R" * 10_000 + b"t.")


def test_numbers_cannot_be_chosen_to_collide():
    collide = [b"\x8a\x0b" + (i * (2**61 - 1)).to_bytes(11, "little") + b"N" for i in range(20_000)]
    assert f"{MAX_NUMBER_KEYS:,}" in refusal(b"}(" + b"".join(collide) + b"u.")
    start = time.process_time()
    assert len(read(b"}(" + b"".join(collide[: MAX_NUMBER_KEYS - 1]) + b"u.")) > 9000
    assert time.process_time() - start < 5


def test_foreign_names_are_bounded():
    many = b"".join(b"cos\nx%d\n" % i for i in range(2000))
    assert "1,000 foreign" in refusal(b"(" + many + b"t.")


def test_lines_are_bounded():
    assert "16,777,216" in refusal(b"S'" + b"x" * 40_000_000)


@pytest.mark.parametrize(
    "data",
    [b"N" + b"\x85" * 300_000 + b".", b"]" * 300_000 + b"a" * 299_999 + b".",
     b"cos\nsystem\nq\0" + b"h\0" * 150_000 + b"N" + b"\x85R" * 150_000 + b"."],
    ids=["tuples", "lists", "calls"],
)  # fmt: skip
def test_deep_nesting_overflows_nothing(data):
    value = read(data)
    assert sum(1 for _ in walk(value)) > 100_000
    del value
