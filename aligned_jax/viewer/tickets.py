"""The latest request wins: older ones of the same page stop at their next picture."""

import threading

from aligned_jax.viewer.kept import Kept

_PAGES = 64


class Tickets:
    """The last request of each page."""

    def __init__(self) -> None:
        self._lock, self._last = threading.Lock(), Kept[list[int]](_PAGES)
        self._closed = False

    def take(self, page: str, number: int) -> None:
        """A page has sent its request `number`; earlier ones are void."""
        with self._lock:
            last = self._last.get(page, lambda: [number])
            last[0] = max(last[0], number)

    def is_last(self, page: str, number: int) -> bool:
        """Whether nothing newer was asked for."""
        with self._lock:
            return not self._closed and self._last.get(page, lambda: [number])[0] == number

    def close(self) -> None:
        """Nothing is wanted any more."""
        self._closed = True
