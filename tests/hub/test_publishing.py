"""Publishing: what is sent, what is said of it, and what is refused before anything is sent."""

import json
import shlex
import shutil

import numpy as np
import pytest
import yaml
from PIL import Image

from aligned_jax import jobs, loading
from aligned_jax.errors import UserError
from aligned_jax.provenance import Command
from aligned_jax.tools.main import main, parse
from aligned_jax.viz import tile, to_uint8
from tests.helpers import DATA, same_bits
from tests.hub.stub_hub import READER, WRITER

NETWORK, TRAINED = "network.pkl", "dogs"  # in the working folder
HOME = "hf://me/faces"
LINE = f"aligned publish x.pkl {HOME} --license cc0-1.0"
RUN = "aligned finetune hf://them/people auto --data data/dogs --run runs/dogs --kimg 80"


@pytest.fixture
def writer(monkeypatch):
    """Somebody who may write."""
    monkeypatch.setenv("HF_TOKEN", WRITER)


@pytest.fixture(scope="module")
def workplace(tmp_path_factory):
    """A folder with an official file, and a checkpoint as a run leaves it."""
    folder = tmp_path_factory.mktemp("workplace")
    shutil.copy(DATA / "hostile_baseline_ok.pkl", folder / NETWORK)
    networks = {key: loading.load(folder / NETWORK, key) for key in ("G_ema", "D")}
    parent = {"network": "hf://them/people", "kind": "converted", "sha256": "ab" * 32}
    origin = {"kind": "trained", "verb": "finetune", "command": RUN, "images": 80000}
    loading.save(folder / TRAINED, networks, {**origin, "parents": {"network": parent}})
    return folder


@pytest.fixture(autouse=True)
def there(workplace, monkeypatch):
    """Every test works there."""
    monkeypatch.chdir(workplace)


def dry(network=NETWORK, **more):
    """What would be published, of small pictures."""
    options = {"license": "cc0-1.0", "seeds": "0-1", "dry_run": True, **more}
    return jobs.publish(network, options.pop("address", HOME), **options)


def front(card):
    """The front matter, as the Hub reads it."""
    return yaml.safe_load(card.split("---\n")[1])


def test_a_network_comes_back(hub, writer, tmp_path):
    done = jobs.publish(
        NETWORK,
        HOME,
        license="cc0-1.0",
        seeds="0-1",
        command=Command.of(LINE, {"license": "cc0-1.0"}),
        out=tmp_path / "copy",
    )
    (files,) = hub.repositories["me/faces"].commits.values()
    assert set(files) == {"README.md", "network.safetensors", "samples.png"} == set(done.sizes)
    assert done.commit in hub.repositories["me/faces"].commits
    assert files["README.md"].decode() == done.card
    copied = {path.name: path.read_bytes() for path in (tmp_path / "copy").iterdir()}
    assert copied == files and {name: len(files[name]) for name in files} == done.sizes
    network = loading.load(HOME)
    assert same_bits(network.variables, loading.load(NETWORK).variables)
    assert network.provenance["commit"] == done.commit
    assert network.provenance["provenance"]["command"] == LINE
    assert network.provenance["sha256"] in done.card
    with Image.open(tmp_path / "copy" / "samples.png") as picture:
        assert picture.text["Comment"] == LINE
        pixels = np.asarray(picture)
    drawn = jobs.generate(NETWORK, "0-1").images()
    assert np.array_equal(pixels, tile(to_uint8(drawn)))


def test_the_card_tells_the_family():
    card = dry(TRAINED).card
    facts = front(card)
    assert facts["license"] == "cc0-1.0" and facts["library_name"] == "aligned_jax"
    assert facts["base_model"] == ["them/people"] and facts["base_model_relation"] == "finetune"
    tree = card.split("## Where it comes from")[1]
    assert f"made by `{RUN}`; 80 kimg; trained on `data/dogs`" in tree
    assert f"  - `hf://them/people`; sha256 `{'ab' * 32}`" in tree


def test_an_export_keeps_the_family(tmp_path, monkeypatch):
    """A file of ours is the same network; who was before it is still told."""
    jobs.export(TRAINED, tmp_path / "dogs.safetensors")
    monkeypatch.chdir(tmp_path)
    card = dry("dogs.safetensors").card
    assert RUN in card and "hf://them/people" in card
    assert front(card)["base_model"] == ["them/people"]


def test_every_option_changes_what_is_published(tmp_path):
    def published(number, **more):
        out = tmp_path / str(number)
        dry(TRAINED, out=out, **more)
        return {path.name: path.read_bytes() for path in out.iterdir()}

    plain = published(0)
    changes = [
        ({"license": "other"}, {"README.md"}),
        ({"tags": ["dogs"]}, {"README.md"}),
        ({"parent": NETWORK}, {"README.md", "samples.png"}),
        ({"keys": None}, {"README.md", "network.safetensors"}),
        ({"half": True}, {"README.md", "network.safetensors"}),
        ({"seeds": "4-5"}, {"README.md", "samples.png"}),
        ({"psi": 0.5}, {"README.md", "samples.png"}),
    ]
    for number, (options, expected) in enumerate(changes, 1):
        files = published(number, **options)
        assert {name for name in files if files[name] != plain[name]} == expected, options
    assert front(published(98, tags=["dogs"])["README.md"].decode())["tags"][-1] == "dogs"
    other = published(99, address=f"{HOME}/dogs.safetensors")
    assert set(other) == {"README.md", "dogs.safetensors", "samples.png"}


