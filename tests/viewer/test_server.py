"""The server of a page: whom it answers, what it refuses, and that the latest request wins."""

import base64
import io
import json
import socket
import threading

import numpy as np
import pytest
from PIL import Image

from aligned_jax.errors import UserError
from aligned_jax.viewer.serving import bound

PLAIN = {"seeds": [0, 1]}


def test_the_page_and_its_files(client):
    status, headers, content = client.request("GET", "")
    assert status == 200 and b"aligned view" in content
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    for name, kind in (("main.js", "text/javascript"), ("view.css", "text/css")):
        status, headers, _ = client.request("GET", f"static/{name}")
        assert status == 200 and headers["content-type"].startswith(kind)


@pytest.mark.parametrize(
    "name", ["../state.py", "..%2fstate.py", "%2e%2e/state.py", "/etc/passwd", "none.js", ""]
)
def test_no_other_file_is_served(client, name):
    status, _, content = client.request("GET", f"static/{name}")
    assert status in (404, 307, 200) and b"dataclass" not in content and b"root:" not in content
    assert status == 404 or name == ""


def test_the_token_is_needed(client):
    for path in ("/", "/info", "/wrong/", "/wrong/info", client.path[:-2] + "/", "//info"):
        status, _, content = client.request("GET", path, absolute=True)
        assert status == 403 and b"token" in content, path


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", ""])
def test_other_hosts_are_refused(client, host):
    status, _, content = client.request("GET", "info", headers={"Host": host})
    assert status == 403 and b"Host" in content


@pytest.mark.parametrize("host", ["localhost:9000", "127.0.0.1:1", "LOCALHOST"])
def test_a_forwarded_port_is_let_through(client, host):
    assert client.request("GET", "info", headers={"Host": host})[0] == 200


def test_other_origins_are_refused(client):
    for origin in ("http://evil.example", "null", "http://localhost:1"):
        headers = {"Origin": origin}
        status, _, content = client.request("POST", "explain", b"{}", headers)
        assert status == 403 and b"Origin" in content
    own = {"Origin": f"http://127.0.0.1:{client.port}"}
    assert client.request("POST", "explain", json.dumps({"state": PLAIN}), own)[0] == 200


def test_states_that_cannot_be_are_refused(client):
    said = client.refused("explain", {"state": {"sedes": [1], "psi": "x", "pad": {"z": 1}}})
    assert "the state has no field sedes; it has seeds" in said
    assert "psi is 'x'; it is a number" in said and "pad has no field z" in said
    wrong = {
        "seeds": [-1],
        "noise": "loud",
        "label": 1.5,
        "noise_seed": 2**32,
        "edits": [{"name": "2_2", "by": 1e9, "on": 1, "layers": ["x"]}],
        "blend": {"child": 1, "reset": ["hair"], "coarse": "both", "t2": None},
    }
    said = client.refused("draw", {"state": wrong, "page": "a", "number": 1})
    names = ["seeds[0]", "noise is", "label", "noise_seed", "edits[0].on", "edits[0].by"]
    names += ["blend.reset names hair", "blend.coarse", "blend.t2"]
    assert [name for name in names if name not in said] == []
    for state, sentence in (
        ({"seeds": []}, "seeds are empty"),
        ({"seeds": list(range(10))}, "at most 9"),
        ({"seeds": [0], "label": 1}, "label"),
        ({"edits": [{"name": "2_99", "by": 1}]}, "no channel 99"),
        ({"edits": [{"name": "/etc/passwd", "by": 1}]}, "there is no edit '/etc/passwd'"),
        ({"pictures": ["7"]}, "picture 7 is not here any more"),
        ({"blend": {"child": 2}}, "blend.child is 2; 1 is child"),
        ({"pad": {"seeds": [1], "x": 2}}, "pad.x is 2; it is a number from 0 to 1"),
    ):
        assert sentence in client.refused("explain", {"state": state})
    assert "no JSON" in client.refused("explain", b"{")
    assert "no JSON object" in client.refused("explain", b"[1]")
    assert "number that grows" in client.refused("draw", {"state": PLAIN})
    assert "this call has no file" in client.refused("save", {"state": PLAIN, "file": "x"})
    assert "cannot be saved" in client.refused("save", {"state": PLAIN, "what": "exe"})
    assert "no edit is on" in client.refused("save", {"state": PLAIN, "what": "recipe"})


def test_a_file_that_is_called_like_a_channel_is_not_opened(client, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "2_2").write_text("not a direction")
    state = {**PLAIN, "edits": [{"name": "2_2", "by": 1.0}]}
    assert len(client.pictures(state)) == 4


def test_too_much_is_refused(client, session):
    most = session.uploads.most_bytes
    said = client.refused("upload?way=optimise", bytes(most + 1), 413)
    assert "100,000 bytes" in said
    assert client.request("POST", "explain", bytes(1 << 19))[0] == 413
    # A body of unknown length is counted as it comes.
    parts = iter([b"x" * 60_000] * 3)
    assert client.request("POST", "upload", parts)[0] == 413
    assert "no picture" in client.refused("upload?way=optimise", b"GIF89a nothing")
    file = io.BytesIO()
    Image.new("1", (8000, 8000)).save(file, "PNG")
    assert "8000x8000 pixels" in client.refused("upload?way=optimise", file.getvalue())
    assert "there is no encoder 0" in client.refused("upload?way=encoder", b"x")
    said = client.refused("upload?path=/etc/passwd&face=7&way=x", b"x")
    assert "path is unknown" in said and "face is '7'" in said and "way is 'x'" in said


def test_pictures_that_the_page_has_are_not_sent_again(client):
    lines = client.draw(PLAIN)
    assert lines[0]["rows"] == ["seed 0", "seed 1"] and len(lines[0]["columns"]) == 2
    again = client.draw(PLAIN, have=[lines[1]["key"]])
    assert "png" not in again[1] and "png" in again[2]
    with Image.open(io.BytesIO(base64.b64decode(lines[1]["png"]))) as image:
        assert image.size == (8, 8) and np.asarray(image).std() > 0


def test_the_latest_request_wins(client, session):
    """While one picture is drawn, newer requests void the older ones."""
    answers = {}

    def ask(number):
        given = {"state": {"seeds": [100 + number]}, "page": "slider", "number": number}
        content = client.request("POST", "draw", json.dumps(given))[2]
        answers[number] = [json.loads(line) for line in content.splitlines()]

    threads = []
    with session.engine.lock:
        for number in (1, 2, 3):
            threads.append(threading.Thread(target=ask, args=(number,)))
            threads[-1].start()
            threading.Event().wait(0.3)
    for thread in threads:
        thread.join()
    assert answers[3][-1] == {"done": True} and len(answers[3]) == 4
    for number in (1, 2):
        assert answers[number][-1] == {"done": False}
        assert not [line for line in answers[number] if "png" in line]


def test_a_port_in_use_is_named():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(UserError, match=f"port {port} of 127.0.0.1 cannot be used"):
            bound("127.0.0.1", port)
