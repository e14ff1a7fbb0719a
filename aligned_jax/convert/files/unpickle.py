"""Reads pickles (protocols 0 to 5) without importing or calling anything.

A pickle is a program for a small stack machine. This one has no instruction
that reaches Python code: a class or function is only noted by name. The caller
hands over a table from exact (module, name) to a pure function that makes a
plain value of the arguments; everything else becomes an `Opaque` and its name
is reported, so that the caller can refuse the file and say why.

Results nest at will, share parts and may contain themselves: see
`aligned_jax.convert.files.inert` before descending one.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from aligned_jax.convert.files import literals
from aligned_jax.convert.files.inert import Budget, Global, Opaque
from aligned_jax.convert.files.literals import ByteReader
from aligned_jax.errors import FormatError

Handler = Callable[[tuple, Budget], Any]

_MAX_KEY = 4096  # long keys would make every comparison slow
_MAX_UNKNOWN = 1000
_KEY_TYPES = (str, bytes, int, float, bool, type(None))
_STOP = ord(".")


@dataclass(frozen=True, eq=False, repr=False)
class Unpickled:
    """One pickle's value, where the next one starts, and the foreign names in it."""

    value: Any
    end: int
    unknown_globals: tuple[str, ...]


def unpickle(
    data: memoryview,
    handlers: Mapping[tuple[str, str], Handler],
    *,
    start: int = 0,
    persistent: Callable[[Any], Any] | None = None,
    budget: Budget | None = None,
) -> Unpickled:
    """Reads the pickle that starts at byte `start` of `data`.

    Byte strings above 4 KiB stay views of `data` (Python 2 strings too, as
    bytes; smaller ones are latin-1 text). Byte arrays become bytes. Classes in
    `handlers` are called with (arguments, budget); a result with a method
    `build` receives the state that the pickle sets. `persistent` resolves
    references to things outside the pickle. Time and memory are linear in the
    size of the file and bounded by `budget`.

    Raises FormatError, and nothing else, for whatever is wrong.
    """
    machine = _Machine(data, start, handlers, persistent, budget or Budget.of_file(len(data)))
    value = machine.run()
    return Unpickled(value, machine.position, tuple(machine.unknown))


