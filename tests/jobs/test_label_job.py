"""`jobs.label_seeds`, sessions of answers, and the page that asks."""

import http.client
import json
import threading
from urllib.parse import urlsplit

import numpy as np
import pytest

from aligned_jax import jobs
from aligned_jax.errors import FormatError, UserError
from aligned_jax.jobs.judges import load_judge
from aligned_jax.jobs.seed_labels import pool as pools
from aligned_jax.jobs.seed_labels import session as sessions
from aligned_jax.jobs.seed_labels.answers import SeedAnswers
from aligned_jax.jobs.seed_labels.page import LabelServer
from aligned_jax.jobs.seed_labels.session import LabelSession, saver
from aligned_jax.latents import z_from_seeds
from aligned_jax.networks import fingerprint
from tests.jobs.small_inputs import moved

YES, NO = list(range(0, 24, 2)), list(range(1, 24, 2))
GIVEN = {"pool": "0-39", "batch": 40}


@pytest.fixture(scope="module")
def bright(network):
    """Seeds 0 to 39 by the brightness of their pictures."""
    images = np.clip(network(z_from_seeds(network.config, range(40))), -1, 1)
    return np.asarray(images).mean(axis=(1, 2, 3))


@pytest.fixture(scope="module")
def answers(bright):
    """Two lists of seeds: bright, and not."""
    light = bright > np.median(bright)
    return [int(s) for s in np.flatnonzero(light)[:12]], [
        int(s) for s in np.flatnonzero(~light)[:12]
    ]


@pytest.fixture(scope="module")
def found(network, answers):
    yes, no = answers
    return jobs.label_seeds(network, "bright", yes=yes, no=no, unclear="39", **GIVEN)


@pytest.mark.slow
def test_a_model_of_answers_scores_every_seed(network, found, bright, answers):
    ws = np.asarray(network.mapping(z_from_seeds(network.config, range(40))))[:, 0]
    np.testing.assert_allclose(found.scores, found.model.scores(ws), rtol=1e-4, atol=1e-5)
    others = [s for s in range(39) if s not in (*answers[0], *answers[1])]
    assert np.corrcoef(found.scores[others], bright[others])[0, 1] > 0.5
    assert found.model.network == fingerprint(network.variables)
    assert set(found.suggested) <= set(others) and len(found.suggested) == 12
    assert "12 yes, 12 no, 1 unclear; AUC" in found.summary


@pytest.mark.slow
@pytest.mark.parametrize(
    "option", [{"space": "s"}, {"psi": 0.5}, {"pool": "0-29"}, {"no": "30-38", "yes": "20-29"}]
)
def test_every_option_changes_the_scores(network, found, answers, option):
    given = {"yes": answers[0], "no": answers[1], "unclear": "39", **GIVEN, **option}
    other = jobs.label_seeds(network, "bright", **given)
    assert other.scores.shape != found.scores.shape or np.abs(other.scores - found.scores).max() > 0


@pytest.mark.slow
def test_suggestions_and_folds(network, found, answers):
    given = {"yes": answers[0], "no": answers[1], **GIVEN}
    few = jobs.label_seeds(network, "bright", suggest=3, unclear="39", **given)
    assert few.suggested == found.suggested[:3]
    other = jobs.label_seeds(network, "bright", seed=1, unclear="39", **given)
    assert other.validation != found.validation
    clear = jobs.label_seeds(network, "bright", suggest=40, **given)
    assert 39 in clear.suggested


@pytest.mark.slow
def test_files_of_labels(found, tmp_path):
    path = tmp_path / "bright.json"
    found.write(path)
    stored = jobs.read_labels(path)
    assert stored.answers == found.answers and stored.facts["name"] == "bright"
    np.testing.assert_array_equal(stored.model.weights, found.model.weights)
    with pytest.raises(UserError, match="already exists"):
        found.write(path)
    table = tmp_path / "bright.csv"
    found.write(table)
    assert table.read_text().startswith("seed,bright\n0,")
    judge = load_judge(table)
    assert judge.names == ("bright",)
    np.testing.assert_allclose(judge.of(found.seeds)["bright"], found.scores, rtol=1e-5)
    with pytest.raises(UserError, match=r"NAME.json or NAME.csv"):
        found.write(tmp_path / "x.txt")


