"""How problems with a file are worded."""

from collections.abc import Iterable
from typing import Any

_SHOWN, _LONGEST = 8, 500


def listed(items: Iterable[str], separator: str = ", ") -> str:
    """The first eight items joined, and how many more there are.

    Each item is shortened to 500 characters: names come from untrusted files.
    """
    items = list(items)
    shown = [item if len(item) <= _LONGEST else f"{item[:_LONGEST]}..." for item in items[:_SHOWN]]
    if len(items) > _SHOWN:
        shown.append(f"and {len(items) - _SHOWN} more")
    return separator.join(shown)


def number(value: Any) -> str:
    """A number from a file, such as a version; of anything else the type alone.

    Nested values are never printed: a few shared lists can stand for billions
    of items.
    """
    if isinstance(value, int | float) and (abs(value) <= 1e9 or isinstance(value, float)):
        return str(value)
    return f"<{type(value).__name__}>"
