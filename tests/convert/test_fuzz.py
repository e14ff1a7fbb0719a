"""Damaged and hostile files by the thousand: a network or a clear refusal, nothing else.

Every case is a valid file, mutated by a generator seeded with the file's name
and the number of the case; `mutated(name, number)` makes it again.
"""

import functools
import glob
import io
import pickletools
import random
import resource
import struct
import sys
import tempfile
import time
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from aligned_jax.convert import read_official, write_port
from aligned_jax.convert.files.container import read_pickle
from aligned_jax.errors import UserError
from tests.convert.small_files import state_tensors
from tests.helpers import DATA
from tests.makers.official_file import OfficialNetwork, write_rosinality, write_snapshot

CASES, MANY_CASES = 120, 12_500  # a file; there are nine files
MAX_SECONDS = 5
MAX_GROWTH = 400e6  # bytes
MARKERS = "/tmp/pwned_by_pickle*"  # what the hostile reference files leave when they run
FORBIDDEN = ("os.system", "os.exec", "os.posix_spawn", "os.fork", "subprocess.Popen")
FORBIDDEN += ("pickle.find_class",)

INTERESTING = (0, 1, 2, 3, 4, 8, 127, 128, 255, 256, 2**16 - 1, 2**31 - 1, 2**31, 2**32 - 1)
INSERTIONS = (
    b"N", b"\x88", b"(", b"0", b"1", b"2", b"t", b")", b"\x85", b"\x86", b"}", b"]", b"\x8f",
    b"R", b"\x81", b"b", b"o", b"a", b"e", b"u", b"s", b"\x90", b"\x91", b"\x92", b"\x93", b"\x94",
    b"Q", b".", b"h\x00", b"h\x05", b"h\x1a", b"q\x05", b"K\x00", b"K\xff", b"J\xff\xff\xff\xff",
    b"\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f", b"G\x7f\xf8\0\0\0\0\0\0", b"\x82\x01", b"\x97",
    b"cposix\nsystem\n", b"X\x01\0\0\0a", b"C\x01a", b"I1\n", b"S'a'\n", b"P1\n", b"ios\nsystem\n",
    b"X\x1f\0\0\0touch /tmp/pwned_by_pickle_fuzz_\x85R",
)  # fmt: skip


# The files


def _without_frames(data: bytes) -> bytes:
    """Frames only announce sizes; with them, nearly every mutation is seen at once."""
    pieces, start = [], 0
    for instruction, _, position in pickletools.genops(data):
        if instruction.name == "FRAME":
            pieces.append(data[start:position])
            start = position + 9
    return b"".join([*pieces, data[start:]])


def _networks() -> dict[str, OfficialNetwork]:
    """Constructor arguments and tensors of the harmless reference snapshot."""
    snapshot = read_pickle(DATA / "hostile_baseline_ok.pkl").value
    return {
        key: OfficialNetwork(
            snapshot[key].meta["state"]["_init_kwargs"], state_tensors(snapshot[key])
        )
        for key in ("G_ema", "D")
    }


def _arrays(value):
    if isinstance(value, dict):
        return {key: _arrays(item) for key, item in value.items()}
    return value.numpy() if hasattr(value, "numpy") else value


def _written(write: Callable[[Path], None]) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder) / "net")
        return (Path(folder) / "net").read_bytes()


def _snapshot(**options) -> bytes:
    return _written(lambda path: write_snapshot(path, _networks(), **options))


def _exported() -> bytes:
    """Our own export to the layout of the community port."""
    network = read_official(DATA / "rosinality_skip32.pt").networks["G_ema"]
    networks = {"G_ema": (network.config, network.variables())}
    return _written(lambda path: write_port(path, networks, {"kind": "test"}))


def _legacy() -> bytes:
    state = _arrays(read_pickle(DATA / "rosinality_skip32.pt").value)
    return _written(lambda path: write_rosinality(path, state, legacy=True))


