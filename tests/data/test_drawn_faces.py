import numpy as np
import pytest

from aligned_jax.data import artwork
from aligned_jax.data.avatar_source import AvatarSource
from aligned_jax.data.avatars import ABSENT, draw_avatar
from aligned_jax.data.styles import STYLES, matches
from aligned_jax.errors import UserError
from tests.helpers import DATA


def parts(table):
    named = [*(table.glasses or ()), *(table.facial_hair or ())]
    yield from ((part.component, part.variants) for part in named)
    yield from ((table.hair, group) for group in (table.bald, table.hats) if table.hair)
    yield table.mouth, table.smiling or ()
    yield from ((component, ()) for component in table.turned)


@pytest.mark.parametrize("style", STYLES)
def test_the_table_names_what_the_style_has(style):
    """A name that the artwork lacks would silently never match."""
    definition, table = artwork.definition(style), STYLES[style]
    for component, patterns in parts(table):
        names = artwork.variants(style, component)
        for pattern in patterns:
            assert any(matches(name, (pattern,)) for name in names), (component, pattern)
    colors = {table.hair_color, table.skin_color} - {None}
    assert colors <= set(definition["colors"])
    assert definition["meta"]["license"]["name"] in artwork.credit(style)


@pytest.mark.parametrize("style", STYLES)
def test_the_notice_credits_the_artwork(style):
    notice = " ".join((DATA.parent.parent / "NOTICE").read_text("utf-8").split())
    meta = artwork.definition(style)["meta"]
    for text in (meta["source"]["name"], meta["source"]["url"], meta["creator"]["name"]):
        assert text in notice
    (line,) = [part for part in notice.split("* ") if part.startswith(f"{style}:")]
    assert meta["license"]["name"] in line


@pytest.mark.parametrize("style", STYLES)
def test_no_turned_part_lies_within_another(style):
    """It would be shifted twice."""
    components = artwork.definition(style)["components"]
    for outer in STYLES[style].turned:
        inner = [c for c in STYLES[style].turned if c != outer]
        assert not any(list(artwork._placements(components[outer], c)) for c in inner)


@pytest.mark.slow
@pytest.mark.parametrize("style", STYLES)
def test_every_style_draws_on_white(style):
    image, attributes = draw_avatar(style, "a", 24)
    assert image.shape == (24, 24, 3) and image.dtype == np.uint8
    assert (image[0, 0] == 255).all()
    assert image.min() < 128
    assert attributes.glasses in ("yes", "no", "unknown")
    again, _ = draw_avatar(style, "a", 24)
    np.testing.assert_array_equal(image, again)


@pytest.mark.slow
@pytest.mark.parametrize("style", STYLES)
def test_yaw_moves_the_face_sideways_only(style):
    straight, _ = draw_avatar(style, "a", 32)
    turned, attributes = draw_avatar(style, "a", 32, yaw=1.0)
    assert attributes.yaw == 1.0
    assert (straight != turned).any()


def test_seed_background_zoom_and_roll_change_the_picture():
    plain, _ = draw_avatar("personas", "a", 32)
    others = [
        draw_avatar("personas", "b", 32),
        draw_avatar("personas", "a", 32, background=("#0000ff",)),
        draw_avatar("personas", "a", 32, zoom=1.4),
        draw_avatar("personas", "a", 32, roll=15.0),
    ]
    assert all((plain != image).any() for image, _ in others)
    assert others[1][0][0, 0].tolist() == [0, 0, 255]
    assert [attributes.roll for _, attributes in others] == [0, 0, 0, 15]


def test_no_hair_of_the_backgrounds_colour():
    def seen(background):
        drawn = (draw_avatar("dylan", f"s{k}", 8, background=background) for k in range(40))
        return {attributes.hair_color for _, attributes in drawn}

    assert (1.0, 1.0, 1.0) not in seen(("#ffffff",)) | seen(("FFF",))
    assert (1.0, 1.0, 1.0) in seen(("#00ff00",))


def switched(style, name, seeds=12):
    for k in range(seeds):
        for value in (False, True):
            _, attributes = draw_avatar(style, f"s{k}", 8, {name: value})
            assert getattr(attributes, name) == ("yes" if value else "no")


def test_attributes_follow_overrides():
    switched("personas", "glasses")
    switched("personas", "smile")
    switched("toon-head", "facial_hair")
    switched("big-smile", "glasses")
    switched("croodles", "facial_hair")


