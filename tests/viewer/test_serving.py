"""`aj.view` and `aligned view`: threads, frames, ports, and what is named at once."""

import builtins
import contextlib
import dataclasses
import http.client
import io
import json
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import types
from pathlib import Path
from urllib.parse import urlsplit

import jax
import pytest
from PIL import Image

import aligned_jax as aj
from aligned_jax import loading
from aligned_jax.errors import UserError
from aligned_jax.tools.main import main
from aligned_jax.viewer import serving
from tests.helpers import DATA
from tests.jobs.small_inputs import PARENT, moved
from tests.viewer.conftest import Client

ROOT = Path(__file__).parents[2]


def answers(url, host=None):
    parts = urlsplit(url)
    line = http.client.HTTPConnection(parts.hostname, parts.port, timeout=30)
    try:
        line.request("GET", parts.path, headers={} if host is None else {"Host": host})
        return line.getresponse()
    finally:
        line.close()


@pytest.fixture(scope="module")
def networks():
    parent = loading.load(PARENT)
    return parent, moved(parent, 0.1)


def test_a_notebook_shows_the_page_until_it_is_closed(networks):
    page = aj.view(*networks, options=aj.ViewOptions(samples=300))
    try:
        assert page.url.startswith(f"http://127.0.0.1:{page.port}/")
        assert f'<iframe src="{page.url}"' in page._repr_html_()
        reply = answers(page.url)
        assert reply.status == 200
        assert "http://localhost:*" in reply.getheader("content-security-policy")
        assert repr(page) == f"<ViewPage {page.url}>"
        assert page.session.info()["columns"] == ["parent", "child"]
        other = aj.view(*networks, options=aj.ViewOptions(samples=300))
        assert other.url.split("/")[3] != page.url.split("/")[3] and len(page.url) > 50
        other.close()
    finally:
        page.close()
    page.close()
    assert "closed" in repr(page)
    with pytest.raises(OSError):
        answers(page.url)
    again = aj.view(*networks, port=page.port, options=aj.ViewOptions(samples=300))
    assert again.port == page.port
    again.close()


def test_colab_shows_it_through_its_proxy(networks, monkeypatch):
    asked = []

    def eval_js(line):
        asked.append(line)
        return "https://8890-abc.prod.colab.dev/"

    output = types.SimpleNamespace(eval_js=eval_js)
    monkeypatch.setitem(sys.modules, "google.colab.output", output)
    with aj.view(*networks, options=aj.ViewOptions(samples=300)) as page:
        assert asked == [f"google.colab.kernel.proxyPort({page.port})"]
        assert page.url.startswith("https://8890-abc.prod.colab.dev/")
        local = f"http://127.0.0.1:{page.port}/{page.url.split('/')[3]}/"
        assert answers(local, "8890-abc.prod.colab.dev").status == 200
        assert answers(local, "evil.colab.dev").status == 403


def test_names_allowed_by_the_user(networks, page):
    with serving.ViewPage(page.session, allowed=["box.example"]) as other:
        assert answers(other.url, "box.example:443").status == 200
        assert answers(other.url, "evil.example").status == 403
        assert "'none'" in answers(other.url).getheader("content-security-policy")


def test_networks_that_do_not_fit_are_named(networks, capsys):
    other = DATA / "avatars_parent.pkl"
    assert main(["view", str(PARENT), str(other)]) == 2
    said = capsys.readouterr().err
    assert said.startswith("aligned view: ") and said.count("\n") == 1
    assert "avatars_parent has z_dim 64" in said
    parent = networks[0]
    mapping = dataclasses.replace(parent.config.mapping, num_layers=2)
    config = dataclasses.replace(parent.config, mapping=mapping)
    tree = parent.variables["params"]
    more = {**tree["mapping"], "fc1": tree["mapping"]["fc0"]}
    params = {**tree, "mapping": more}
    deeper = loading.Network(config, {**parent.variables, "params": params})
    with pytest.raises(UserError, match=r"child cannot be viewed beside parent: .*num_layers"):
        aj.view(parent, deeper)
    with pytest.raises(UserError, match=r"give \['a.npz'\]"):
        aj.ViewOptions(directions="a.npz")
    with pytest.raises(UserError, match="called blend"):
        aj.view(parent, networks[1], names=["a", "blend"])


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["none.pkl"], "none.pkl"),
        ([str(PARENT), "--direction", "none.npz"], "none.npz: no such file"),
        ([str(PARENT), "--reader", "none.safetensors"], "none.safetensors"),
        ([str(PARENT), "--clip", "none.pt"], "none.pt"),
        ([str(PARENT), "--encoder", "zoo:personas64-e4e"], "the encoder belongs to zoo:personas64"),
        ([str(PARENT), "--port", "99999"], "99999"),
        ([str(PARENT), "--names", "a,b"], "--names has 2 names for 1 networks"),
        ([str(PARENT), "--host", "203.0.113.7"], "203.0.113.7 cannot be used"),
    ],
)
def test_bad_input_is_one_sentence(capsys, argv, said):
    assert main(["view", *argv]) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.startswith("aligned view: ") and err.count("\n") == 1
    assert said in err


