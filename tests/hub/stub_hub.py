"""The Hugging Face Hub on this machine: as much of its protocol as reading and publishing need."""

import base64
import contextlib
import hashlib
import http.server
import json
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import unquote

WRITER, READER = "hf_writer", "hf_reader"


@dataclass
class Repository:
    """One repository: commits by hash, and which of them a name stands for."""

    commits: dict[str, dict[str, bytes]] = field(default_factory=dict)
    refs: dict[str, str] = field(default_factory=dict)
    private: bool = False
    gated: bool = False

    def commit(self, files: dict[str, bytes], *names: str) -> str:
        """A commit that holds these files and no others; "main" and `names` stand for it."""
        sha = hashlib.sha1(repr((len(self.commits), sorted(files))).encode()).hexdigest()
        self.commits[sha] = files
        self.refs |= dict.fromkeys(("main", *names), sha)
        return sha

    def find(self, revision: str) -> str | None:
        """The commit that a revision stands for."""
        return revision if revision in self.commits else self.refs.get(revision)


@dataclass
class StubHub:
    """The server's memory.

    Attributes:
      repositories: by name.
      cut: files are broken off after so many bytes.
      log: requests, "GET /path".
    """

    endpoint: str = ""
    repositories: dict[str, Repository] = field(default_factory=dict)
    cut: int | None = None
    log: list[str] = field(default_factory=list)

    def repository(self, name: str, **more: bool) -> Repository:
        """A new, empty one."""
        return self.repositories.setdefault(name, Repository(**more))


class _Handler(http.server.BaseHTTPRequestHandler):
    hub: StubHub
    protocol_version = "HTTP/1.1"

    def log_message(self, *words: object) -> None:
        pass

    def do_HEAD(self) -> None:
        self._answer(self._resolve)

    def do_GET(self) -> None:
        self._answer(self._info if self.path.startswith("/api/") else self._resolve)

    def do_POST(self) -> None:
        self._answer(self._post)

    def _answer(self, answer) -> None:
        self.hub.log.append(f"{self.command} {self.path}")
        size = int(self.headers.get("Content-Length") or 0)
        self.body = self.rfile.read(size)
        answer()

    def _token(self) -> str:
        return (self.headers.get("Authorization") or "").removeprefix("Bearer ")

    def _found(self, name: str, revision: str) -> tuple[Repository, str] | None:
        """A repository that this caller may see, and a commit; otherwise the refusal is sent."""
        repository = self.hub.repositories.get(name)
        if repository is None or (repository.private and not self._token()):
            self._send(401, {"error": "no"}, {"X-Error-Code": "RepoNotFound"})
            return None
        if repository.gated and self._token() != WRITER:
            self._send(403, {"error": "no"}, {"X-Error-Code": "GatedRepo"})
            return None
        sha = repository.find(revision)
        if sha is None and repository.commits:
            self._send(404, {"error": "no"}, {"X-Error-Code": "RevisionNotFound"})
            return None
        return repository, sha or ""

    def _info(self) -> None:
        asked = re.fullmatch(
            r"/api/models/([^/]+/[^/?]+)(?:/revision/([^?]+))?(?:\?.*)?", self.path
        )
        if asked is None:  # what the client wants to know besides
            self._send(404, {"error": "no"})
            return
        name, revision = asked.groups()
        if found := self._found(name, unquote(revision or "main")):
            repository, sha = found
            files = repository.commits.get(sha, {})
            document = {"id": name, "sha": sha or None, "private": repository.private}
            document["siblings"] = [{"rfilename": file} for file in files]
            self._send(200, document)

    def _resolve(self) -> None:
        name, revision, file = re.fullmatch(
            r"/([^/]+/[^/]+)/resolve/([^/]+)/([^?]+)(?:\?.*)?", self.path
        ).groups()
        found = self._found(name, unquote(revision))
        if not found:
            return
        repository, sha = found
        content = repository.commits[sha].get(unquote(file))
        if content is None:
            self._send(404, {}, {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": sha})
            return
        first = int((re.match(r"bytes=(\d+)-", self.headers.get("Range") or "") or [0, 0])[1])
        self.send_response(206 if first else 200)
        self.send_header("X-Repo-Commit", sha)
        self.send_header("ETag", f'"{hashlib.sha1(content).hexdigest()}"')
        self.send_header("Content-Length", str(len(content) - first))
        self.send_header("Accept-Ranges", "bytes")
        if first:
            self.send_header("Content-Range", f"bytes {first}-{len(content) - 1}/{len(content)}")
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content[first : self.hub.cut])
            if self.hub.cut is not None:
                self.close_connection = True

    def _post(self) -> None:
        if self.path == "/api/validate-yaml":
            self._send(200, {"errors": [], "warnings": []})
            return
        if self._token() != WRITER:
            self._send(403 if self._token() else 401, {"error": "you may not"})
            return
        if self.path == "/api/repos/create":
            asked = json.loads(self.body)
            name = f"{asked['organization']}/{asked['name']}"
            private = bool(asked.get("private") or asked.get("visibility") == "private")
            self.hub.repository(name, private=private)
            self._send(200, {"url": f"{self.hub.endpoint}/{name}", "id": name, "name": name})
            return
        name, what = re.fullmatch(r"/api/models/([^/]+/[^/]+)/(\w+)/main.*", self.path).groups()
        if what == "preupload":
            files = [file["path"] for file in json.loads(self.body)["files"]]
            modes = [{"path": f, "uploadMode": "regular", "shouldIgnore": False} for f in files]
            self._send(200, {"files": modes})
            return
        header, *lines = map(json.loads, self.body.splitlines())
        repository = self.hub.repositories[name]
        latest = repository.refs.get("main")
        if header["value"].get("parentCommit") not in (None, latest):
            self._send(412, {"error": "somebody was faster"})
            return
        files = {
            line["value"]["path"]: base64.b64decode(line["value"]["content"]) for line in lines
        }
        sha = repository.commit({**repository.commits.get(latest, {}), **files})
        url = f"{self.hub.endpoint}/{name}/commit/{sha}"
        self._send(200, {"commitUrl": url, "commitOid": sha, "pullRequestUrl": None})

    def _send(self, status: int, document: object, headers: dict[str, str] | None = None) -> None:
        content = json.dumps(document).encode()
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)


@contextlib.contextmanager
def serving() -> Iterator[StubHub]:
    """A server on a free port of this machine, for the time of the block."""
    hub = StubHub()
    handler = type("Handler", (_Handler,), {"hub": hub})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    hub.endpoint = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