def test_commands_of_the_card_parse():
    card = dry(TRAINED, parent=NETWORK).card
    lines = [line for line in card.splitlines() if line.startswith("aligned ")]
    assert len(lines) == 2
    for line in lines:
        parse(shlex.split(line)[1:])


def test_a_network_without_pictures(tmp_path):
    done = dry(keys=["D"])
    assert set(done.sizes) == {"README.md", "network.safetensors"}
    assert "samples.png" not in done.card and "pipeline_tag" not in front(done.card)


def test_foreign_words_stay_words(tmp_path, monkeypatch):
    """Provenance may be anybody's: no markdown and no HTML of it is read."""
    evil = "`# x`\n---\n<script>alert(1)</script>"
    network = loading.load(NETWORK)
    origin = {"verb": evil, "command": evil, "parents": {evil: {"network": evil}}}
    loading.save(tmp_path / "evil", network, origin)
    monkeypatch.chdir(tmp_path)
    card = dry("evil").card
    assert card.count("---\n") == 2 and "\n# x" not in card
    for line in card.splitlines():
        if "<script>" in line:
            outside = "".join(line.split("`")[::2])
            assert "<" not in outside


def test_new_repositories_can_be_private(hub, writer):
    for private in (False, True):
        name = f"me/private-{private}"
        jobs.publish(NETWORK, f"hf://{name}", license="other", keys=["D"], private=private)
        assert hub.repositories[name].private is private


def test_files_are_replaced_when_asked(hub, writer):
    def publish(**more):
        return jobs.publish(NETWORK, HOME, license="other", keys=["D"], **more)

    hub.repository("me/faces").commit({"README.md": b"#", "old.pkl": b"x"})
    with pytest.raises(UserError, match=r"hf://me/faces has README\.md already"):
        publish()
    assert len(hub.repositories["me/faces"].commits) == 1
    with pytest.raises(UserError, match="is there already and public"):
        publish(private=True, overwrite=True)
    done = publish(overwrite=True)
    files = hub.repositories["me/faces"].commits[done.commit]
    assert set(files) == {"README.md", "old.pkl", "network.safetensors"}


@pytest.mark.parametrize("token", [None, READER])
def test_who_may_not_write_is_told(hub, monkeypatch, token):
    if token:
        monkeypatch.setenv("HF_TOKEN", token)
    with pytest.raises(UserError, match="hf://me/faces may not be written by you: log in"):
        jobs.publish(NETWORK, HOME, license="other", keys=["D"])
    assert "me/faces" not in hub.repositories


def test_a_dry_run_asks_nobody(hub, writer):
    assert dry().commit is None
    assert not [line for line in hub.log if "me/faces" in line] and not hub.repositories


@pytest.mark.parametrize(
    "options, sentence",
    [
        ({"address": "me/faces"}, "at hf://owner/name"),
        ({"address": "hf://me"}, "hf://owner/name"),
        ({"address": f"{HOME}@v1"}, "leave out @"),
        ({"address": f"{HOME}/x.pkl"}, r"as NAME\.safetensors"),
        ({"license": "My License"}, "give an identifier such as"),
        ({"tags": ["a\nb"]}, "tags are words"),
        ({"keys": ["E"]}, "has no network 'E'"),
        ({"seeds": "x"}, "seed"),
    ],
)
def test_mistakes_are_found_before_anything_is_sent(hub, writer, options, sentence):
    with pytest.raises(UserError, match=sentence):
        dry(dry_run=False, **options)
    assert not hub.repositories


def test_folders_of_this_machine_are_told(tmp_path):
    copied = shutil.copy(NETWORK, tmp_path / "n.pkl")
    with pytest.warns(UserWarning, match=f"names folders of this machine: {copied}"):
        dry(copied, keys=["D"], command=Command.of(LINE, {}))


def test_the_verb(hub, writer, capsys):
    line = ["publish", NETWORK, HOME, "--license", "cc0-1.0", "--seeds", "0-1"]
    assert main([*line, "--dry-run"]) == 0
    shown = capsys.readouterr()
    assert shown.err == "" and not hub.repositories
    assert 'license: "cc0-1.0"' in shown.out and f"nothing was sent to {HOME}" in shown.out
    assert main(line) == 0
    (commit,) = hub.repositories["me/faces"].commits
    assert f"published {HOME}, commit {commit}" in capsys.readouterr().out
    assert main(line) == 2
    refusal = capsys.readouterr().err
    assert refusal.count("\n") == 1 and "pass --overwrite" in refusal
    assert main(["info", HOME, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["provenance"]["commit"] == commit
