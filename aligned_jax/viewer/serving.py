"""Serving a page: a socket of this machine, a token, a thread; and `aj.view` for notebooks."""

import html
import secrets
import socket
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING

from aligned_jax.errors import UserError
from aligned_jax.features.clip import load as load_clip
from aligned_jax.jobs.judges import load_picture_judge
from aligned_jax.loading import NetworkSource
from aligned_jax.semantics.statistics import COUNT
from aligned_jax.utils.paths import Name
from aligned_jax.utils.reporting import QUIET, Reporter
from aligned_jax.viewer.family import load_family
from aligned_jax.viewer.guard import Guard
from aligned_jax.viewer.session import ViewSession
from aligned_jax.viewer.shelf import EditShelf
from aligned_jax.viewer.tickets import Tickets
from aligned_jax.viewer.uploads import MOST_BYTES, Uploads

if TYPE_CHECKING:
    import uvicorn

ADDRESS = "127.0.0.1"
_EXTRA = "a page needs the extra view (pip install 'aligned_jax[view]')"
# Who may show the page in a frame: notebooks of this machine, and Colab's.
NOTEBOOKS = (
    "'self' http://localhost:* http://127.0.0.1:* vscode-webview: https://*.colab.dev "
    "https://*.googleusercontent.com https://colab.research.google.com"
)
_HEIGHT = 820  # pixels of a frame in a notebook
_PATIENCE = 10.0  # seconds until the server answers, and for answers when it ends


@dataclass(frozen=True)
class ViewOptions:
    """What a page may use besides its networks.

    Attributes:
      directions: files of directions; those of the zoo that fit are there anyway.
      readers: of attributes, whose scores are shown beside every picture.
      encoders: of the parent, for uploads.
      clip: for edits by words; None for none.
      samples: latents on which deviations of style channels are measured.
      most_bytes: of an upload.
    """

    directions: Sequence[str] = ()
    readers: Sequence[str] = ()
    encoders: Sequence[str] = ()
    clip: str | None = None
    samples: int = COUNT
    most_bytes: int = MOST_BYTES

    def __post_init__(self) -> None:
        for field in ("directions", "readers", "encoders"):
            if isinstance(getattr(self, field), Name):
                raise UserError(f"{field} are a list of names; give [{getattr(self, field)!r}]")


PLAIN = ViewOptions()


def open_session(
    networks: Sequence[NetworkSource],
    options: ViewOptions = PLAIN,
    names: Sequence[str] | None = None,
    network_key: str = "G_ema",
    report: Reporter = QUIET,
) -> ViewSession:
    """Loads all that a page shows.

    Args:
      networks: names, or loaded networks, the parent first.
      options: what else it may use.
      names: of the columns; by default the networks' own.
      network_key: "G_ema" or "G" of networks that are named.
      report: hears of networks and directions that are no relatives.

    Raises:
      UserError: if something cannot be loaded or does not fit.
    """
    from aligned_jax import loading

    family = load_family(networks, names, network_key, report)
    for encoder in options.encoders:
        loading.load_encoder(encoder, family.parent)
    readers = [load_picture_judge(reader) for reader in options.readers]
    shelf = EditShelf(
        family.parent, family.parent_name, options.directions, options.samples, report
    )
    uploads = Uploads(options.encoders, options.most_bytes)
    clip = None if options.clip is None else load_clip(options.clip)
    return ViewSession(family, shelf, readers, uploads, clip, options.samples)


def bound(host: str, port: int) -> socket.socket:
    """A socket that listens; raises UserError if the port or the address cannot be used."""
    kind = socket.AF_INET6 if ":" in host else socket.AF_INET
    opened = socket.socket(kind, socket.SOCK_STREAM)
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.bind((host, port))
        opened.listen(64)
    except (OSError, OverflowError) as error:
        opened.close()
        told = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise UserError(
            f"port {port} of {host} cannot be used ({told}); give another `port`, or none"
        ) from None
    return opened


def check_extra() -> None:
    """Raises UserError if the packages of the extra `view` are not there."""
    try:
        import starlette  # noqa: F401
        import uvicorn  # noqa: F401
    except ImportError:
        raise UserError(_EXTRA) from None


