"""Captions of drawn faces, made of what is known of them.

A picture has facts, one value a group ("glasses": "yes"). A caption tells some of them; it is
true of every picture that has the same values of the groups it tells.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

# What each value is called, by group; several where there are several ways to say it.
NOUNS = {"person": ("person", "face"), "monster": ("monster", "creature")}
MEDIA = {"toon-head": "cartoon"}
_ADJECTIVES: dict[str, dict[str, tuple[str, ...]]] = {
    "smile": {"yes": ("smiling", "happy"), "no": ("serious",)},
    "hair": {"none": ("bald",)},
}
_PARTS: dict[str, dict[str, tuple[str, ...]]] = {
    "glasses": {"yes": ("glasses",), "no": ("no glasses",)},
    "beard": {"yes": ("a beard",), "no": ("no beard",)},
    "skin": {"light": ("light skin",), "dark": ("dark skin",)},
}
_ENDS = {
    "yaw": {"left": "looking left", "right": "looking right", "ahead": "looking ahead"},
    "roll": {"left": "leaning left", "right": "leaning right", "none": "upright"},
}
_OPENINGS = ("", "a photo of ", "a picture of ", "a portrait of ", "an image of ")
_FURTHER = ("with", "and", "of", "a")
_NOUNS_OF = {"hair": ("hair",), "hair_color": ("hair",), "shirt": ("shirt",)}
_COLOURS = {
    "black": ("#1c1714", "#362c47", "#2c1b18"),
    "brown": ("#6c4545", "#724133", "#603a14", "#611c17", "#83623b", "#a55728"),
    "blonde": ("#d6b370", "#b58143", "#cab188", "#a78961"),
    "orange": ("#f29c65", "#fdba74", "#f97316"),
    "red": ("#f27d65", "#e15c66", "#bd1700", "#e24553", "#fca5a5", "#b11f1f", "#d11141"),
    "pink": ("#e16381", "#f55d81", "#fda4af", "#f0abfc", "#ec4899"),
    "white": ("#dee1f5", "#e2e8f0", "#e8e9e6", "#ffeead"),
    "blue": ("#456dff", "#7dd3fc", "#009bbd", "#428bca", "#0b3286", "#5bc0de", "#03396c"),
    "green": ("#6dbb58", "#bef264", "#6ee7b9", "#91cb15", "#147f3c", "#44c585", "#00b159"),
    "purple": ("#7555ca", "#c4b5fd", "#a5b4fc", "#731ac3"),
    "yellow": ("#f3b63a", "#fcd34d", "#eab308", "#ffd969", "#ffc425"),
    "turquoise": ("#54d7c7", "#5eead4", "#88d8b0"),
}
_HAIR = {
    "long": ("long", "extraLong", "bobBangs", "bobCut", "pigtails"),
    "short": ("buzzcut", "fade", "shortCombover", "shortComboverChops", "balding", "sideShave"),
    "curly": ("curly", "curlyBun", "curlyHighTop"),
    "hat": ("beanie", "cap"),
    "mohawk": ("mohawk",),
}
_LIGHT, _DARK = 0.72, 0.52  # brightness of skin
_TURNED, _LEANING = 0.3, 4.0  # yaw; degrees
_COUNTS = (0.1, 0.45, 0.3, 0.15)  # share of captions that tell 0, 1, 2, 3 groups besides the kind


def colour_name(rgb: np.ndarray) -> str:
    """The word for RGB [3] in [0, 1]: that of the nearest colour that artists of the styles use."""
    distances = {
        name: min(float(np.square(_rgb(code) - rgb).sum()) for code in codes)
        for name, codes in _COLOURS.items()
    }
    return min(distances, key=lambda name: distances[name])


def facts_of(style: str, recorded: Mapping[str, Any]) -> dict[str, str]:
    """What is known of a picture, by group.

    Args:
      style: it is drawn in.
      recorded: its attributes, as `data.dataset.Dataset.attributes` returns them.
    """
    is_monster = style == "critters"
    facts = {"kind": "monster" if is_monster else "person"}
    facts |= {"medium": MEDIA[style]} if style in MEDIA else {}
    for group, name in (("smile", "smile"), ("glasses", "glasses"), ("beard", "facial_hair")):
        if recorded[name] in ("yes", "no") and not (is_monster and group != "smile"):
            facts[group] = recorded[name]
    yaw, roll = recorded["yaw"], recorded["roll"]
    facts["yaw"] = _side(yaw, _TURNED, "ahead")
    facts["roll"] = _side(roll, _LEANING, "none")
    skin = np.asarray(recorded["skin_color"])
    if is_monster:
        return facts | {"body": colour_name(skin)}
    brightness = float(skin @ np.asarray([0.299, 0.587, 0.114]))
    facts |= {"skin": "light"} if brightness > _LIGHT else {}
    facts |= {"skin": "dark"} if brightness < _DARK else {}
    return facts | _hair_facts(style, recorded)


def _hair_facts(style: str, recorded: Mapping[str, Any]) -> dict[str, str]:
    options, facts = json.loads(recorded["options"]), {}
    hair, colour = recorded["hair"], np.asarray(recorded["hair_color"])
    kinds = [kind for kind, names in _HAIR.items() if hair in names]
    if hair == "none":
        kinds = ["none"]
    if kinds and style != "toon-head":
        facts["hair"] = kinds[0]
    if colour.min() >= 0 and "hat" not in kinds and "none" not in kinds:
        facts["hair_color"] = colour_name(colour)
    if style == "personas" and options.get("clothesColor", options.get("clothingColor")):
        code = options.get("clothingColor", options.get("clothesColor"))[0]
        facts["shirt"] = colour_name(_rgb(code))
    return facts


def _side(value: float, bound: float, middle: str) -> str:
    return middle if abs(value) <= bound else ("right" if value > 0 else "left")


def _rgb(code: str) -> np.ndarray:
    return np.asarray([int(code[k : k + 2], 16) / 255 for k in (1, 3, 5)])


def caption(facts: Mapping[str, str], random: np.random.Generator) -> tuple[str, tuple[str, ...]]:
    """A caption that tells some of the facts, and the groups that it tells.

    Args:
      facts: of a picture.
      random: decides which of them, and how it is put.
    """
    others = [group for group in facts if group != "kind"]
    count = min(int(random.choice(len(_COUNTS), p=_COUNTS)), len(others))
    told = sorted(random.choice(others, count, replace=False)) if count else []
    return worded({group: facts[group] for group in ("kind", *told)}, random), ("kind", *told)


def worded(facts: Mapping[str, str], random: np.random.Generator) -> str:
    """All of the facts, "kind" among them, as one caption."""

    def one(words: tuple[str, ...]) -> str:
        return words[int(random.integers(len(words)))]

    told = dict(facts)
    noun = one(NOUNS[told.pop("kind")])
    adjectives = [
        one(table[told.pop(group)])
        for group, table in _ADJECTIVES.items()
        if told.get(group) in table
    ]
    adjectives += [told.pop("body")] if "body" in told else []
    parts = [one(table[told.pop(group)]) for group, table in _PARTS.items() if group in told]
    parts += _hair_parts(told)
    if "shirt" in told:
        parts.append(f"a {told.pop('shirt')} shirt")
    random.shuffle(parts)
    medium = told.pop("medium", None)
    opening = f"a {medium} of " if medium else one(_OPENINGS)
    subject = " ".join(["a", *adjectives, noun])
    listing = f" with {' and '.join(parts)}" if parts else ""
    ends = " ".join(_ENDS[group][value] for group, value in told.items())
    return f"{opening}{subject}{listing} {ends}".strip()


def _hair_parts(told: dict[str, str]) -> list[str]:
    """Hair and its colour, taken out of what is to be told."""
    hair, colour = told.pop("hair", ""), told.pop("hair_color", "")
    if hair in ("hat", "mohawk"):
        return [f"a {colour} {hair}".replace("  ", " ")]
    return [f"{hair} {colour} hair".strip().replace("  ", " ")] if hair or colour else []


def words(facts: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """All words that captions of such facts can hold, and a few that join them, sorted.

    Args:
      facts: (group, value), all that occur.
    """
    tables: list[Mapping[str, Mapping[str, tuple[str, ...]]]] = [
        {"kind": NOUNS},
        _ADJECTIVES,
        _PARTS,
        {group: {value: (text,) for value, text in ends.items()} for group, ends in _ENDS.items()},
    ]
    texts = [*_OPENINGS, *_FURTHER]
    for group, value in facts:
        said = [text for table in tables for text in table.get(group, {}).get(value, ())]
        # What has no words of its own is said as it is, such as colours.
        texts += said or [value]
        texts += _NOUNS_OF.get(group, ())
    return tuple(sorted({word for text in texts for word in text.split()}))


def statements(group: str, values: list[str], kind: str) -> list[str]:
    """One caption a value of a group, worded alike, between which a picture can be asked."""
    facts = [{"kind": kind} | {group: value} for value in values]
    return [worded(fact, np.random.default_rng(0)) for fact in facts]
