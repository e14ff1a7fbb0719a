"""Captions say what is true of a picture, in words that are all listed."""

import json

import numpy as np
import pytest

from aligned_jax.data.avatar_source import AvatarSource
from aligned_jax.zoo import captions


def recorded(**changes):
    """What a dataset records of a person in red, with black hair."""
    options = {"clothingColor": ["#e24553"]} | changes.pop("options", {})
    usual = {
        "roll": 0.0,
        "yaw": 0.0,
        "skin_color": np.asarray([0.9, 0.8, 0.75]),
        "hair_color": np.asarray([0.2, 0.17, 0.27]),
        "hair": "long",
        "smile": "yes",
        "glasses": "no",
        "facial_hair": "no",
        "options": json.dumps(options),
    }
    return usual | changes


def test_facts_of_a_person():
    assert captions.facts_of("personas", recorded()) == {
        "kind": "person",
        "smile": "yes",
        "glasses": "no",
        "beard": "no",
        "yaw": "ahead",
        "roll": "none",
        "skin": "light",
        "hair": "long",
        "hair_color": "black",
        "shirt": "red",
    }


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"yaw": 0.5, "roll": -9.0}, {"yaw": "right", "roll": "left"}),
        (
            {"glasses": "yes", "facial_hair": "yes", "smile": "no"},
            {"glasses": "yes", "smile": "no"},
        ),
        ({"skin_color": np.asarray([0.38, 0.24, 0.21])}, {"skin": "dark"}),
        ({"options": {"clothingColor": ["#456dff"]}}, {"shirt": "blue"}),
        ({"hair": "curlyBun"}, {"hair": "curly"}),
    ],
)
def test_facts_follow_what_is_recorded(changes, expected):
    assert captions.facts_of("personas", recorded(**changes)).items() >= expected.items()


def test_what_is_not_known_is_not_told():
    facts = captions.facts_of("personas", recorded(glasses="unknown", hair="none"))
    assert "glasses" not in facts and "hair_color" not in facts and facts["hair"] == "none"
    middling = captions.facts_of("personas", recorded(skin_color=np.asarray([0.7, 0.6, 0.6])))
    assert "skin" not in middling


def test_a_monster_has_a_colour_and_no_hair():
    green = recorded(skin_color=np.asarray([0.43, 0.9, 0.72]), hair="none", options={})
    facts = captions.facts_of("critters", green)
    assert facts["kind"] == "monster" and facts["body"] == "green"
    assert not {"hair", "skin", "glasses", "shirt"} & set(facts)


@pytest.mark.parametrize(
    ("facts", "parts"),
    [
        ({"glasses": "yes"}, ["glasses"]),
        ({"hair": "long", "hair_color": "red"}, ["long red hair"]),
        ({"hair": "none", "smile": "yes"}, [" bald "]),
        ({"hair": "hat", "hair_color": "blue"}, ["a blue hat"]),
        ({"shirt": "green", "beard": "no"}, ["a green shirt", "no beard", " and "]),
        ({"yaw": "left", "roll": "none"}, ["looking left", "upright"]),
        ({"medium": "cartoon"}, ["a cartoon of a "]),
    ],
)
def test_facts_are_worded(facts, parts):
    text = captions.worded({"kind": "person", **facts}, np.random.default_rng(0))
    assert all(part in f"{text} " for part in parts), text


def test_captions_tell_facts_of_the_picture_in_listed_words():
    random = np.random.default_rng(0)
    texts = set()
    for style in ("personas", "critters", "pixel-art", "toon-head"):
        facts = captions.facts_of(style, recorded())
        known = set(captions.words(facts.items()))
        for _ in range(200):
            text, told = captions.caption(facts, random)
            assert set(text.split()) <= known, text
            assert told[0] == "kind" and set(told) <= set(facts) and len(told) <= 4
            texts.add(text)
    assert len(texts) > 300


def test_words_are_those_of_the_facts():
    some = captions.words([("kind", "person"), ("shirt", "red"), ("hair", "none")])
    assert {"person", "face", "shirt", "red", "bald", "photo", "a"} <= set(some)
    assert not {"monster", "glasses", "none", "blue", "upright"} & set(some)
    assert "upright" in captions.words([("roll", "none")])


def test_statements_differ_in_the_value_alone():
    red, blue = captions.statements("shirt", ["red", "blue"], "person")
    assert red.replace("red", "blue") == blue and "shirt" in red
    kinds = captions.statements("kind", ["person", "monster"], "person")
    assert [text.split()[-1] for text in kinds] == ["face", "creature"]


def test_colours_of_the_artwork_have_names():
    assert captions.colour_name(np.asarray([1, 0, 0])) == "red"
    assert captions.colour_name(np.asarray([0.1, 0.1, 0.1])) == "black"


def test_what_avatars_record_is_what_facts_need():
    """The features of a dataset hold every attribute that is read here."""
    features = AvatarSource("personas", 1).features()
    assert set(recorded()) <= set(features)
