"""What the text of a program compiled for a TPU says of its memory and its time.

Nothing here has run: sizes are exact, times are the compiler's own estimate.
"""

import math
import re
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

# A buffer as XLA writes it: bf16[8,257,512,128]{3,2,1,0:T(8,128)(2,1)}
_BUFFER = re.compile(
    r"\b(?P<type>pred|[a-z]+\d\w*)\[(?P<dims>[\d,]*)\]\{(?P<order>[\d,]*)(?P<rest>[^}]*)"
)
_TILE = re.compile(r"T\(([\d,]+)\)")
_RESULT = re.compile(r"^ +(?:ROOT )?%?[\w.-]+ = (?P<types>\(.*?\)|\S+) (?P<name>[\w-]+)\(")
_CYCLES = re.compile(r'"estimated_cycles":"(\d+)"')
_NO_BUFFERS = ("parameter", "constant", "bitcast", "tuple", "get-tuple-element", "while")
_BITS = re.compile(r"\d+")
_BEGINNING = re.compile(r"^(?P<entry>ENTRY )?%?(?P<name>[\w.-]+) \(.*\{$")
# What a loop repeats, and between what a condition chooses.
_INNER = re.compile(r"(?:body|true_computation|false_computation)=%?([\w.-]+)")
_BRANCHES = re.compile(r"branch_computations=\{([^}]*)\}")
_EXCHANGE = re.compile(
    r" (?P<kind>all-reduce|all-gather|reduce-scatter|collective-permute|all-to-all)(?:-start)?\("
)
_PICKING = re.compile(r" (?:gather|scatter)\(")


class BufferSize(NamedTuple):
    """Bytes of the numbers of a buffer, and bytes that it occupies in tiles."""

    used: int
    held: int


class Exchange(NamedTuple):
    """Exchanges of one kind between devices: how many there are, and bytes of their results."""

    count: int
    size: int


def buffers(text: str) -> Iterator[tuple[str, BufferSize]]:
    """Every array that an optimised HLO module writes one after another, loops once."""
    for line in steps(text):
        result = _RESULT.match(line)
        if result and result["name"] not in _NO_BUFFERS:
            for match in _BUFFER.finditer(result["types"]):
                yield match.group(0), _size(match)


def padding(text: str) -> float:
    """Bytes that these arrays occupy over bytes of their numbers: 1 wastes nothing."""
    sizes = [size for _, size in buffers(text)]
    return sum(size.held for size in sizes) / max(sum(size.used for size in sizes), 1)


def estimated_cycles(text: str) -> int:
    """The compiler's estimate for these steps; what loops repeat counts once, kernels nothing."""
    return sum(int(cycles) for line in steps(text) for cycles in _CYCLES.findall(line))


def exchanges(text: str) -> dict[str, Exchange]:
    """Exchanges between devices by kind, such as "all-reduce"."""
    found: dict[str, Exchange] = {}
    for line in text.splitlines():
        if match := _EXCHANGE.search(line):
            before = found.get(match["kind"], Exchange(0, 0))
            sizes = (_size(one).used for one in _BUFFER.finditer(line[: match.start()]))
            found[match["kind"]] = Exchange(before.count + 1, before.size + sum(sizes))
    return found


def pickings(text: str, least: int) -> list[str]:
    """Gathers and scatters of at least so many numbers, which TPUs are slow at."""
    found = []
    for line in text.splitlines():
        if match := _PICKING.search(line):
            sizes = [_numbers(one) for one in _BUFFER.finditer(line[: match.start()])]
            if max(sizes, default=0) >= least:
                found.append(line.strip()[:200])
    return found


def steps(text: str) -> list[str]:
    """Lines of the main computation, of the bodies of its loops, and of branches."""
    parts, main = _computations(text)
    wanted, lines = [main], []
    for name in wanted:  # grows meanwhile
        lines += parts.get(name, [])
        for line in parts.get(name, []):
            inner = _INNER.findall(line)
            for names in _BRANCHES.findall(line):
                inner += [one.strip(" %") for one in names.split(",")]
            wanted += [one for one in inner if one not in wanted]
    return lines


def _computations(text: str) -> tuple[dict[str, list[str]], str]:
    """Lines of each computation by its name, and the name of the main one."""
    parts: dict[str, list[str]] = {}
    main = name = ""
    for line in text.splitlines():
        if beginning := _BEGINNING.match(line):
            name = beginning["name"]
            parts[name] = []
            main = name if beginning["entry"] else main
        elif line == "}":
            name = ""
        elif name:
            parts[name].append(line)
    return parts, main


def _numbers(match: re.Match) -> int:
    return math.prod(int(d) for d in match["dims"].split(",") if d)


def _size(match: re.Match) -> BufferSize:
    dims = [int(d) for d in match["dims"].split(",") if d]
    bits = _BITS.search(match["type"])
    width = math.ceil(int(bits.group(0)) / 8) if bits else 1
    tile = _TILE.search(match["rest"])
    used = math.prod(dims) * width
    if tile is None or not dims:
        return BufferSize(used, used)
    minor_first = [dims[int(i)] for i in match["order"].split(",")]
    sides = [int(side) for side in tile[1].split(",")][::-1]
    held = np.array(minor_first)
    for i, side in enumerate(sides[: len(held)]):
        held[i] = -(-held[i] // side) * side
    return BufferSize(used, int(held.prod()) * width)
