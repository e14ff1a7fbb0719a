"""The directions in the package: chosen by what they are worth, described, and found by name."""

import dataclasses
import json

import numpy as np
import pytest

import aligned_jax as aj
from aligned_jax.errors import UserError
from aligned_jax.jobs.direction_files import read_direction
from aligned_jax.jobs.edits.words import read_edits
from aligned_jax.jobs.named_directions import every_direction, zoo_directions
from aligned_jax.networks import fingerprint
from aligned_jax.tools.main import main
from aligned_jax.train import zoo_directions as program
from aligned_jax.zoo import directions
from aligned_jax.zoo.making import PACKAGE_ZOO

FOLDER = PACKAGE_ZOO / directions.NAME
GOOD = directions.Candidate("roll", "roll", "AUC", 0.9, 0.5, ("yaw", -0.3))


@pytest.fixture(scope="module")
def parent():
    return aj.load(f"zoo:{directions.NETWORK}")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({}, ""),
        ({"told": 0.6}, "AUC 0.60"),
        ({"told": 0.6, "measure": "rank correlation"}, ""),
        ({"told": 0.3, "measure": "rank correlation"}, "rank correlation 0.30"),
        ({"raises": 0.1}, "+0.10 deviations"),
        ({"besides": ("yaw", -0.6)}, "moves yaw"),
    ],
)
def test_a_name_is_earned(change, says):
    one = dataclasses.replace(GOOD, **change)
    assert says in one.problem and bool(says) == bool(one.problem)


def test_what_a_file_says_of_itself():
    effects = {"hair=long": 0.4, "hair=none": -0.5, "yaw": -0.3, "hair_color.red": 0.9}
    merits = {"auc": 0.8, "correlation": 0.6}
    found = {"attribute": "hair=long", "effects": effects, "merits": merits}
    one = directions.candidate("long-hair", found)
    assert (one.measure, one.told) == ("AUC", 0.8)
    assert (one.raises, one.besides) == (0.4, ("yaw", -0.3))
    one = directions.candidate("red-hair", found | {"attribute": "hair_color.red"})
    assert (one.measure, one.told, one.raises) == ("rank correlation", 0.6, 0.9)


def test_the_card_tells_what_was_chosen_and_what_was_not():
    document = json.loads((FOLDER / directions.SCORES).read_text("utf-8"))
    told = []
    for row in document["directions"].values():
        problem = row.pop("problem")
        told.append(directions.Candidate(**row | {"besides": tuple(row["besides"])}))
        assert told[-1].problem == problem
    assert directions.card_text(told) == (FOLDER / directions.CARD).read_text("utf-8")
    assert {one.name for one in told if not one.problem} == set(zoo_directions())


@pytest.mark.parametrize("name", zoo_directions())
def test_a_direction_is_of_the_network_that_comes_with_it(name, parent):
    found = read_direction(f"zoo:{name}", parent)
    assert found.network == fingerprint(parent.variables)
    assert found.found["attribute"] == directions.ATTRIBUTES[name]


def test_edits_take_names_with_strengths(parent):
    [edit] = read_edits("", parent, ["zoo:roll:-4"])
    assert edit.amount == -4 and edit.name == "roll"
    own = read_direction(FOLDER / "roll.npz")
    np.testing.assert_array_equal(edit.direction.vectors["w"], own.vectors["w"])


def test_unknown_names_are_refused_with_the_list(tmp_path, capsys):
    with pytest.raises(UserError, match=r"there is no direction zoo:wings; there are .*zoo:roll"):
        read_direction("zoo:wings")
    line = ["edit", f"zoo:{directions.NETWORK}", "--edit", "zoo:wings:4"]
    assert main([*line, "--out", str(tmp_path / "x.png")]) == 2
    assert "zoo:glasses" in capsys.readouterr().err


def test_all_are_shown(capsys):
    assert every_direction(["a.npz", "zoo:"]) == ["a.npz", *(f"zoo:{n}" for n in zoo_directions())]
    assert main(["directions", "show", "zoo:"]) == 0
    shown = capsys.readouterr().out
    assert all(f"zoo:{name}: in w" in shown for name in zoo_directions())


def test_the_program_shows_its_command_and_keeps_what_is_there(tmp_path, capsys):
    assert program.main(["--show"]) == 0
    shown = capsys.readouterr().out
    assert all(one in shown for one in directions.ATTRIBUTES.values())
    assert program.main(["--work", str(tmp_path / "work")]) == 0
    assert not (tmp_path / "work").exists()