class _Machine(ByteReader):
    """Stack, marks and memo of one pickle."""

    def __init__(
        self,
        data: memoryview,
        start: int,
        handlers: Mapping[tuple[str, str], Handler],
        persistent: Callable[[Any], Any] | None,
        budget: Budget,
    ) -> None:
        super().__init__(data, start)
        self.handlers, self.persistent, self.budget = handlers, persistent, budget
        self.stack: list[Any] = []
        self.outer: list[list[Any]] = []  # the stacks below each mark
        self.memo: dict[int, Any] = {}
        self.unknown: dict[str, None] = {}

    def run(self) -> Any:
        while True:
            self.budget.spend()
            code = self.take(1)[0]
            if code == _STOP:
                return self.pop()
            instruction = _INSTRUCTIONS.get(code)
            if instruction is None:
                raise self.damaged(f"holds {code:#04x}, which is no instruction of a pickle")
            instruction(self)

    # Stack

    def push(self, value: Any) -> None:
        self.stack.append(value)

    def pop(self) -> Any:
        if not self.stack:
            raise self.damaged("takes a value from an empty stack")
        return self.stack.pop()

    def top(self) -> Any:
        if not self.stack:
            raise self.damaged("needs a value on an empty stack")
        return self.stack[-1]

    def items(self) -> list[Any]:
        """Everything above the last mark, which is removed."""
        if not self.outer:
            raise self.damaged("looks for a mark that was never set")
        items, self.stack = self.stack, self.outer.pop()
        return items

    def mark(self) -> None:
        self.outer.append(self.stack)
        self.stack = []

    def discard(self) -> None:
        if self.stack:
            self.stack.pop()
        else:
            self.items()

    # Memo

    def memoize(self, index: int) -> None:
        if index < 0:
            raise self.damaged("stores a value under a negative number")
        self.memo[index] = self.top()

    def recall(self, index: int) -> None:
        if index not in self.memo:
            raise self.damaged("mentions a value that was never stored")
        self.push(self.memo[index])

    # Containers

    def append(self, values: list[Any]) -> None:
        target = self.top()
        if type(target) is list:
            target.extend(values)
        elif type(target) is not Opaque:
            raise self.damaged(f"appends to a {type(target).__name__}")

    def add(self, values: list[Any]) -> None:
        target = self.top()
        if type(target) is set:
            target.update(check_keys(values, self.budget))
        elif type(target) is not Opaque:
            raise self.damaged(f"adds members to a {type(target).__name__}")

    def set_items(self, values: list[Any]) -> None:
        target = self.top()
        if type(target) is dict:
            target.update(self.pairs(values))
        elif type(target) is not Opaque:
            raise self.damaged(f"sets items of a {type(target).__name__}")

    def pairs(self, values: list[Any]) -> dict[Any, Any]:
        if len(values) % 2:
            raise self.damaged("sets a key without a value")
        return dict(zip(check_keys(values[::2], self.budget), values[1::2], strict=True))

    def tuple_of(self, count: int) -> None:
        items = [self.pop() for _ in range(count)]
        self.push(tuple(reversed(items)))

    # Names, objects

    def mention(self, module: Any, name: Any) -> Global:
        if type(module) is not str or type(name) is not str:
            raise self.damaged("names a class by something that is no text")
        mentioned = Global(module, name)
        if not self.is_known(mentioned):
            self.unknown.setdefault(str(mentioned))
            if len(self.unknown) > _MAX_UNKNOWN:
                raise FormatError(f"the file names more than {_MAX_UNKNOWN:,} foreign classes")
        return mentioned

    def is_known(self, function: Any) -> bool:
        return type(function) is Global and (function.module, function.name) in self.handlers

    def call(self, function: Any, args: Any) -> None:
        if type(args) is not tuple:
            raise self.damaged("calls with arguments that are no tuple")
        if self.is_known(function):
            self.push(self.handlers[function.module, function.name](args, self.budget))
        elif type(function) is Global:
            self.push(Opaque(str(function), args))
        elif type(function) is Opaque:
            self.push(Opaque(function.name, args))
        else:
            raise self.damaged(f"calls a {type(function).__name__}")

    def reduce(self) -> None:
        args = self.pop()
        self.call(self.pop(), args)

    def new_with_keywords(self) -> None:
        keywords, args = self.pop(), self.pop()
        function = self.pop()
        if keywords and self.is_known(function):
            raise self.damaged("makes a plain value with keyword arguments")
        self.call(function, args)

    def old_object(self) -> None:
        items = self.items()
        if not items:
            raise self.damaged("makes an object without a class")
        self.call(items[0], tuple(items[1:]))

    def old_instance(self) -> None:
        module, name = literals.text(self.line()), literals.text(self.line())
        self.call(self.mention(module, name), tuple(self.items()))

    def build(self) -> None:
        state = self.pop()
        target = self.top()
        if hasattr(target, "build"):
            target.build(state, self.budget)
        elif type(target) is not dict:  # attributes of dictionaries say nothing about networks
            raise self.damaged(f"sets the state of a {type(target).__name__}")

    def stack_global(self) -> None:
        name = self.pop()
        self.push(self.mention(self.pop(), name))

    def refer(self, reference: Any) -> None:
        if self.persistent is None:
            raise FormatError("the pickle refers to data that lies in another file")
        self.push(self.persistent(reference))

    # Checks of the header

    def protocol(self) -> None:
        version = self.number("B")
        if version > 5:
            raise FormatError(f"the pickle says protocol {version}; 5 is the highest there is")

    def frame(self) -> None:
        size, left = self.number("<Q"), len(self.data) - self.position
        if size > left:
            raise FormatError(
                f"the file is truncated: {size} bytes are announced, {left} follow; fetch it again"
            )

    def refuse(self) -> None:
        raise self.damaged("needs data that is not in the file")


def check_keys(keys: list[Any], budget: Budget) -> list[Any]:
    """Keys of dictionaries and members of sets: short plain values only.

    Nested tuples take exponential time to hash and numbers can be chosen to
    collide, so tuples are refused and numbers are counted.
    """
    for key in keys:
        if type(key) not in _KEY_TYPES:
            raise FormatError(f"a dictionary has a key of type {type(key).__name__}")
        if type(key) in (int, float):
            budget.number_key()
        elif type(key) in (str, bytes) and len(key) > _MAX_KEY:
            raise FormatError(f"a dictionary has a key of {len(key)} characters")
    return keys


