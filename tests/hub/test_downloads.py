"""What comes from the Hub, from a server on this machine."""

import os
import time

import pytest

from aligned_jax import ancestry, convert, loading
from aligned_jax.errors import FormatError, UserError
from aligned_jax.hub import HubAddress, fetch
from tests.helpers import DATA, same_bits

PICKLE = (DATA / "hostile_baseline_ok.pkl").read_bytes()


@pytest.fixture(scope="module")
def tensors(tmp_path_factory):
    """The same network as .safetensors."""
    path = tmp_path_factory.mktemp("export") / "network.safetensors"
    known = loading.load(DATA / "hostile_baseline_ok.pkl")
    loading.save(path, known)
    return path.read_bytes()


def get(text):
    return fetch(HubAddress.parse(text))


def test_a_network_is_the_same_from_the_hub(hub, tensors):
    first = hub.repository("me/faces").commit({"README.md": b"#", "n.safetensors": tensors}, "v1")
    network = loading.load("hf://me/faces")
    here = loading.load(DATA / "hostile_baseline_ok.pkl")
    assert same_bits(network.variables, here.variables)
    facts = network.provenance
    assert facts["file"] == "hf://me/faces/n.safetensors" and facts["commit"] == first
    assert facts["kind"] == "converted" and len(facts["sha256"]) == 64
    assert loading.named_network(network)[0] == "hf://me/faces/n.safetensors"
    pinned = loading.lasting_name("hf://me/faces@v1")
    assert pinned == f"hf://me/faces/n.safetensors@{first}"
    assert loading.lasting_name("runs/x") == "runs/x"


def test_revisions_are_different_networks(hub):
    repository = hub.repository("me/faces")
    first = repository.commit({"n.pkl": b"one"}, "v1")
    second = repository.commit({"n.pkl": b"two"})
    for text, content, commit in (
        ("hf://me/faces", b"two", second),
        ("hf://me/faces@v1", b"one", first),
        (f"hf://me/faces/n.pkl@{first}", b"one", first),
    ):
        found = get(text)
        assert (found.path.read_bytes(), found.commit) == (content, commit)
        assert str(found.pinned) == f"hf://me/faces/n.pkl@{commit}"


def test_one_network_is_taken_and_several_are_listed(hub):
    files = {"a.pkl": b"a", "b.pt": b"b", "x.txt": b"x"}
    repository = hub.repository("me/faces")
    repository.commit(files)
    with pytest.raises(UserError, match=r"several networks: a\.pkl, b\.pt; name one, such as hf:"):
        get("hf://me/faces")
    assert get("hf://me/faces/b.pt").path.read_bytes() == b"b"
    repository.commit({**files, "deep/n.safetensors": b"s"})
    assert get("hf://me/faces").address.file == "deep/n.safetensors"
    repository.commit({"x.txt": b"x"})
    with pytest.raises(UserError, match="has no network"):
        get("hf://me/faces")


@pytest.mark.parametrize(
    "text, sentence",
    [
        ("hf://me/missing", "there is no such repository, or it is private; in that case log in"),
        ("hf://me/missing/n.pkl", "there is no such repository"),
        ("hf://me/private", "in that case log in by `hf auth login`, or set HF_TOKEN"),
        ("hf://me/gated", "is gated, and you have no access: ask for it"),
        ("hf://me/gated/n.pkl", "is gated"),
        ("hf://me/faces@v9", "has no revision v9"),
        ("hf://me/faces/n.pkl@v9", "has no revision v9"),
        ("hf://me/faces/m.pkl", "has no file m.pkl; networks there: n.pkl"),
    ],
)
def test_refusals_are_sentences(hub, text, sentence):
    for name, more in (("faces", {}), ("private", {"private": True}), ("gated", {"gated": True})):
        hub.repository(f"me/{name}", **more).commit({"n.pkl": b"x"})
    with pytest.raises(UserError) as caught:
        get(text)
    assert sentence in str(caught.value) and "\n" not in str(caught.value)


def test_the_token_is_that_of_the_package(hub, monkeypatch):
    hub.repository("me/private", private=True).commit({"n.pkl": b"x"})
    monkeypatch.setenv("HF_TOKEN", "hf_reader")
    assert get("hf://me/private").path.read_bytes() == b"x"


def test_what_is_cached_is_read_offline(hub, monkeypatch):
    from huggingface_hub import constants

    commit = hub.repository("me/faces").commit({"n.pkl": b"one", "README.md": b"#"}, "v1")
    online = [get("hf://me/faces"), get("hf://me/faces@v1")]
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    asked = len(hub.log)
    assert [get("hf://me/faces"), get("hf://me/faces@v1")] == online
    assert get(f"hf://me/faces@{commit}").path.read_bytes() == b"one"
    assert len(hub.log) == asked
    for text in ("hf://me/faces/m.pkl", "hf://me/other", "hf://me/faces@v2"):
        with pytest.raises(UserError, match="the Hub cannot be asked"):
            get(text)


def test_what_is_cached_is_read_when_nobody_answers(hub, monkeypatch):
    from huggingface_hub import constants

    hub.repository("me/faces").commit({"n.pkl": b"one"})
    online = get("hf://me/faces")
    nobody = "http://127.0.0.1:9"
    template = constants.HUGGINGFACE_CO_URL_TEMPLATE.replace(hub.endpoint, nobody)
    monkeypatch.setattr(constants, "ENDPOINT", nobody)
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
    assert get("hf://me/faces") == online
    with pytest.raises(UserError, match="hf://me/other was not read"):
        get("hf://me/other")


def test_a_broken_download_leaves_no_half_of_a_file(hub, monkeypatch, tmp_path):
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    hub.repository("me/faces").commit({"n.pkl": bytes(range(256)) * 40})
    hub.cut = 1000
    with pytest.raises(UserError, match="hf://me/faces was not read"):
        get("hf://me/faces")
    assert not list((tmp_path / "cache").rglob("n.pkl"))
    hub.cut = None
    assert get("hf://me/faces").path.read_bytes() == bytes(range(256)) * 40


@pytest.mark.parametrize("name", ["n.pkl", "n.safetensors", "n.pt"])
def test_what_comes_passes_the_readers_of_strangers_files(hub, name, monkeypatch):
    monkeypatch.setattr(os, "system", lambda line: pytest.fail("it ran"))
    content = (DATA / "hostile_os_system.pkl").read_bytes()
    hub.repository("me/faces").commit({name: content})
    with pytest.raises(FormatError) as caught:
        loading.load("hf://me/faces")
    with pytest.raises(FormatError) as here:
        convert.read_official(DATA / "hostile_os_system.pkl")
    # The same words after the file's name.
    assert str(caught.value).partition(": ")[2] == str(here.value).partition(": ")[2]


def test_records_tell_relatives_by_the_hub(hub, tensors):
    hub.repository("me/faces").commit({"n.safetensors": tensors})
    parent = loading.load("hf://me/faces")
    child = {"command": f"aligned finetune hf://me/faces/n.safetensors@{'0' * 40} --data d"}
    marks = ancestry.marks_of("hf://me/faces/n.safetensors", parent.provenance)
    assert "hf://me/faces/n.safetensors" in marks & ancestry.marks_of("", child)
