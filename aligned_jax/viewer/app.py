"""The HTTP calls of a page. Nothing in a request is ever taken for a file."""

import base64
import json
import logging
from collections.abc import Awaitable, Callable, Iterator
from importlib import resources
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from aligned_jax.errors import UserError
from aligned_jax.utils.text import one_line
from aligned_jax.viewer.engine import Cell
from aligned_jax.viewer.session import ViewSession
from aligned_jax.viewer.state import read_state
from aligned_jax.viewer.tickets import Tickets

_LONGEST = 1 << 18  # bytes of a question
_KINDS = {"html": "text/html", "js": "text/javascript", "css": "text/css", "svg": "image/svg+xml"}
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors {}"
)
_FILES = {
    "png": "image/png",
    "json": "application/json",
    "zip": "application/zip",
    "webp": "image/webp",
}


class _TooLong(UserError):
    """More bytes than a request may have."""


def application(session: ViewSession, tickets: Tickets, frames: str = "'none'") -> Starlette:
    """The application of a session.

    Args:
      session: that answers.
      tickets: that tell which request of a page is the last.
      frames: origins of pages that may show this one in a frame, as of `frame-ancestors`.
    """
    static = _static()
    headers = {
        "Content-Security-Policy": _POLICY.format(frames),
        "Cache-Control": "no-store",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }
    calls = _Calls(session, tickets)

    def page(request: Request) -> Response:
        name = request.path_params.get("name", "index.html")
        if name not in static:
            return JSONResponse({"error": "there is no such file"}, 404, headers)
        kind = _KINDS[name.rpartition(".")[2]]
        return Response(static[name], 200, headers, f"{kind}; charset=utf-8")

    def told(work: Callable[[Request], Awaitable[Response]]) -> Callable[..., Any]:
        async def answer(request: Request) -> Response:
            try:
                response = await work(request)
            except _TooLong as error:
                response = JSONResponse({"error": str(error)}, 413)
            except UserError as error:
                response = JSONResponse({"error": one_line(str(error))[:2000]}, 400)
            except Exception:  # the page must hear of it, and the terminal must show where
                logging.getLogger(__name__).exception("a bug")
                response = JSONResponse({"error": "this failed, which is a bug"}, 500)
            response.headers.update(headers)
            return response

        return answer

    routes = [Route("/", page), Route("/static/{name}", page)]
    routes += [Route(path, told(work), methods=[method]) for method, path, work in calls.all()]
    return Starlette(routes=routes)


class _Calls:
    """What a page can ask for."""

    def __init__(self, session: ViewSession, tickets: Tickets) -> None:
        self._session, self._tickets = session, tickets

    def all(self) -> list[tuple[str, str, Callable[[Request], Awaitable[Response]]]]:
        """Method, path and function of each."""
        session = self._session
        asked: dict[str, Callable[[dict[str, Any]], Any]] = {
            "explain": session.explain,
            "region": session.region,
            "features": session.features,
            "words": session.words,
            "film": session.begin_film,
            "slide": session.begin_slide,
            "moves": session.begin_moves,
        }
        saved = {
            "save": session.save,
            "film/done": session.film,
            "photograph": session.photograph,
        }
        return [
            ("GET", "/info", self._info),
            ("GET", "/mean", self._mean),
            ("GET", "/edits", self._edits),
            ("POST", "/draw", self._draw),
            ("POST", "/upload", self._upload),
            ("GET", "/task/{number}", self._task),
            ("POST", "/task/{number}/stop", self._stop),
            *(("POST", f"/{name}", _answering(work)) for name, work in asked.items()),
            *(("POST", f"/{name}", _saving(work)) for name, work in saved.items()),
        ]

    async def _info(self, request: Request) -> Response:
        return JSONResponse(await run_in_threadpool(self._session.info))

    async def _mean(self, request: Request) -> Response:
        content = await run_in_threadpool(self._session.mean)
        return Response(content, media_type=_FILES["png"])

    async def _edits(self, request: Request) -> Response:
        text = request.query_params.get("q", "")[:100]
        shelf = self._session.engine.shelf
        return JSONResponse({"names": shelf.search(text), "exact": shelf.exact(text)})

    async def _draw(self, request: Request) -> Response:
        given = await _json(request)
        page, number = given.get("page"), given.get("number")
        if not isinstance(page, str) or len(page) > 100 or type(number) is not int:
            raise UserError("draw takes a page (a word) and a number that grows")
        self._tickets.take(page, number)
        have = given.get("have") or []
        if not isinstance(have, list) or len(have) > 1000:
            raise UserError("have is a list of keys of pictures")
        state = read_state(given.get("state"))
        scene = await run_in_threadpool(self._session.engine.scene, state)
        known = {key for key in have if isinstance(key, str)}

        def lines() -> Iterator[bytes]:
            names = [group.latents.names[place] for group, place in scene.rows]
            groups = [group.name for group, _ in scene.rows]
            yield _line({"columns": scene.columns, "rows": names, "groups": groups})
            wanted = self._tickets.is_last
            for cell in self._session.engine.cells(scene, lambda: wanted(page, number)):
                yield _line(_told(cell, known))
            yield _line({"done": wanted(page, number)})

        return StreamingResponse(lines(), media_type="application/x-ndjson")

    async def _upload(self, request: Request) -> Response:
        content = await _body(request, self._session.uploads.most_bytes)
        query = dict(request.query_params)
        task = await run_in_threadpool(self._session.upload, content, query)
        return JSONResponse(task.status())

    async def _task(self, request: Request) -> Response:
        return JSONResponse(self._session.board.get(request.path_params["number"]).status())

    async def _stop(self, request: Request) -> Response:
        task = self._session.board.get(request.path_params["number"])
        task.stop()
        return JSONResponse(task.status())


def _answering(work: Callable[[dict[str, Any]], Any]) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        return JSONResponse(await run_in_threadpool(work, await _json(request)))

    return answer


def _saving(
    work: Callable[[dict[str, Any]], tuple[str, bytes]],
) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        name, content = await run_in_threadpool(work, await _json(request))
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return Response(content, 200, headers, _FILES[name.rpartition(".")[2]])

    return answer


def _told(cell: Cell, known: set[str]) -> dict[str, Any]:
    place = {"column": cell.column, "row": cell.row, "key": cell.key}
    if cell.error:
        return {**place, "error": cell.error}
    picture = {} if cell.key in known else {"png": base64.b64encode(cell.png).decode()}
    return {**place, **picture, "scores": cell.scores}


def _line(document: dict[str, Any]) -> bytes:
    return json.dumps(document).encode() + b"\n"


async def _body(request: Request, most: int) -> bytes:
    """The body of a request, of which no more than `most` bytes are read."""
    said = request.headers.get("content-length", "0")
    too_long = _TooLong(f"more than {most:,} bytes were sent, which is the most here")
    if not said.isdecimal() or int(said[:20]) > most:
        raise too_long
    content = bytearray()
    async for part in request.stream():
        content += part
        if len(content) > most:
            raise too_long
    return bytes(content)


async def _json(request: Request) -> dict[str, Any]:
    try:
        given = json.loads(await _body(request, _LONGEST))
    except (ValueError, RecursionError) as error:
        if isinstance(error, UserError):
            raise
        raise UserError("the request is no JSON") from None
    if not isinstance(given, dict):
        raise UserError("the request is no JSON object")
    return given


def _static() -> dict[str, bytes]:
    """The files of the page, by name."""
    folder = resources.files("aligned_jax.viewer") / "static"
    return {file.name: file.read_bytes() for file in folder.iterdir() if file.name[0] != "."}
