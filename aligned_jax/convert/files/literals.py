"""Bytes, texts and numbers as pickles spell them, each checked before it is converted."""

import re
import struct
from typing import Any

from aligned_jax.errors import FormatError

LARGE = 4096  # bytes; longer payloads stay in the file
MAX_LINE = 1 << 24  # bytes; only protocols 0 and 1 spell payloads as lines, and no network does
MAX_INTEGER = 64  # bytes; arithmetic on longer ones is slow, and no network needs them
_INTEGER = re.compile(rb"[-+]?[0-9]{1,100}")
_REAL = re.compile(
    rb"[-+]?(inf|nan|[0-9]{1,400}(\.[0-9]{0,400})?(e[-+]?[0-9]{1,4})?)", re.IGNORECASE
)
_ESCAPE = re.compile(rb"\\(x[0-9a-fA-F]{2}|[0-7]{1,3}|.)", re.DOTALL)
_LETTERS = dict(zip(b"abfnrtv", b"\a\b\f\n\r\t\v", strict=True))


class ByteReader:
    """Takes a buffer apart from `position` on; nothing is ever read beyond its end."""

    def __init__(self, data: memoryview, position: int) -> None:
        self.data, self.position = data, position

    def take(self, size: int) -> memoryview:
        """The next `size` bytes."""
        left = len(self.data) - self.position
        if not 0 <= size <= left:
            raise FormatError(
                f"the file ends too early: {size} more bytes are announced at byte "
                f"{self.position}, {left} follow; it is truncated or damaged, fetch it again"
            )
        self.position += size
        return self.data[self.position - size : self.position]

    def number(self, layout: str) -> Any:
        """One number, in the notation of `struct`."""
        return struct.unpack(layout, self.take(struct.calcsize(layout)))[0]

    def line(self) -> bytes:
        """Bytes up to the next line feed, which is skipped."""
        size, step = 0, 64
        while True:
            chunk = bytes(self.data[self.position + size : self.position + size + step])
            end = chunk.find(b"\n")
            if end >= 0:
                return bytes(self.take(size + end + 1)[:-1])
            if len(chunk) < step:
                raise FormatError("the file ends inside a line of text; it is truncated or damaged")
            size, step = size + step, step * 2
            if size > MAX_LINE:
                raise FormatError(f"a line of text is longer than {MAX_LINE:,} bytes")

    def long_integer(self, layout: str) -> int:
        """A whole number of as many bytes as the number in `layout` says."""
        size = self.number(layout)
        if not 0 <= size <= MAX_INTEGER:
            raise self.damaged(f"announces a whole number of {size} bytes")
        return int.from_bytes(self.take(size), "little", signed=True)

    def text(self, layout: str) -> str:
        return text(self.take(self.number(layout)))

    def raw(self, layout: str) -> bytes | memoryview:
        view = self.take(self.number(layout))
        return view if len(view) > LARGE else bytes(view)

    def old_text(self, layout: str) -> str | memoryview:
        view = self.take(self.number(layout))
        return view if len(view) > LARGE else str(view, "latin-1")

    def damaged(self, what: str) -> FormatError:
        return FormatError(f"the file is damaged: byte {self.position - 1} {what}")


def text(raw: bytes | memoryview) -> str:
    """The text that UTF-8 bytes spell, lone surrogates included."""
    try:
        return str(raw, "utf-8", "surrogatepass")
    except UnicodeDecodeError:
        raise _damaged("a text is not valid UTF-8") from None


def escaped(line: bytes) -> str:
    """Latin-1 with \\u escapes: the text of protocol 0."""
    try:
        return str(line, "raw-unicode-escape")
    except UnicodeDecodeError:
        raise _damaged("a text has a broken escape") from None


def quoted(line: bytes) -> str:
    """A Python 2 string in quotes, as latin-1."""
    line = line.strip()
    if len(line) < 2 or line[:1] not in (b"'", b'"') or line[-1] != line[0]:
        raise _damaged("a string lacks its quotes")
    return _ESCAPE.sub(_unescape, line[1:-1]).decode("latin-1")


def integer(line: bytes) -> int | bool:
    """Decimal digits, with the L of Python 2; 00 and 01 are the booleans."""
    digits = line.strip().removesuffix(b"L")
    if digits in (b"00", b"01"):
        return digits == b"01"
    if not _INTEGER.fullmatch(digits):
        raise _damaged("a whole number is not made of digits")
    return int(digits)


def real(line: bytes) -> float:
    """The number that a decimal fraction in digits spells."""
    digits = line.strip()
    if not _REAL.fullmatch(digits):
        raise _damaged("a number is not made of digits")
    return float(digits)


def _unescape(match: re.Match) -> bytes:
    code = match[1]
    if code[:1] == b"x" and len(code) == 3:
        return bytes([int(code[1:], 16)])
    if code.isdigit() and code[0] < ord("8"):
        return bytes([int(code, 8) & 255])
    if code in (b"\\", b"'", b'"'):
        return code
    return bytes([_LETTERS[code[0]]]) if code[0] in _LETTERS else b"\\" + code


def _damaged(what: str) -> FormatError:
    return FormatError(f"the file is damaged: {what}")
