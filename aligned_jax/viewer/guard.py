"""Who may ask: requests that know the token, name this server, and come from its own page."""

import hmac
from collections.abc import Awaitable, Callable, Collection, MutableMapping
from typing import Any
from urllib.parse import urlsplit

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class Guard:
    """Lets requests through to an application, which sees paths without the token.

    Another site can make a browser send requests here, by address or by a name that it lets lead
    here; it knows no token, and its Host and Origin are its own.
    """

    def __init__(self, application: Application, token: str, hosts: Collection[str] = ()) -> None:
        """
        Args:
          application: what is guarded.
          token: the first part of every path.
          hosts: names beside those of this machine by which the server may be called.
        """
        self._application, self._token = application, token
        self._hosts = LOOPBACK | {host.lower() for host in hosts}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            return
        headers = {
            name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]
        }
        refusal = self._refusal(scope["path"], headers)
        if refusal:
            await _refuse(send, refusal)
            return
        _, _, rest = scope["path"].removeprefix("/").partition("/")
        await self._application({**scope, "path": f"/{rest}", "raw_path": None}, receive, send)

    def _refusal(self, path: str, headers: dict[str, str]) -> str:
        """Why a request is refused; empty if it is not."""
        host = headers.get("host", "")
        if _name_of(f"//{host}") not in self._hosts:
            return "this page is not served under that name (Host); --allow-host NAME allows one"
        token, slash, _ = path.removeprefix("/").partition("/")
        if not slash or not hmac.compare_digest(token.encode(), self._token.encode()):
            return "the address lacks the right token; open the one that the program printed"
        origin = headers.get("origin")
        if origin is not None and origin not in (f"http://{host}", f"https://{host}"):
            return "the request comes from another site (Origin)"
        return ""


def _name_of(address: str) -> str:
    """The name of a host in small letters, without its port; empty if there is none."""
    try:
        return (urlsplit(address).hostname or "").lower()
    except ValueError:
        return ""


async def _refuse(send: Send, sentence: str) -> None:
    body = sentence.encode()
    headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", b"%d" % len(body)),
    ]
    await send({"type": "http.response.start", "status": 403, "headers": headers})
    await send({"type": "http.response.body", "body": body})