FILES: dict[str, Callable[[], bytes]] = {
    "framed": lambda: (DATA / "hostile_baseline_ok.pkl").read_bytes(),
    "unframed": lambda: _without_frames((DATA / "hostile_baseline_ok.pkl").read_bytes()),
    "protocol2": lambda: _snapshot(protocol=2),
    "protocol3": lambda: _snapshot(protocol=3),
    "protocol5": lambda: _without_frames(_snapshot(protocol=5, numpy_names="new")),
    "tensorflow": lambda: (DATA / "tf_legacy_skip32.pkl").read_bytes(),
    "torch-zip": lambda: (DATA / "rosinality_skip32.pt").read_bytes(),
    "torch-legacy": _legacy,
    "exported": _exported,
}


@functools.cache
def original(name: str) -> bytes:
    return FILES[name]()


@functools.lru_cache(32)
def instructions(data: bytes) -> list[tuple[int, int]]:
    """(start, end) of each instruction of the pickles that follow one another in `data`.

    Ends where the data is no pickle any more, as it is after some mutations.
    """
    positions, file = [], io.BytesIO(data)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about odd escapes in texts
        try:
            while data[file.tell() : file.tell() + 1] == b"\x80":
                before = None
                for _, _, position in pickletools.genops(file):
                    if before is not None:
                        positions.append((before, position))
                    before = position
                positions.append((before, file.tell()))
        except (ValueError, UnicodeError, OverflowError):
            pass
    return positions


# The mutations


def _flip(data: bytes, choose: random.Random) -> bytes:
    """Changes a few bytes, mostly outside of the numbers."""
    changed, places = bytearray(data), instructions(data)
    for _ in range(choose.randint(1, 4)):
        position = choose.randrange(len(data))
        if places and choose.random() < 0.8:
            start, end = choose.choice(places)
            position = choose.randrange(start, min(end, start + 300))
        changed[position] = choose.choice((choose.randrange(256), changed[position] ^ 1, 0, 255))
    return bytes(changed)


def _truncate(data: bytes, choose: random.Random) -> bytes:
    return data[: choose.randrange(len(data))]


def _splice(data: bytes, choose: random.Random) -> bytes:
    """Puts a piece of this or another file somewhere, over or between what is there."""
    source = data if choose.random() < 0.7 else original(choose.choice(list(FILES)))
    start = choose.randrange(len(source))
    piece = source[start : start + choose.choice((1, 4, 30, 300, 3000))]
    position = choose.randrange(len(data))
    return data[:position] + piece + data[position + choose.choice((0, len(piece))) :]


def _delete(data: bytes, choose: random.Random) -> bytes:
    position = choose.randrange(len(data))
    return data[:position] + data[position + choose.choice((1, 2, 9, 100, 5000)) :]


def _resize(data: bytes, choose: random.Random) -> bytes:
    """Changes the length that an instruction announces."""
    sizes = {b"B"[0]: "<I", b"X"[0]: "<I", b"C"[0]: "B", 0x8C: "B", 0x8A: "B", 0x95: "<Q"}
    places = [start for start, _ in instructions(data) if data[start] in sizes]
    if not places:
        return _flip(data, choose)
    start = choose.choice(places)
    layout = sizes[data[start]]
    old = struct.unpack_from(layout, data, start + 1)[0]
    new = choose.choice((*INTERESTING, old + 1, old - 1, old * 2, 2**63))
    size = struct.calcsize(layout)
    raw = (new % 2 ** (8 * size)).to_bytes(size, "little")
    return data[: start + 1] + raw + data[start + 1 + size :]


def _rearrange(data: bytes, choose: random.Random) -> bytes:
    """Swaps, repeats, deletes, replaces or inserts whole instructions."""
    places = instructions(data)
    if len(places) < 2:
        return _splice(data, choose)
    (a, b), (c, d) = sorted((choose.choice(places), choose.choice(places)))
    kind = choose.randrange(6)
    if kind == 0 and b <= c:
        return data[:a] + data[c:d] + data[b:c] + data[a:b] + data[d:]
    if kind == 1:
        return data[:a] + data[c:d] + data[a:]
    if kind == 2:
        return data[:a] + data[b:]
    if kind == 3:
        return data[:a] + data[c:d] + data[b:]
    return data[:a] + choose.choice(INSERTIONS) + data[a if kind == 4 else b :]