def test_damaged_files_of_labels(found, tmp_path):
    def refused(words, **changes):
        path = tmp_path / "x.json"
        path.write_text(json.dumps(found.document() | changes))
        with pytest.raises(FormatError, match=words):
            jobs.read_labels(path)

    refused("no file of labels", labels=7)
    refused("lists of seeds", answers={"yes": [-1], "no": [], "unclear": []})
    refused("several answers", answers={"yes": [1], "no": [1], "unclear": []})
    refused("finite numbers", model={"weights": [float("nan")], "intercept": 0})
    refused("damaged", model={"weights": [1.0]})
    refused("fingerprint of another type", fingerprint=3)
    refused("psi, label of another type", psi="1", label=[0])
    refused("damaged", psi=10**400)
    refused("damaged", model={"weights": [10**400], "intercept": 0})
    refused("finite numbers", model={"weights": [1e39], "intercept": 0})
    refused("finite numbers", model={"weights": [1.0], "intercept": -1e39})
    refused("damaged", model=0)
    with pytest.raises(UserError, match="cannot be read"):
        jobs.read_labels(tmp_path / "none.json")


def test_many_answers_are_compared_in_no_time():
    """They may come from a file of megabytes."""
    many = range(100_000)
    assert len(SeedAnswers(tuple(many)).seeds) == len(many)
    with pytest.raises(UserError, match=r"several answers: 7$"):
        SeedAnswers(tuple(many), (7,))


def test_what_cannot_be_labelled(network):
    def refused(words, name="x", source="nothing", **given):
        with pytest.raises(UserError, match=words):
            jobs.label_seeds(source, name, **{"yes": "0-3", "no": "4-7", **GIVEN, **given})

    refused("seeds have several answers: 3", no="3,4")
    refused("single class, yes", no=())
    refused("1 yes and 4 no", yes="0")
    refused("no answers were given", yes=(), no=())
    refused("not a list of seeds", yes="a")
    refused("linear models are in w or s", space="z")
    refused("no name of a label", name="")
    refused("no name of a label", name="seed")
    refused("the pool has 10 seeds", source=network, pool="0-9")
    refused("unconditional", source=network, label=0)


@pytest.fixture
def session(network, answers, monkeypatch, tmp_path):
    """A session of 40 seeds, saved to tmp_path/x.json."""
    monkeypatch.setattr(sessions, "ROUND", 4)
    drawn = pools.draw_pool(network, "0-39", (), "w", batch=40)
    facts = {"name": "bright", "network": "n", "fingerprint": "f", "psi": 1.0, "label": None,
             "space": "w"}  # fmt: skip
    save = saver(tmp_path / "x.json", jobs_command())
    return LabelSession("bright", drawn, jobs.SeedAnswers(), facts, 0, save)


def jobs_command():
    from aligned_jax.provenance import Command

    return Command("aligned label ...")


def test_a_session_asks_saves_and_takes_back(session, tmp_path):
    first = session.current
    session.answer(first, "yes")
    stored = jobs.read_labels(tmp_path / "x.json")
    assert stored.answers.yes == (first,) and stored.model is None
    second = session.current
    session.answer(first, "no")  # a double click is no second answer
    assert session.answers.yes == (first,) and session.current == second
    session.answer(second, "unclear")
    session.undo()
    assert session.current == second and session.answers.unclear == ()
    assert jobs.read_labels(tmp_path / "x.json").answers == session.answers
    with pytest.raises(UserError, match="is no answer"):
        session.answer(second, "perhaps")
    assert "go on" in session.status()["said"]


@pytest.mark.slow
def test_a_session_ends_when_all_were_asked(session, answers):
    seen = []
    while session.current is not None:
        seen.append(session.current)
        session.answer(session.current, "yes" if session.current in answers[0] else "no")
    assert sorted(seen) == list(range(40)) and session.status()["seed"] is None
    assert len(session.answers.yes) == 12


def ask(url, path="state", method="POST", body="{}", host=None):
    place = urlsplit(url)
    connection = http.client.HTTPConnection(place.hostname, place.port, timeout=20)
    headers = {"Host": host or place.netloc}
    connection.request(method, place.path + path, body=body, headers=headers)
    reply = connection.getresponse()
    content = reply.read()
    connection.close()
    return reply, content