class ViewPage:
    """A page that is served, until it is closed.

    In a notebook it shows itself in a frame.

    Attributes:
      url: of the page, with its token.
      port: of this machine.
      session: that answers it.
    """

    def __init__(
        self,
        session: ViewSession,
        *,
        host: str = ADDRESS,
        port: int = 0,
        allowed: Sequence[str] = (),
        frames: str = "'none'",
    ) -> None:
        """Binds and serves in a thread of its own.

        Args:
          session: that answers.
          host: address to bind to.
          port: 0 for any that is free.
          allowed: names beside those of this machine by which it may be called.
          frames: who may show the page in a frame.

        Raises:
          UserError: if the port is taken, or the extra `view` is not installed.
        """
        check_extra()
        import uvicorn

        from aligned_jax.viewer.app import application

        self.session, self._token = session, secrets.token_urlsafe(24)
        self._tickets = Tickets()
        # A signal that interrupts `join` makes Python take the thread for ended; not so an event.
        self._ended = threading.Event()
        self._socket = bound(host, port)
        self.port = int(self._socket.getsockname()[1])
        wildcards = ("0.0.0.0", "::")
        shown = ADDRESS if host in wildcards else (f"[{host}]" if ":" in host else host)
        self._path = f"/{self._token}/"
        self.url = f"http://{shown}:{self.port}{self._path}"
        proxied = _colab_address(self.port)
        if proxied:
            self.url = proxied.rstrip("/") + self._path
            allowed = [*allowed, proxied.split("//")[-1].split("/")[0].split(":")[0]]
        hosts = [*allowed, *([] if host in wildcards else [host])]
        config = uvicorn.Config(
            Guard(application(session, self._tickets, frames), self._token, hosts),
            log_level="warning",
            access_log=False,
            lifespan="off",
            ws="none",
            http="h11",
            loop="asyncio",
            server_header=False,
            timeout_graceful_shutdown=int(_PATIENCE),
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        _wait_for(self._server, self._thread)

    def wait(self) -> None:
        """Returns when the page is closed; a KeyboardInterrupt closes it first."""
        try:
            while not self._ended.wait(0.2):
                pass
        finally:
            self.close()

    def close(self) -> None:
        """Stops serving, and all work that a page has asked for; may be called again."""
        self._server.should_exit = True
        self._tickets.close()
        self._ended.wait()
        self.session.board.stop_all()
        with self.session.engine.lock:  # a picture that is being drawn is finished first
            self._socket.close()

    def __enter__(self) -> "ViewPage":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        state = ", closed" if self._ended.is_set() else ""
        return f"<ViewPage {self.url}{state}>"

    def _repr_html_(self) -> str:
        """A frame for notebooks."""
        return (
            f'<iframe src="{html.escape(self.url)}" width="100%" height="{_HEIGHT}" '
            'style="border:0" title="aligned view"></iframe>'
        )

    def _serve(self) -> None:
        try:
            self._server.run(sockets=[self._socket])
        finally:
            self._ended.set()


def view(
    parent: NetworkSource,
    *children: NetworkSource,
    names: Sequence[str] | None = None,
    options: ViewOptions = PLAIN,
    port: int = 0,
    network_key: str = "G_ema",
    report: Reporter = QUIET,
) -> ViewPage:
    """Serves the live page of a family to this machine, in a thread (`aligned view`).

    In Jupyter and Colab the result shows the page; elsewhere open its `url`.

    Args:
      parent, children: names, or loaded networks of equal structure.
      names: of the columns; by default the networks' own.
      options: directions, readers, encoders and a CLIP that the page may use.
      port: of this machine, 0 for any that is free; through an SSH forward keep it the same.
      network_key: "G_ema" or "G" of networks that are named.
      report: hears of networks and directions that are no relatives.

    Returns:
      the page, served until `close()` or the end of the program.

    Raises:
      UserError: if something cannot be loaded or does not fit, the port is taken, or the extra
        `view` is not installed.
    """
    check_extra()
    session = open_session((parent, *children), options, names, network_key, report)
    return ViewPage(session, port=port, frames=NOTEBOOKS)


def _wait_for(server: "uvicorn.Server", thread: threading.Thread) -> None:
    end = time.monotonic() + _PATIENCE
    while not server.started and thread.is_alive() and time.monotonic() < end:
        time.sleep(0.01)
    if not server.started:
        raise RuntimeError("the server did not start")


def _colab_address(port: int) -> str:
    """Where Colab's proxy shows a port of its machine; empty anywhere else."""
    output = sys.modules.get("google.colab.output")
    if output is None:
        return ""
    return str(output.eval_js(f"google.colab.kernel.proxyPort({port})"))