def test_a_port_in_use_is_said_before_anything_is_loaded(capsys, monkeypatch):
    monkeypatch.setattr(serving, "open_session", lambda *given: pytest.fail("it loads"))
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert main(["view", str(PARENT), "--port", str(port)]) == 2
    assert f"port {port} of 127.0.0.1 cannot be used" in capsys.readouterr().err


@pytest.mark.parametrize("missing", ["starlette", "uvicorn"])
def test_a_missing_extra_is_named(capsys, monkeypatch, missing):
    plainly = builtins.__import__

    def without(name, *given, **more):
        if name.split(".")[0] == missing:
            raise ImportError(name)
        return plainly(name, *given, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    assert main(["view", str(PARENT)]) == 2
    assert "aligned_jax[view]" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_verb_serves_until_it_is_interrupted(number):
    # A shell's background jobs ignore interruptions, and so would their children.
    heard = "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); "
    verb = "from aligned_jax.tools.main import main; sys.exit(main())"
    command = [sys.executable, "-c", heard + verb, "view", str(PARENT), "--statistics", "300"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, cwd=ROOT, **pipes) as process:
        try:
            line = process.stdout.readline()
            url = re.search(r"http://\S+", line)[0]
            assert answers(url).status == 200
            process.send_signal(number)
            said = process.communicate(timeout=60)[1]
            assert process.returncode == 128 + number, said
            assert "Traceback" not in said and len(said.splitlines()) <= 1, said
        finally:
            process.kill()


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_calmly_while_it_works(number):
    """While a picture is inverted and others are drawn."""
    heard = "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); "
    verb = "from aligned_jax.tools.main import main; sys.exit(main())"
    command = [sys.executable, "-c", heard + verb, "view", "zoo:personas64", "zoo:critters64"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, cwd=ROOT, **pipes) as process:
        try:
            client = Client(
                types.SimpleNamespace(url=re.search(r"http://\S+", process.stdout.readline())[0])
            )
            content = io.BytesIO()
            Image.new("RGB", (64, 64), "red").save(content, "png")
            words = "upload?way=optimise&steps=5000&compare=pixels"
            task = json.loads(client.request("POST", words, content.getvalue())[2])["task"]
            while not (status := json.loads(client.request("GET", f"task/{task}")[2]))["done"]:
                assert status["state"] == "running", status
                time.sleep(0.2)
            drawn = threading.Thread(target=drawing, args=(client,), daemon=True)
            drawn.start()
            time.sleep(1)
            process.send_signal(number)
            said = process.communicate(timeout=60)[1]
            assert process.returncode == 128 + number, said
            assert "Traceback" not in said and len(said.splitlines()) <= 1, said
        finally:
            process.kill()


def drawing(client):
    """Asks for pictures until nobody answers."""
    with contextlib.suppress(OSError, http.client.HTTPException):
        for seed in range(1000):
            client.draw({"seeds": [*range(seed, seed + 9)]})


def test_networks_share_one_program_for_all_blends(page):
    """Weights are arguments: another share or width compiles nothing."""
    from aligned_jax.viewer import blends
    from aligned_jax.viewer.state import Blend

    family = page.session.engine.family

    def make(share, width):
        jax.block_until_ready(
            blends.blended(family, Blend(1, swap=4, smooth=width, t2=share)).variables
        )

    make(0.5, 1.0)
    before = blends._interpolated._cache_size(), blends._swapped._cache_size()
    for share, width in ((0.1, 0.3), (0.9, 2.0)):
        make(share, width)
    assert (blends._interpolated._cache_size(), blends._swapped._cache_size()) == before
