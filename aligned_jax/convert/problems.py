"""How problems with a file are worded."""

from collections.abc import Iterable

_SHOWN = 8


def listed(items: Iterable[str], separator: str = ", ") -> str:
    """The first eight items joined, and how many more there are.

    Each item is shortened to 200 characters: names come from untrusted files.
    """
    items = list(items)
    shown = [item if len(item) <= 200 else f"{item[:200]}..." for item in items[:_SHOWN]]
    if len(items) > _SHOWN:
        shown.append(f"and {len(items) - _SHOWN} more")
    return separator.join(shown)