@pytest.fixture
def server(session):
    with LabelServer(session) as served:
        thread = threading.Thread(target=served.serve_forever, args=(0.02,))
        thread.start()
        yield served
        served.shutdown()
        thread.join()


def test_the_page(server, session):
    reply, html = ask(server.url, "", "GET")
    assert reply.status == 200 and b"http" not in html.replace(b"http-equiv", b"")
    assert "default-src 'none'" in reply.headers["Content-Security-Policy"]
    seed = session.current
    reply, png = ask(server.url, f"picture/{seed}", "GET")
    assert reply.status == 200 and png.startswith(b"\x89PNG")
    state = json.loads(ask(server.url, "answer", body=f'{{"seed": {seed}, "kind": "yes"}}')[1])
    assert state["counts"] == {"yes": 1, "no": 0, "unclear": 0} and state["undo"]
    state = json.loads(ask(server.url, "undo")[1])
    assert state["seed"] == seed and not state["undo"]


def test_strangers_see_nothing(server, session):
    """Another site, by its own name for this address; a path without the token; other machines."""
    assert server.server_address[0] == "127.0.0.1"
    assert ask(server.url, host="evil.example")[0].status == 403
    for path in ("/", "/state", "/x/state", "/é/state"):
        url = f"http://127.0.0.1:{server.server_port}"
        assert ask(url, path.encode("ascii", "ignore").decode())[0].status == 403
    assert ask(server.url, host=f"localhost:{server.server_port}")[0].status == 200
    assert session.answers.seeds == ()


@pytest.mark.parametrize(
    ("path", "method", "body", "status"),
    [("nothing", "POST", "{}", 404), ("nothing", "GET", None, 404),
     ("answer", "POST", "{", 400), ("answer", "POST", "{}", 400),
     ("answer", "POST", '{"seed": 1, "kind": "' + "x" * 2000 + '"}', 400),
     ("picture/99", "GET", None, 400), ("picture/../x", "GET", None, 400)],
)  # fmt: skip
def test_bad_requests_are_answered(server, path, method, body, status):
    assert ask(server.url, path, method, body)[0].status == status
    assert ask(server.url)[0].status == 200


def on_page(network, out, chosen, **given):
    """`label_on_page`, with somebody who answers all that is chosen and finishes."""
    threads = []

    def answer(url):
        def work():
            state = json.loads(ask(url)[1])
            for _ in range(chosen[0]):
                kind = "yes" if state["seed"] in chosen[1] else "no"
                body = json.dumps({"seed": state["seed"], "kind": kind})
                state = json.loads(ask(url, "answer", body=body)[1])
            ask(url, "finish")

        threads.append(threading.Thread(target=work))
        threads[0].start()

    found = jobs.label_on_page(network, "bright", out, answer, **GIVEN, **given)
    threads[0].join()
    return found


@pytest.mark.slow
def test_a_sitting_goes_on_where_it_was(network, answers, tmp_path):
    out = tmp_path / "x.json"
    first = on_page(network, out, (3, answers[0]))
    assert len(first.answers.seeds) == 3
    second = on_page(network, out, (5, answers[0]), yes="38", no="39")
    assert len(second.answers.seeds) == 10 and set(first.answers.seeds) < set(second.answers.seeds)
    anew = on_page(network, out, (2, answers[0]), overwrite=True)
    assert len(anew.answers.seeds) == 2
    with pytest.raises(UserError, match=r"another question \(other psi\)"):
        on_page(network, out, (0, ()), psi=0.5)
    with pytest.raises(UserError, match=r"another question \(other fingerprint\)"):
        on_page(moved(network, 0.1), out, (0, ()))
    with pytest.raises(UserError, match="several answers"):
        on_page(network, out, (0, ()), yes=anew.answers.no, no=anew.answers.yes)
    on_page(network, tmp_path / "y.csv", (2, answers[0]))
    assert jobs.read_labels(tmp_path / "y.csv.answers.json").answers.seeds
    (tmp_path / "z.csv").write_text("mine")
    with pytest.raises(UserError, match="already exists"):
        on_page(network, tmp_path / "z.csv", (0, ()))


def test_a_port_that_is_taken(network, server, tmp_path):
    with pytest.raises(UserError, match=f"port {server.server_port} cannot be used"):
        jobs.label_on_page(network, "x", tmp_path / "x.json", print, port=server.server_port,
                           **GIVEN)  # fmt: skip
