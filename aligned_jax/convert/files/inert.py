"""Values that a pickle turns into: data and labels, never anything that acts.

A pickle may mention one list a thousand times inside another, and that one a
thousand times inside a third: cheap to store, endless to descend. It may also
contain itself. Whoever descends a result must bound the walk: `walk` visits
every object once, `plain` copies a small nested value or refuses it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from aligned_jax.errors import FormatError

MAX_STEPS = 1_000_000
MAX_NUMBER_KEYS = 10_000
_SHOWN = 80


def show(text: Any) -> str:
    """Short printable form of a text from a file: no control characters, no long lines."""
    if not isinstance(text, str):
        return f"<{type(text).__name__}>"
    cut = text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "..."
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in cut)


@dataclass
class Budget:
    """How much work one file may cause; shared by all pickles nested in it.

    A network of 1024 pixels takes some 60,000 steps. `copies` counts bytes
    that are re-encoded: without it one long string, re-encoded again and
    again, fills the memory. `number_keys` counts dictionary keys whose hash an
    attacker can choose, so that no table degenerates into a list.
    """

    copies: int
    steps: int = MAX_STEPS
    number_keys: int = MAX_NUMBER_KEYS

    @classmethod
    def of_file(cls, size: int) -> "Budget":
        return cls(copies=2 * size + (1 << 20))

    def spend(self, steps: int = 1) -> None:
        self.steps -= steps
        if self.steps < 0:
            raise FormatError(
                f"the file takes more than {MAX_STEPS:,} steps to read; no network needs as many"
            )

    def copy(self, size: int) -> None:
        self.copies -= size
        if self.copies < 0:
            raise FormatError("the file copies the same bytes over and over; no network does that")

    def number_key(self) -> None:
        self.number_keys -= 1
        if self.number_keys < 0:
            raise FormatError(f"more than {MAX_NUMBER_KEYS:,} dictionary keys are numbers")


@dataclass(frozen=True, slots=True, eq=False)
class Global:
    """A mention of a class or function, which is neither imported nor called."""

    module: str
    name: str

    def __str__(self) -> str:
        return f"{show(self.module)}.{show(self.name)}"

    __repr__ = __str__


@dataclass(slots=True, eq=False, repr=False)
class Opaque:
    """What an unknown class or function was to be made into, or called with."""

    name: str
    args: tuple = ()
    state: Any = None

    def build(self, state: Any, budget: Budget) -> None:
        self.state = state


@dataclass(slots=True, eq=False, repr=False)
class PersistentObject:
    """Network or layer of the official PyTorch code.

    `meta` holds `type`, `version`, `class_name`, `state`; in the state lie
    `_parameters`, `_buffers`, `_modules`, `_init_args`, `_init_kwargs`. The
    program text that such objects carry (`module_src`) is dropped.
    """

    meta: dict


@dataclass(slots=True, eq=False, repr=False)
class TFNetwork:
    """Network of the official TensorFlow code; its program text is dropped."""

    state: dict = field(default_factory=dict)

    def build(self, state: Any, budget: Budget) -> None:
        self.state = without(state, "build_module_src", budget)


def without(values: Any, key: str, budget: Budget) -> dict:
    """A dictionary without one of its keys."""
    if type(values) is not dict:
        raise FormatError(f"the state of an object is a {type(values).__name__}, not a dictionary")
    budget.spend(len(values))
    return {name: value for name, value in values.items() if name != key}


_NOUNS = {dict: "a dictionary", list: "a list", tuple: "a tuple", str: "a text", bool: "a switch"}


def noun(value: Any) -> str:
    """What a value of a result is, in words."""
    if isinstance(value, PersistentObject):
        return "a network of the official PyTorch code"
    if isinstance(value, TFNetwork):
        return "a network of the official TensorFlow code"
    if isinstance(value, Opaque | Global):
        return str(value if isinstance(value, Global) else value.name)
    if hasattr(value, "numpy"):
        return "a tensor"
    if type(value) in (int, float) or isinstance(value, np.generic):
        return "a number"
    if value is None:
        return "nothing (None)"
    return _NOUNS.get(type(value), f"of type {type(value).__name__}")


def children(value: Any) -> tuple | list:
    """What an object of a result directly contains (keys of dictionaries excepted)."""
    if type(value) is dict:
        return list(value.values())
    if type(value) in (list, tuple):
        return value
    if isinstance(value, PersistentObject):
        return (value.meta,)
    if isinstance(value, TFNetwork):
        return (value.state,)
    if isinstance(value, Opaque):
        return (value.args, value.state)
    return ()


def walk(value: Any) -> Iterator[Any]:
    """Every object of a result once, however often it is mentioned."""
    seen, pending = set(), [value]
    while pending:
        node = pending.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        yield node
        pending.extend(children(node))


def plain(value: Any, items: int = 10_000, depth: int = 16) -> Any:
    """JSON-able copy of a small nested value, such as constructor arguments.

    Tuples become lists, numpy numbers Python numbers, and mentions of known names (types of
    numbers) their text. Raises FormatError on anything else, on whole numbers beyond 64 bits
    (no float can hold every one), below `depth` levels, or above `items` values in all (shared
    values count each time).
    """
    left = [items]

    def copy(node: Any, depth: int) -> Any:
        left[0] -= 1
        if left[0] < 0 or depth < 0:
            raise FormatError("a nested value is too large to be a list of settings")
        if type(node) is int and abs(node) >= 2**64:
            raise FormatError("a setting is a whole number of more than 64 bits")
        if node is None or type(node) in (bool, int, float, str):
            return node
        if isinstance(node, np.generic):
            return node.item()
        if type(node) in (list, tuple):
            return [copy(item, depth - 1) for item in node]
        if type(node) is dict and all(type(key) is str for key in node):
            return {key: copy(item, depth - 1) for key, item in node.items()}
        if isinstance(node, Global):
            return str(node)
        raise FormatError(f"a setting is {noun(node)}, not a plain value")

    return copy(value, depth)