def _number(data: bytes, choose: random.Random) -> bytes:
    """Replaces a small number, such as a size, a stride or a setting."""
    places = [(a, b) for a, b in instructions(data) if data[a] in b"KMJ"]
    if not places:
        return _flip(data, choose)
    start, end = choose.choice(places)
    value = choose.choice((*INTERESTING, -1, -2, 2**40, 2**62, 16, 32, 512, 1024))
    raw = value.to_bytes(9, "little", signed=True)
    return data[:start] + b"\x8a\x09" + raw + data[end:]


MUTATIONS = (_flip, _flip, _truncate, _splice, _delete, _resize, _rearrange, _rearrange, _number)


def _in_zip(data: bytes, mutate: Callable, choose: random.Random) -> bytes:
    """The same archive around a mutated pickle."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(file, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            content = mutate(content, choose) if name.endswith("data.pkl") else content
            new.writestr(zipfile.ZipInfo(name), content)  # without the time of day
    return file.getvalue()


def mutated(name: str, number: int) -> bytes:
    choose, data = random.Random(f"{name} {number}"), original(name)
    for _ in range(choose.choice((1, 1, 1, 2, 5))):
        mutate = choose.choice(MUTATIONS)
        if data[:4] == b"PK\3\4" and data == original(name) and choose.random() < 0.6:
            return _in_zip(data, mutate, choose)
        data = mutate(data, choose) or b"."
    return data


# The test

_forbidden_events: list[str] = []
_watching = [False]


def _watch(event: str, args: tuple) -> None:
    if _watching[0] and event.startswith(FORBIDDEN):
        _forbidden_events.append(event)


@pytest.fixture(scope="module")
def audit():
    """Notes when anything starts a program or looks up a class for a pickle."""
    sys.addaudithook(_watch)  # cannot be removed, only silenced
    _watching[0] = True
    yield _forbidden_events
    _watching[0] = False


def read_all(path: Path) -> str:
    """Reads a file with all its networks: "" or the reason why not."""
    try:
        for network in read_official(path).networks.values():
            network.variables()
    except UserError as error:
        return str(error)
    return ""


def check(name: str, count: int, folder: Path, audit: list[str]) -> None:
    for marker in glob.glob(MARKERS):
        Path(marker).unlink()
    path = folder / "net.bin"
    path.write_bytes(original(name))
    assert read_all(path) == "", "the file is refused before it is mutated"
    reasons, slowest = set(), 0.0
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for number in range(count):
        path.write_bytes(mutated(name, number))
        start = time.perf_counter()
        try:
            reason = read_all(path)
        except Exception as error:
            raise AssertionError(f"mutated({name!r}, {number}) raised {error!r}") from error
        seconds = time.perf_counter() - start
        assert seconds < MAX_SECONDS, f"mutated({name!r}, {number}) took {seconds:.1f} s"
        assert reason == "" or (reason.startswith("net.bin: ") and len(reason) < 4000), number
        assert "\x1b" not in reason
        reasons.add(reason)
        slowest = max(slowest, seconds)
    growth = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory) * 1024
    assert growth < MAX_GROWTH, f"the memory grew by {growth / 1e6:.0f} MB"
    assert audit == [], "a file made this process start something"
    assert glob.glob(MARKERS) == []
    assert len(reasons) > 15, "the mutations do not reach far enough"
    print(f"{name}: {len(reasons)} reasons, slowest {slowest:.2f} s, +{growth / 1e6:.0f} MB")


@pytest.mark.parametrize("name", FILES)
def test_mutated_files(name, tmp_path, audit):
    check(name, CASES, tmp_path, audit)


@pytest.mark.slow
@pytest.mark.parametrize("name", FILES)
def test_many_mutated_files(name, tmp_path, audit):
    check(name, MANY_CASES, tmp_path, audit)
