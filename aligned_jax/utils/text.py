"""How lists, counts and times are worded, in messages and on pages."""

import html
from collections.abc import Iterable

_LONGEST = 500


def listed(items: Iterable[str], most: int = 8, separator: str = ", ") -> str:
    """The first items joined, and how many more there are: "a, b and 3 more".

    Args:
      items: each is shortened to 500 characters, and its line breaks are escaped: names may
        come from untrusted files.
      most: how many are shown.
      separator: with another one than ", " the end reads "; and 3 more".
    """
    items = [item.replace("\n", "\\n") for item in items]
    shown = [item if len(item) <= _LONGEST else f"{item[:_LONGEST]}..." for item in items[:most]]
    if len(items) <= most:
        return separator.join(shown)
    before = " " if separator == ", " else separator
    return f"{separator.join(shown)}{before}and {len(items) - most} more"


def options(names: Iterable[str], separator: str = ", ") -> str:
    """Names of arguments as they are typed: "--noise-seed, --psi" of noise_seed and psi."""
    return separator.join(f"--{name.replace('_', '-')}" for name in names)


def arguments(names: Iterable[str], separator: str = ", ") -> str:
    """Names of arguments as Python has them, in a message: "`noise_seed`, `psi`".

    The command line shows what stands between such marks as it is typed there, "--noise-seed":
    see `cli.spelling`.
    """
    return separator.join(f"`{name}`" for name in names)


def counted(count: int, noun: str) -> str:
    """ "1 image", "2 images"."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def printable(text: str) -> str:
    """`text` without control characters, which could come from a hostile file."""
    return "".join(c if c.isprintable() or c == "\n" else repr(c)[1:-1] for c in text)


def one_line(text: str) -> str:
    """`printable`, with line breaks escaped too."""
    return printable(text).replace("\n", "\\n")


def said(error: BaseException) -> str:
    """What an exception says, in one line of 200 characters at most: it may quote a whole file."""
    return one_line(str(error)[:200])


def markup(text: str) -> str:
    """`printable` text as HTML and SVG write it."""
    return html.escape(printable(text))


def duration(seconds: float) -> str:
    """ "1 h 05 min", "3 min 20 s", "7 s"."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02d} min"
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"
