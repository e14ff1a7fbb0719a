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
_NO_BUFFERS = ("parameter", "constant", "bitcast", "tuple", "get-tuple-element")
_BITS = re.compile(r"\d+")


class BufferSize(NamedTuple):
    """Bytes of the numbers of a buffer, and bytes that it occupies in tiles."""

    used: int
    held: int


def buffers(text: str) -> Iterator[tuple[str, BufferSize]]:
    """Every array that the main computation of an optimised HLO module writes."""
    for line in main_computation(text).splitlines():
        result = _RESULT.match(line)
        if result and result["name"] not in _NO_BUFFERS:
            for match in _BUFFER.finditer(result["types"]):
                yield match.group(0), _size(match)


def padding(text: str) -> float:
    """Bytes that these arrays occupy over bytes of their numbers: 1 wastes nothing."""
    sizes = [size for _, size in buffers(text)]
    return sum(size.held for size in sizes) / max(sum(size.used for size in sizes), 1)


def estimated_cycles(text: str) -> int:
    """The compiler's estimate for the main computation; what loops repeat counts once."""
    return sum(map(int, _CYCLES.findall(main_computation(text))))


def main_computation(text: str) -> str:
    """The part of a module that begins with ENTRY."""
    return text[text.rfind("\nENTRY") + 1 :]


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