def test_a_counterfactual_differs_in_one_thing():
    beard = ("facialHair", "beard", "mustache", "mouth")
    for style, change, may_change in (
        ("personas", {"glasses": True}, ("eyes",)),
        ("critters", {"skin_color": "#00aa00"}, ("bodyColor",)),
        ("micah", {"skin_color": "#77311d"}, ("baseColor",)),
        ("croodles", {"facial_hair": False}, beard),
    ):
        different = 0
        for k in range(6):
            image, before = draw_avatar(style, f"s{k}", 8)
            other, after = draw_avatar(style, f"s{k}", 8, change)
            keys = before.options.keys() | after.options.keys()
            changed = [v for v in keys if before.options.get(v) != after.options.get(v)]
            assert all(key.startswith(may_change) for key in changed), changed
            different += (image != other).any()
        assert different


def test_names_and_colours():
    _, attributes = draw_avatar(
        "personas", "a", 16, {"hair": "mohawk", "hair_color": "#f00", "mouth": "smirk"}
    )
    assert (attributes.hair, attributes.mouth) == ("mohawk", "smirk")
    assert attributes.hair_color == (1.0, 0.0, 0.0)
    for name in ("none", "bald"):
        _, attributes = draw_avatar("personas", "a", 16, {"hair": name})
        assert attributes.hair == "none" and attributes.hair_color == ABSENT
    _, attributes = draw_avatar("personas", "a", 16, {"hair": "balding"})
    assert attributes.hair == "balding" and attributes.hair_color != ABSENT
    _, attributes = draw_avatar("critters", "a", 16)
    assert (attributes.hair, attributes.glasses, attributes.hair_color) == ("none", "no", ABSENT)
    assert draw_avatar("big-ears", "a", 16)[1].glasses == "unknown"
    assert draw_avatar("croodles", "a", 16, {"hair": "variant20"})[1].hair_color == ABSENT


@pytest.mark.parametrize(
    ("style", "overrides", "message"),
    [
        ("cats", {}, "there is no style 'cats'"),
        ("personas", {"nose": "long"}, "unknown attributes nose"),
        ("personas", {"hair": "wig"}, "no hair 'wig'"),
        ("toon-head", {"glasses": True}, "cannot have glasses True"),
        ("miniavs", {"smile": False}, "no mouth that would be without it"),
        ("personas", {"hair": "bald", "hair_color": "#ff0000"}, "cannot have hair_color"),
        ("personas", {"hair_color": "red"}, "'red' is no colour"),
        ("big-smile", {"glasses": True, "facial_hair": True}, "cannot have all of"),
    ],
)
def test_what_cannot_be_drawn_is_said(style, overrides, message):
    with pytest.raises(UserError, match=message):
        draw_avatar(style, "a", 16, overrides)


def test_sizes_out_of_bounds_are_refused():
    for arguments in ({"resolution": 4}, {"yaw": 1.5}, {"roll": 1e9}, {"zoom": 0.0}):
        with pytest.raises(UserError):
            draw_avatar("personas", "a", **arguments)
    with pytest.raises(UserError, match="'blau' is no colour"):
        draw_avatar("personas", "a", background=("blau",))
    with pytest.raises(UserError, match="nothing is no colour"):
        draw_avatar("personas", "a", background=())
    with pytest.raises(UserError, match="yaw"):
        AvatarSource("personas", 3, yaw=2.0).check()


def test_another_seed_draws_other_faces_and_splits_share_none():
    def seeds(source, split):
        return [(e["seed"], e["image"]) for e in source.examples(split, 0, 4)]

    source = AvatarSource("personas", 4, 4, 16)
    train, test = seeds(source, "train"), seeds(source, "test")
    other = seeds(AvatarSource("personas", 4, 4, 16, seed=1), "train")
    for several in (test, other):
        assert not {text for text, _ in train} & {text for text, _ in several}
        assert [image for _, image in train] != [image for _, image in several]


@pytest.mark.slow
def test_poses_are_drawn_within_their_bounds():
    source = AvatarSource("personas", 20, 0, 8, roll=10.0, yaw=0.5)
    examples = list(source.examples("train", 0, 20))
    rolls = [example["roll"] for example in examples]
    yaws = [example["yaw"] for example in examples]
    assert -10 <= min(rolls) < -1 and 1 < max(rolls) <= 10
    assert -0.5 <= min(yaws) < 0 < max(yaws) <= 0.5
