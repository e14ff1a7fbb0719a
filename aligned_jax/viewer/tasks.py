"""Long work that a page asks for: it runs apart, tells how far it is, and can be stopped."""

import contextlib
import itertools
import logging
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from aligned_jax.errors import UserError
from aligned_jax.utils.reporting import Advance, Reporter
from aligned_jax.utils.text import one_line
from aligned_jax.viewer.kept import Kept

_REMEMBERED = 64


class Stopped(Exception):
    """The work was to be stopped."""


class ViewTask(Reporter):
    """One piece of work, and the listener of its progress.

    Attributes:
      number: that names it.
    """

    def __init__(self, number: str) -> None:
        self.number = number
        self._done, self._total, self._note, self._began = 0, 0, "", time.monotonic()
        self._stop = threading.Event()
        self._result: dict[str, Any] | None = None
        self._error, self._warnings = "", list[str]()

    def warn(self, text: str) -> None:
        """Kept, for the page to show."""
        self._warnings.append(one_line(text))

    @contextlib.contextmanager
    def progress(self, total: int, what: str) -> Iterator[Advance]:
        """Counts units, and raises `Stopped` at the next one when nobody wants them any more."""
        self._done, self._total, self._began = 0, total, time.monotonic()
        if self._stop.is_set():
            raise Stopped

        def advance(count: int, note: str = "") -> None:
            if self._stop.is_set():
                raise Stopped
            self._done, self._note = self._done + count, note

        yield advance

    def stop(self) -> None:
        """The work ends at its next step."""
        self._stop.set()

    def status(self) -> dict[str, Any]:
        """How far it is, JSON-able: `state` is running, done, stopped or failed."""
        state = "running" if self._result is None else "done"
        if self._error:
            state = "stopped" if self._stop.is_set() else "failed"
        seconds = time.monotonic() - self._began
        left = seconds / self._done * (self._total - self._done) if self._done else None
        return {
            "task": self.number,
            "state": state,
            "done": self._done,
            "total": self._total,
            "note": self._note,
            "seconds_left": None if left is None else round(left, 1),
            "error": self._error,
            "warnings": self._warnings,
            "result": self._result,
        }

    def run(self, work: Callable[["ViewTask"], dict[str, Any]]) -> None:
        """Does the work, and keeps what came of it."""
        try:
            self._result = work(self)
        except Stopped:
            self._error = "stopped"
        except UserError as error:
            self._error = one_line(str(error))
        except Exception as error:  # a bug, which must not look as if work went on for ever
            logging.getLogger(__name__).exception("a bug")
            self._error = f"this failed, which is a bug: {one_line(repr(error))[:200]}"


class TaskBoard:
    """The tasks of a page's program, one of which runs at a time."""

    def __init__(self) -> None:
        self._numbers, self._lock = itertools.count(1), threading.Lock()
        self._tasks: Kept[ViewTask] = Kept(_REMEMBERED)
        self._running: ViewTask | None = None
        self._thread: threading.Thread | None = None

    def start(self, work: Callable[[ViewTask], dict[str, Any]]) -> ViewTask:
        """Begins work in a thread of its own; raises UserError while other work goes on."""
        with self._lock:
            if self._running and self._running.status()["state"] == "running":
                raise UserError("other work is going on; wait for it, or stop it first")
            number = str(next(self._numbers))
            task = self._running = ViewTask(number)
            self._tasks.get(number, lambda: task)
            self._thread = threading.Thread(target=task.run, args=(work,), daemon=True)
            self._thread.start()
        return task

    def get(self, number: str) -> ViewTask:
        """A task by its number; raises UserError if there is none."""
        with self._lock:
            task = self._tasks.find(number)
        if task is None:
            raise UserError(f"there is no task {number!r:.20}")
        return task

    def stop_all(self) -> None:
        """Stops what runs, and returns when it has ended.

        A program must not end before: compiled code that still runs then would crash it.
        """
        with self._lock:
            task, thread = self._running, self._thread
        if task and thread:
            task.stop()
            thread.join()
