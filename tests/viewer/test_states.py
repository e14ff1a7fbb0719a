"""Every part of a state changes pictures, and what a page says makes them again, to the bit."""

import base64
import io
import json
import shlex
import zipfile

import jax
import numpy as np
import pytest
from PIL import Image

from aligned_jax import loading
from aligned_jax.config import GeneratorConfig, SynthesisConfig
from aligned_jax.errors import UserError
from aligned_jax.networks import init_variables
from aligned_jax.networks.network import Network
from aligned_jax.tools.main import main
from aligned_jax.viewer.commands import explain
from aligned_jax.viewer.engine import Engine
from aligned_jax.viewer.export import saved
from aligned_jax.viewer.family import load_family
from aligned_jax.viewer.own_pictures import OwnPictures
from aligned_jax.viewer.shelf import EditShelf
from aligned_jax.viewer.state import read_state
from tests.helpers import same_bits
from tests.jobs.small_inputs import PARENT, moved

BASE = {
    "seeds": [3, 5],
    "psi": 0.7,
    "noise": "random",
    "noise_seed": 1,
    "pad": {"seeds": [1, 2, 3, 4], "x": 0.25, "y": 0.5, "space": "z"},
    "edits": [{"name": "tilt", "by": 2.0, "layers": None, "on": True}],
    "blend": {
        "child": 1,
        "reset": ["conv"],
        "reset_at": [8],
        "swap": 4,
        "coarse": "parent",
        "smooth": 1.0,
        "t2": 0.6,
        "t1": 0.3,
    },
}
CHANGES = {
    "seeds": [3, 6],
    "psi": 0.5,
    "noise": "none",
    "noise_seed": 2,
    "pad.seeds": [1, 2, 3, 5],
    "pad.x": 0.3,
    "pad.y": 0.6,
    "pad.space": "w",
    "edits.name": "2_2",
    "edits.by": 2.5,
    "edits.layers": [0],
    "edits.on": False,
    "blend.reset": ["torgb"],
    "blend.reset_at": [],
    "blend.swap": None,
    "blend.coarse": "child",
    "blend.smooth": 2.0,
    "blend.t2": 0.7,
    "blend.t1": None,
}
_CHANGED = [key for key in CHANGES if key != "blend.swap"]


def altered(name):
    state = json.loads(json.dumps(BASE))
    place, _, key = name.rpartition(".")
    target = state[place] if place else state
    target = target[0] if isinstance(target, list) else target
    target[key] = CHANGES[name]
    if name == "blend.swap":
        del target["smooth"]
    return state


@pytest.mark.parametrize("name", CHANGES)
def test_every_option_changes_pixels(client, name):
    before, after = client.pictures(BASE), client.pictures(altered(name))
    changed = {place for place in before if before[place] != after[place]}
    columns = {column for _, column in changed}
    assert columns == ({2} if name.startswith("blend") else {0, 1, 2})
    if name.startswith("pad"):
        assert {row for row, _ in changed} == {2}


def test_a_blend_may_be_of_another_child(child):
    family = load_family([str(PARENT), str(child), str(PARENT)], ["a", "b", "c"])
    engine = Engine(family, EditShelf(family.parent, "a", samples=300))
    pictures = [
        [one.png for one in engine.cells(engine.scene(read_state({"seeds": [0], "blend": blend})))]
        for blend in ({"child": 1, "t2": 0.5}, {"child": 2, "t2": 0.5})
    ]
    assert pictures[0][:3] == pictures[1][:3] and pictures[0][3] != pictures[1][3]
    assert pictures[1][3] == pictures[1][0]  # half way from the parent to itself


def test_a_label_is_refused_where_there_is_none(client):
    assert "label" in client.refused("explain", {"state": {"seeds": [0], "label": 0}})


EDITS = [
    {"name": "2_2", "by": 4.0, "layers": None, "on": True},
    {"name": "tilt", "by": -1.5, "layers": [0, 1], "on": True},
    {"name": "1_0", "by": 9.0, "layers": None, "on": False},
]
PAD = {"seeds": [1, 2, 3, 4], "x": 0.2, "y": 0.9}
STATES = {
    "plain": {"seeds": [0, 4, 2], "psi": 0.65},
    "no truncation": {"seeds": [7], "psi": 1.0},
    "no noise": {"seeds": [0, 1], "noise": "none"},
    "random noise": {"seeds": [6, 1], "noise": "random", "noise_seed": 5},
    "pads": {"seeds": [1], "pad": {**PAD, "space": "z"}},
    "pad in w": {"seeds": [], "pad": {**PAD, "space": "w"}, "edits": EDITS},
    "edits": {"seeds": [0, 1], "psi": 0.8, "edits": EDITS},
    "edits without noise": {"seeds": [0, 1], "noise": "none", "edits": EDITS},
    "half": {"seeds": [0, 1], "blend": {"child": 1, "t2": 0.35}},
    "beyond": {"seeds": [0], "blend": {"child": 1, "t2": -0.25}, "noise": "none"},
    "swap": {"seeds": [0], "blend": {"child": 1, "swap": 4, "smooth": 0.7}, "edits": EDITS},
    "all surgery": {
        "seeds": [2],
        "blend": {
            "child": 1,
            "reset": ["mapping", "torgb"],
            "swap": 4,
            "coarse": "child",
            "t2": 0.8,
        },
    },
    "reset": {"seeds": [2], "blend": {"child": 1, "reset": ["conv"], "reset_at": [8]}},
    "the child": {"seeds": [2], "blend": {"child": 1}},
    "latents apart": {
        "seeds": [2, 3],
        "blend": {"child": 1, "t2": 0.5, "t1": 0.25},
        "edits": EDITS[:2],
    },
}


