"""How problems with a file are worded."""

from typing import Any


def number(value: Any) -> str:
    """A number from a file, such as a version; of anything else the type alone.

    Nested values are never printed: a few shared lists can stand for billions
    of items.
    """
    if isinstance(value, int | float) and (abs(value) <= 1e9 or isinstance(value, float)):
        return str(value)
    return f"<{type(value).__name__}>"