# fmt: off
_INSTRUCTIONS: dict[int, Callable[[_Machine], None]] = {code[0]: action for code, action in {
    b"\x80": _Machine.protocol,
    b"\x95": _Machine.frame,
    # stack
    b"(": _Machine.mark,
    b"0": _Machine.discard,
    b"1": _Machine.items,
    b"2": lambda m: m.push(m.top()),
    # constants and numbers
    b"N": lambda m: m.push(None),
    b"\x88": lambda m: m.push(True),
    b"\x89": lambda m: m.push(False),
    b"I": lambda m: m.push(literals.integer(m.line())),
    b"L": lambda m: m.push(literals.integer(m.line())),
    b"F": lambda m: m.push(literals.real(m.line())),
    b"J": lambda m: m.push(m.number("<i")),
    b"K": lambda m: m.push(m.number("B")),
    b"M": lambda m: m.push(m.number("<H")),
    b"G": lambda m: m.push(m.number(">d")),
    b"\x8a": lambda m: m.push(m.long_integer("B")),
    b"\x8b": lambda m: m.push(m.long_integer("<i")),
    # texts and bytes
    b"S": lambda m: m.push(literals.quoted(m.line())),
    b"V": lambda m: m.push(literals.escaped(m.line())),
    b"X": lambda m: m.push(m.text("<I")),
    b"\x8c": lambda m: m.push(m.text("B")),
    b"\x8d": lambda m: m.push(m.text("<Q")),
    b"B": lambda m: m.push(m.raw("<I")),
    b"C": lambda m: m.push(m.raw("B")),
    b"\x8e": lambda m: m.push(m.raw("<Q")),
    b"\x96": lambda m: m.push(m.raw("<Q")),
    b"T": lambda m: m.push(m.old_text("<i")),
    b"U": lambda m: m.push(m.old_text("B")),
    # containers
    b")": lambda m: m.push(()),
    b"t": lambda m: m.push(tuple(m.items())),
    b"\x85": lambda m: m.tuple_of(1),
    b"\x86": lambda m: m.tuple_of(2),
    b"\x87": lambda m: m.tuple_of(3),
    b"]": lambda m: m.push([]),
    b"l": lambda m: m.push(m.items()),
    b"a": lambda m: m.append([m.pop()]),
    b"e": lambda m: m.append(m.items()),
    b"}": lambda m: m.push({}),
    b"d": lambda m: m.push(m.pairs(m.items())),
    b"s": lambda m: m.set_items([m.pop(), m.pop()][::-1]),
    b"u": lambda m: m.set_items(m.items()),
    b"\x8f": lambda m: m.push(set()),
    b"\x90": lambda m: m.add(m.items()),
    b"\x91": lambda m: m.push(frozenset(check_keys(m.items(), m.budget))),
    # memo
    b"p": lambda m: m.memoize(literals.integer(m.line())),
    b"q": lambda m: m.memoize(m.number("B")),
    b"r": lambda m: m.memoize(m.number("<I")),
    b"\x94": lambda m: m.memoize(len(m.memo)),
    b"g": lambda m: m.recall(literals.integer(m.line())),
    b"h": lambda m: m.recall(m.number("B")),
    b"j": lambda m: m.recall(m.number("<I")),
    # names and objects
    b"c": lambda m: m.push(m.mention(literals.text(m.line()), literals.text(m.line()))),
    b"\x93": _Machine.stack_global,
    b"R": _Machine.reduce,
    b"\x81": _Machine.reduce,
    b"\x92": _Machine.new_with_keywords,
    b"i": _Machine.old_instance,
    b"o": _Machine.old_object,
    b"b": _Machine.build,
    # other files, the registry of extensions, separate buffers
    b"P": lambda m: m.refer(literals.text(m.line())),
    b"Q": lambda m: m.refer(m.pop()),
    **dict.fromkeys((b"\x82", b"\x83", b"\x84", b"\x97", b"\x98"), _Machine.refuse),
}.items()}
# fmt: on