@pytest.mark.parametrize("name", STATES)
def test_what_the_page_says_makes_the_same(session, name, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    engine = session.engine
    scene = engine.scene(read_state(STATES[name]))
    told = explain(scene, engine.family)
    with zipfile.ZipFile(io.BytesIO(saved(engine, scene, "zip", OwnPictures())[1])) as archive:
        archive.extractall(tmp_path)
    drawn = {
        group.name: {c: engine.images(scene, group, k) for k, c in enumerate(scene.columns)}
        for group in scene.groups
    }
    names = {}
    exec(told.python, names)
    assert same_bits(names["images"], drawn)
    made = {}
    for line in told.commands:
        if not line.startswith("#"):
            words = shlex.split(line)
            assert words.pop(0) == "aligned" and main(words) == 0, capsys.readouterr().err
            made[words[-1]] = words[0]
    assert capsys.readouterr().err == ""
    files = [file for file in made if file.endswith((".png", ".npz"))]
    assert files or any(line.startswith("#") for line in told.commands)
    for file in files:
        if file.endswith(".png"):
            with Image.open(file) as image, Image.open(f"pictures/{file}") as ours:
                np.testing.assert_array_equal(np.asarray(image), np.asarray(ours))
                assert ours.text["Comment"].startswith(f"aligned {made[file]} ")
        else:
            with np.load(file) as theirs, np.load(f"pictures/{file}") as ours:
                assert same_bits(theirs["images"], ours["images"])
                group, _, column = file.removesuffix(".npz").partition("-")
                assert same_bits(ours["images"], drawn[group][column])


def test_the_pictures_on_the_page_are_those(client, session):
    scene = session.engine.scene(read_state(STATES["swap"]))
    from aligned_jax.viz import to_uint8

    pictures = client.pictures(STATES["swap"])
    for column in range(3):
        [image] = to_uint8(session.engine.images(scene, scene.groups[0], column))
        with Image.open(io.BytesIO(base64.b64decode(pictures[0, column]))) as shown:
            np.testing.assert_array_equal(np.asarray(shown), image)


def test_networks_in_memory_are_told_in_python(session, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    family = load_family(list(session.engine.family.networks.values()))
    engine = Engine(family, EditShelf(family.parent, "parent", samples=300))
    scene = engine.scene(read_state({"seeds": [1], "blend": {"child": 1, "t2": 0.5}}))
    told = explain(scene, family)
    assert told.commands == (
        "# no verb makes pictures of networks in memory: run the Python lines",
    )
    names = {"networks": dict(family.networks)}
    exec(told.python, names)
    assert same_bits(names["images"]["seeds"]["blend"], engine.images(scene, scene.groups[0], 2))


ZOO = {
    "edits": {
        "seeds": [0, 1],
        "edits": [{"name": "zoo:glasses", "by": 2.5}, {"name": "5_20", "by": -4.0}],
        "blend": {"child": 1, "swap": 16, "smooth": 0.8, "t2": 0.7},
    },
    "latents apart": {"seeds": [3], "blend": {"child": 1, "t2": 0.4, "t1": 0.6}, "psi": 0.9},
    "pads": {"seeds": [], "pad": {**PAD, "space": "w"}, "noise": "random", "noise_seed": 3},
}


@pytest.mark.slow
@pytest.mark.optimised
@pytest.mark.parametrize("name", ZOO)
def test_the_zoo_is_drawn_again_as_users_compile_it(name, tmp_path, monkeypatch, capsys):
    family = load_family(["zoo:personas64", "zoo:critters64"])
    shelf = EditShelf(family.parent, "zoo:personas64")
    assert {"zoo:glasses", "zoo:yaw"} <= shelf.directions.keys()
    session = type("Session", (), {"engine": Engine(family, shelf)})
    monkeypatch.setitem(STATES, name, ZOO[name])
    test_what_the_page_says_makes_the_same(session, name, tmp_path, monkeypatch, capsys)


@pytest.mark.slow
def test_classes_of_a_conditional_network(tmp_path, monkeypatch, capsys):
    """The class decides rows of seeds and pads, and is named in what is said."""
    config = GeneratorConfig(8, z_dim=4, c_dim=3, w_dim=4, synthesis=SynthesisConfig(32, 8))
    parent = Network(config, init_variables(config, jax.random.key(0)))
    for name, network in (("a", parent), ("b", moved(parent, 0.1))):
        loading.save(tmp_path / name, network, {"kind": "made for a test"})
    monkeypatch.chdir(tmp_path)
    family = load_family(["a", "b"])
    session = type("Session", (), {"engine": Engine(family, EditShelf(family.parent, "a"))})
    pictures = []
    for label in (0, 2):
        state = {"seeds": [1, 2], "label": label, "pad": {**PAD, "space": "z"}, "psi": 0.9}
        monkeypatch.setitem(STATES, "class", state)
        scene = session.engine.scene(read_state(state))
        pictures.append([cell.png for cell in session.engine.cells(scene)])
        (tmp_path / str(label)).mkdir()
        for name in ("a", "b"):
            (tmp_path / str(label) / name).symlink_to(tmp_path / name)
        test_what_the_page_says_makes_the_same(
            session, "class", tmp_path / str(label), monkeypatch, capsys
        )
    assert all(one != other for one, other in zip(*pictures, strict=True))
    for wrong in (None, 3):
        with pytest.raises(UserError, match="class"):
            session.engine.scene(read_state({"seeds": [1], "label": wrong}))
