"""How each drawn style names what all faces share: the only place that knows.

Styles are DiceBear's; those offered have artwork under CC0 or CC BY. A style
is made of components (hair, eyes, ...) in variants, some shown only sometimes.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Shown:
    """An attribute is there while `component` shows one of `variants` (any, if empty)."""

    component: str
    variants: tuple[str, ...] = ()


@dataclass(frozen=True)
class Table:
    """Where a style keeps the shared attributes.

    Attributes:
      hair: component of the hair, whose variants in `bald` show none, and those in
        `hats` something else on the head, coloured in its place; None: no hair.
      hair_color, skin_color: names of the colours; None: drawn in ink alone.
      glasses, facial_hair: where they can appear; () for never; None: not told
        apart in the style's names, hence unknown.
      mouth: component of the mouth; `smiling` are the variants that smile; None: not
        told apart.
      turned: components that a turn of the head to the side carries along.
    """

    mouth: str
    turned: tuple[str, ...]
    hair: str | None = None
    bald: tuple[str, ...] = ()
    hats: tuple[str, ...] = ()
    hair_color: str | None = None
    skin_color: str | None = None
    glasses: tuple[Shown, ...] | None = ()
    facial_hair: tuple[Shown, ...] | None = ()
    smiling: tuple[str, ...] | None = None


def matches(name: str, patterns: tuple[str, ...]) -> bool:
    """Whether a variant is one of `patterns`; "smile*" is any that begins so."""
    return any(
        name.startswith(pattern[:-1]) if pattern.endswith("*") else name == pattern
        for pattern in patterns
    )


_BEARD, _GLASSES = (Shown("beard"),), (Shown("glasses"),)
_HAPPY = ("happy*",)

STYLES = {
    "adventurer": Table(
        hair="hair",
        bald=("short19",),
        hair_color="hair",
        skin_color="skin",
        glasses=_GLASSES,
        facial_hair=(Shown("details", ("mustache",)),),
        mouth="mouth",
        turned=("eyes", "eyebrows", "mouth", "details", "glasses"),
    ),
    "big-ears": Table(
        hair="hair",
        hair_color="hair",
        skin_color="skin",
        glasses=None,
        facial_hair=None,
        mouth="mouth",
        turned=("eyes", "mouth", "nose", "details"),
    ),
    "big-smile": Table(
        hair="hair",
        bald=("shavedHead",),
        hair_color="hair",
        skin_color="skin",
        glasses=(Shown("accessories", ("glasses", "sunglasses")),),
        facial_hair=(Shown("accessories", ("mustache",)),),
        mouth="mouth",
        smiling=("awkwardSmile", "braces", "gapSmile", "kawaii", "openedSmile", "teethSmile"),
        turned=("eyes", "mouth"),
    ),
    "toon-head": Table(
        hair="hair",
        hair_color="hair",
        skin_color="skin",
        facial_hair=_BEARD,
        mouth="mouth",
        smiling=("laugh", "smile"),
        turned=("eyes", "eyebrows", "mouth", "beard"),
    ),
    "personas": Table(
        hair="hair",
        bald=("bald",),
        hair_color="hair",
        skin_color="skin",
        glasses=(Shown("eyes", ("glasses", "sunglasses")),),
        facial_hair=(Shown("facialHair"),),
        mouth="mouth",
        smiling=("bigSmile", "smile", "smirk"),
        turned=("eyes", "facialHair", "mouth", "nose"),
    ),
    "micah": Table(
        hair="hair",
        bald=("mrClean",),
        hats=("turban",),
        hair_color="hair",
        skin_color="base",
        glasses=_GLASSES,
        facial_hair=(Shown("facialHair"),),
        mouth="mouth",
        smiling=("laughing", "smile", "smirk"),
        turned=("eyes", "eyebrows", "nose"),
    ),
    "open-peeps": Table(
        hair="head",
        bald=("noHair*",),
        hats=("hat*", "hijab", "turban"),
        hair_color="headContrast",
        skin_color="skin",
        glasses=(Shown("accessories", ("glasses*", "sunglasses*")),),
        facial_hair=(Shown("facialHair"),),
        mouth="expression",
        smiling=("cheeky", "cute", "eatingHappy", "lovingGrin*", "smile*"),
        turned=("expression", "accessories", "facialHair", "mask"),
    ),
    "lorelei": Table(
        hair="hair",
        hair_color="hair",
        skin_color="skin",
        glasses=_GLASSES,
        facial_hair=_BEARD,
        mouth="mouth",
        smiling=_HAPPY,
        turned=("eyes", "eyebrows", "freckles", "glasses", "mouth", "nose"),
    ),
    "notionists": Table(
        hair="hair",
        glasses=_GLASSES,
        facial_hair=_BEARD,
        mouth="mouth",
        turned=("eyes", "eyebrows", "glasses", "mouth", "nose", "beard"),
    ),
    "miniavs": Table(
        hair="hair",
        hair_color="hair",
        skin_color="skin",
        glasses=_GLASSES,
        facial_hair=(Shown("mustache"),),
        mouth="mouth",
        smiling=("default", "missingTooth"),
        turned=("eyes", "glasses", "mouth", "mustache", "blush"),
    ),
    "pixel-art": Table(
        hair="hair",
        hair_color="hair",
        skin_color="skin",
        glasses=_GLASSES,
        facial_hair=_BEARD,
        mouth="mouth",
        smiling=_HAPPY,
        turned=("eyes", "glasses", "mouth", "beard"),
    ),
    "critters": Table(
        skin_color="body",
        mouth="mouth",
        smiling=("smile", "tinySmile", "grin", "laugh", "smirk", "catMouth", "tongue", "blep"),
        turned=("eyes", "mouth", "cheeks"),
    ),
    "dylan": Table(
        hair="hair",
        hair_color="hair",
        skin_color="skin",
        facial_hair=(Shown("facialHair"),),
        mouth="mood",
        smiling=("happy", "hopeful", "superHappy"),
        turned=("mood", "facialHair"),
    ),
    "croodles": Table(
        hair="top",
        bald=("variant28",),
        hats=("variant20", "variant21", "variant22", "variant23", "variant24", "variant25"),
        hair_color="top",
        skin_color="base",
        glasses=None,
        facial_hair=(
            Shown("beard"),
            Shown("mustache"),
            Shown("mouth", ("variant08", "variant12")),
        ),
        mouth="mouth",
        turned=("eyes", "nose", "mouth", "mustache"),
    ),
}
