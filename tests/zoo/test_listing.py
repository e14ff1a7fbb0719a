"""The names of the zoo are those that the library takes."""

import pytest

import aligned_jax as aj
from aligned_jax.errors import UserError
from aligned_jax.jobs.zoo_list import KINDS


def test_names_are_taken_where_such_things_are_asked_for():
    networks, encoders = aj.zoo.names(), aj.zoo.names("encoder")
    assert {*networks, *encoders} == {f"zoo:{name}" for name in aj.loading.zoo_names()}
    assert list(aj.describe(networks[0]).configs) == ["G_ema", "D"]
    assert list(aj.describe(encoders[0]).configs) == ["E"]
    assert all(aj.jobs.reader_card(name) for name in aj.zoo.names("reader"))
    assert all(aj.jobs.read_direction(name) for name in aj.zoo.names("directions"))


def test_every_member_has_a_name():
    members = {f"zoo:{one.name}" for one in aj.jobs.zoo_list().members if one.kind != "directions"}
    assert members == {
        name for kind in KINDS if kind != "directions" for name in aj.zoo.names(kind)
    }
    assert "zoo:roll" in aj.zoo.names("directions")


def test_other_kinds_are_refused():
    with pytest.raises(UserError, match=r"kind .films. in the zoo; there are network, encoder"):
        aj.zoo.names("films")
