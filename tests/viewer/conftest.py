"""A page of two small networks, and a client for it."""

import http.client
import json
from urllib.parse import urlsplit

import numpy as np
import pytest

from aligned_jax import jobs, loading
from aligned_jax.networks import fingerprint
from aligned_jax.semantics.direction import Direction
from aligned_jax.viewer.serving import ViewOptions, ViewPage, open_session
from tests.jobs.small_inputs import PARENT, save_child

SAMPLES = 300


@pytest.fixture(scope="module")
def child(tmp_path_factory):
    return save_child(tmp_path_factory.mktemp("networks") / "child")


@pytest.fixture(scope="module")
def direction(tmp_path_factory):
    """A file of a direction in w, "tilt", of the parent."""
    network = loading.load(PARENT)
    vector = np.random.RandomState(0).randn(network.config.w_dim).astype(np.float32)
    found = Direction("w", {"w": vector}, 0.5, fingerprint(network.variables), intercept=0.1)
    path = tmp_path_factory.mktemp("directions") / "tilt.npz"
    jobs.write_direction(path, found)
    return path


@pytest.fixture(scope="module")
def session(child, direction):
    """Of an 8 px parent and a child."""
    options = ViewOptions(directions=[str(direction)], samples=SAMPLES, most_bytes=100_000)
    return open_session([str(PARENT), str(child)], options)


@pytest.fixture(scope="module")
def page(session):
    with ViewPage(session) as page:
        yield page


@pytest.fixture(scope="module")
def client(page):
    return Client(page)


class Client:
    """Asks a page as a browser would."""

    def __init__(self, page):
        parts = urlsplit(page.url)
        self.port, self.path, self.number = parts.port, parts.path, 0

    def request(self, method, path, body=None, headers=(), absolute=False):
        """Status, headers and content of an answer."""
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            target = path if absolute else self.path + path
            line.request(method, target, body, dict(headers))
            reply = line.getresponse()
            return reply.status, dict(reply.getheaders()), reply.read()
        finally:
            line.close()

    def ask(self, path, given):
        """JSON of an answer that must be one."""
        status, _, content = self.request("POST", path, json.dumps(given))
        assert status == 200, content
        return json.loads(content)

    def refused(self, path, given, status=400):
        """The sentence of a refusal."""
        body = given if isinstance(given, bytes) else json.dumps(given)
        found, _, content = self.request("POST", path, body)
        assert found == status, content
        return json.loads(content)["error"]

    def draw(self, state, **more):
        """The lines of a drawing."""
        self.number += 1
        given = {"state": state, "page": "test", "number": self.number, **more}
        status, _, content = self.request("POST", "draw", json.dumps(given))
        assert status == 200, content
        return [json.loads(line) for line in content.splitlines()]

    def pictures(self, state):
        """The PNGs of a state, by row and column."""
        lines = self.draw(state)
        assert lines[-1] == {"done": True}
        return {(one["row"], one["column"]): one["png"] for one in lines[1:-1]}
