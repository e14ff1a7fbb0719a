"""Every page that verbs write, opened in a real browser: wide and narrow, light and dark."""

import re
import threading

import numpy as np
import pytest

from aligned_jax import jobs, loading
from aligned_jax.jobs.demo.steps import DemoFamily, DemoPlan, Member
from aligned_jax.jobs.figures.plan import FigurePlan
from aligned_jax.jobs.seed_labels import pool as pools
from aligned_jax.jobs.seed_labels.page import LabelServer
from aligned_jax.jobs.seed_labels.session import LabelSession
from aligned_jax.tools.main import ALIGNED
from aligned_jax.viz import report
from tests import browsing
from tests.jobs.small_inputs import JUDGE, noise_images, save_images

pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(browsing.BROWSER is None, reason=browsing.WHY_NOT),
]
SMALL = "--statistics 100 --seeds 0-2 --names old,new"
# Verbs as they are typed; P and C stand for networks, A for pictures, J for a judge.
FILES = {
    "generate": "generate P --seeds 0-11",
    "generate, 64 px": "generate zoo:personas64 --seeds 0-7",
    "translate": "translate P C --seeds 0-3 --space z,w,s",
    "edit": "edit P C --channel 2_1 --seeds 0-3",
    "family": "family P C --names old,new",
    "interpolate": "interpolate P C --strip 0,0.25,0.5,1",
    "swap": "swap P C --strip 4",
    "mix": "mix P --rows 0-3 --columns 4-8",
    "morph": "morph P C 1 2 --grid 3x4",
    "classify": "zero-shot classify P C A --samples 60 --child-samples 40 --judge J "
    "--way latent,translate,paired --attributes bright",
    "regress": "zero-shot regress P C A --samples 60 --child-samples 40 --judge J",
    "zoo": "zoo",
}
FOLDERS = {
    "compare": "compare P C --seeds 0-3",
    "channels": f"channels P C {SMALL} --top 4",
    "alignment": f"alignment P C {SMALL} --resamples 3",
    "invert": "invert P A --steps 2 --perceptual none --pixels 1",
}


@pytest.fixture(scope="module")
def running():
    with browsing.browser() as browser:
        yield browser


@pytest.fixture(scope="module")
def words(parent, child, tmp_path_factory):
    """What the letters stand for."""
    folder = tmp_path_factory.mktemp("given")
    (folder / "own.py").write_text(JUDGE)
    pictures = save_images(folder / "pictures", noise_images(5))
    return {"P": parent, "C": child, "A": pictures, "J": f"{folder / 'own.py'}:judge"}


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "cache"))


@pytest.mark.parametrize("line", FILES.values(), ids=FILES)
def test_a_page_in_one_file(running, ok, words, tmp_path, line):
    out = tmp_path / "page.html"
    ok(*(words.get(word, word) for word in line.split()), "--out", out)
    assert browsing.faults_of(running, out.as_uri()) == []


@pytest.mark.parametrize("line", FOLDERS.values(), ids=FOLDERS)
def test_a_page_in_a_folder(running, aligned, words, tmp_path, line):
    result = aligned(*(words.get(word, word) for word in line.split()), "--out", tmp_path / "x")
    assert result.code == 0, result.err
    assert browsing.faults_of(running, (tmp_path / "x" / "index.html").as_uri()) == []


def test_the_page_of_the_demo(running, parent, child, tmp_path):
    near, far = Member("near", str(child)), Member("far", str(child))
    again, control = Member("again", str(parent)), Member("control", f"{child}/")
    family = DemoFamily(Member("old", str(parent)), (near, far), again, control)
    code = jobs.make_demo(DemoPlan(str(tmp_path / "demo"), 1, 0, family, faces=40),
                          ALIGNED.carry_out)  # fmt: skip
    assert code == 0
    for page in ("index.html", "compare/index.html"):
        assert browsing.faults_of(running, (tmp_path / "demo" / page).as_uri()) == []


def test_the_page_of_figures(running, parent, child, tmp_path):
    plan = FigurePlan(str(tmp_path / "x"), str(parent), (str(child),), channels=("0_1", "2_1"))
    jobs.make_figures(plan, [1, 2, 8, 28, 31, 32], ALIGNED.carry_out)
    assert browsing.faults_of(running, (tmp_path / "x" / "index.html").as_uri()) == []


def test_the_page_that_asks(running, parent):
    network = loading.load(parent)
    facts = {"name": "bright", "network": "n", "fingerprint": "f", "psi": 1.0, "label": None,
             "space": "w"}  # fmt: skip
    pool = pools.draw_pool(network, "0-39", (), "w", batch=40)
    session = LabelSession("bright", pool, jobs.SeedAnswers(), facts, 0, lambda answers: None)
    with LabelServer(session) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        assert browsing.faults_of(running, server.url) == []
        server.shutdown()
        thread.join()


def spoilt(running, tmp_path, body, style=""):
    path = tmp_path / "page.html"
    path.write_text(report.page("A page", [f"<style>{style}</style>", body]), encoding="utf-8")
    return " ".join(browsing.faults_of(running, path.as_uri()))


def test_a_bad_page_is_noticed(running, tmp_path):
    image = report.gallery([("seed 0", np.zeros((64, 64, 3), np.uint8))])
    assert spoilt(running, tmp_path, image) == ""
    narrow = spoilt(running, tmp_path, image, ".gallery figure { width: 5px !important }")
    assert re.search(r"\d lines: <figcaption>", narrow)
    assert "a picture of" in spoilt(running, tmp_path, image, "img { width: 9px !important }")
    assert "wide in a window of 400" in spoilt(running, tmp_path, "<pre style='width:60em'>a</pre>")
    assert "contrast" in spoilt(running, tmp_path, "<p>faint</p>", "p { color: #888 !important }")
    assert "without words" in spoilt(running, tmp_path, image.replace('alt="seed 0"', ""))
    assert "asks outside" in spoilt(running, tmp_path, '<img alt="x" src="http://127.0.0.1:9/x">')
    assert "boom" in spoilt(running, tmp_path, "<script>throw Error('boom')</script>")
    assert "not a word" in spoilt(running, tmp_path, "<p>psi undefined</p>")
