"""A page on this machine that asks about seeds: nobody else can read it or answer on it."""

import hmac
import json
import secrets
import sys
import threading
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import resources
from typing import Any
from urllib.parse import urlsplit

from aligned_jax.errors import UserError
from aligned_jax.jobs.seed_labels.session import LabelSession, shown_picture
from aligned_jax.viz import png_bytes

ADDRESS = "127.0.0.1"
_LONGEST = 1000  # bytes of an answer
_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
    "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)


class LabelServer(ThreadingHTTPServer):
    """Serves one session, under a path that nobody can guess.

    Attributes:
      session: that is asked about.
      url: of the page.
    """

    daemon_threads = True

    def __init__(self, session: LabelSession, port: int = 0) -> None:
        """Binds to a port of this machine, 0 for any that is free.

        Raises:
          UserError: if the port is taken.
        """
        self.session, self._token, self._lock = session, secrets.token_urlsafe(24), threading.Lock()
        try:
            super().__init__((ADDRESS, port), _Handler)
        except (OSError, OverflowError) as error:
            raise UserError(f"port {port} cannot be used ({error}); leave `port` out") from None
        self._hosts = {f"{name}:{self.server_port}" for name in (ADDRESS, "localhost")}
        self.url = f"http://{ADDRESS}:{self.server_port}/{self._token}/"

    def allows(self, host: str | None, token: str) -> bool:
        """Whether a request is from the page: other sites reach the port, but know no token."""
        known = hmac.compare_digest(token.encode(), self._token.encode())
        return host in self._hosts and known

    def told(self, what: str, given: dict[str, Any]) -> dict[str, Any] | None:
        """Does what the page asks for and returns the state; None if nothing is called `what`."""
        with self._lock:
            if what == "answer":
                self.session.answer(int(given["seed"]), str(given["kind"]))
            elif what == "undo":
                self.session.undo()
            elif what == "finish":
                threading.Thread(target=self.shutdown, daemon=True).start()
            elif what != "state":
                return None
            return self.session.status()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Says nothing of browsers that left before they had all; what else fails is shown."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)

    def picture(self, seed: int) -> bytes:
        """A PNG of a seed."""
        with self._lock:
            return png_bytes(shown_picture(self.session.pool, seed))


class _Handler(BaseHTTPRequestHandler):
    server: LabelServer
    timeout = 30

    def do_GET(self) -> None:
        """The page, or a picture."""
        place = self._place()
        if place == "":
            html = resources.files("aligned_jax.jobs.seed_labels").joinpath("page.html")
            self._send(html.read_bytes(), "text/html; charset=utf-8")
        elif place is not None and place.startswith("picture/"):
            self._tried(lambda: self._send(self.server.picture(int(place[8:])), "image/png"))
        elif place is not None:
            self.send_error(HTTPStatus.NOT_FOUND)

    def do_POST(self) -> None:
        """An answer, a step back, the end, or a question about the state."""
        place = self._place()
        if place is not None:
            self._tried(lambda: self._tell(place))

    def _tell(self, what: str) -> None:
        length = int(self.headers.get("Content-Length", 0))
        if not 0 <= length <= _LONGEST:
            raise ValueError("too long")
        given = json.loads(self.rfile.read(length) or b"{}")
        state = self.server.told(what, given)
        if state is None:
            self.send_error(HTTPStatus.NOT_FOUND)
        else:
            self._send(json.dumps(state).encode(), "application/json")

    def _tried(self, work: Callable[[], None]) -> None:
        try:
            work()
        except (ValueError, KeyError, TypeError, RecursionError) as error:  # UserError is one
            self.send_error(HTTPStatus.BAD_REQUEST, explain=str(error)[:200])

    def _place(self) -> str | None:
        """What is behind the token of the path; None, and a refusal, for strangers."""
        token, _, place = urlsplit(self.path).path.removeprefix("/").partition("/")
        if self.server.allows(self.headers.get("Host"), token):
            return place
        self.send_error(HTTPStatus.FORBIDDEN)
        return None

    def _send(self, content: bytes, kind: str) -> None:
        self.send_response(HTTPStatus.OK)
        headers = {
            "Content-Type": kind,
            "Content-Length": str(len(content)),
            "Content-Security-Policy": _POLICY,
            "Cache-Control": "no-store",
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
        }
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing: the console is for people."""


def serve(session: LabelSession, port: int, ready: Callable[[str], None]) -> None:
    """Serves the page until it is finished.

    Args:
      session: that is asked about.
      port: of this machine; 0 for any that is free.
      ready: hears the page's address.

    Raises:
      UserError: if the port is taken.
    """
    with LabelServer(session, port) as server:
        ready(server.url)
        server.serve_forever(poll_interval=0.1)
