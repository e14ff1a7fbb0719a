"""What is in the zoo: which data are drawn, and how each network is trained on them."""

from dataclasses import dataclass


@dataclass(frozen=True)
class DrawnData:
    """A dataset of drawn avatars: the options of `aligned data avatars`."""

    style: str
    count: int
    zoom: float = 1.0


@dataclass(frozen=True)
class Model:
    """One network of the zoo.

    Attributes:
      data: name in `DATA`.
      start: the model it is fine-tuned from, or None for one from scratch.
      kimg, seed: of the training.
      says: one sentence for the card.
      flaws: what its pictures do not do well.
    """

    data: str
    start: str | None
    kimg: int
    seed: int
    says: str
    flaws: str = ""


@dataclass(frozen=True)
class ZooEncoder:
    """One encoder of the zoo.

    Attributes:
      generator: the model whose latents it finds.
      data: name in `DATA`.
      space: of its latents.
      kimg, seed, options: of the training.
      says, flaws: as for `Model`.
    """

    generator: str
    data: str
    space: str
    kimg: int
    seed: int
    options: tuple[str, ...]
    says: str
    flaws: str = ""


# Heads turn and tilt alike in all of them, so that pose is something a family can share.
POSE = ("--roll", "12", "--yaw", "1")
DATA = {
    "personas": DrawnData("personas", 50000, zoom=1.25),
    "toon-head": DrawnData("toon-head", 20000, zoom=1.1),
    "pixel-art": DrawnData("pixel-art", 20000),
    "critters": DrawnData("critters", 20000),
}
MODELS = {
    "personas64": Model(
        "personas",
        None,
        300,
        0,
        "The parent: people.",
        "Heads, hair, skin, shirts and who wears glasses are clear. Eyes are mostly two unequal "
        "dashes, glasses are broken strokes that take the place of the eyes, mouths are often "
        "crooked, a few faces have blue blots, and large hair is smeared.",
    ),
    "toon-head64": Model(
        "toon-head",
        "personas64",
        80,
        1,
        "A near child: people in another style.",
        "Heads, hair, skin and clothes are clear. Eyes, brows and mouths are thin strokes that "
        "often run into one another: about one face in five has no readable eyes, and some have "
        "a stray dark stroke. Beards blur the lower half of the face.",
    ),
    "pixel-art64": Model(
        "pixel-art",
        "personas64",
        80,
        2,
        "A near child of another texture.",
        "Faces, hair, skin, eyes and shirts are clear in most. Pixels are not square: straight "
        "edges came out wavy. Sunglasses are torn, and about one face in ten is blurred or has no "
        "eyes.",
    ),
    "critters64": Model(
        "critters",
        "personas64",
        80,
        3,
        "The distant child: monsters.",
        "Bodies, colours, eyes and mouths are clear. What floats above the heads is often a faint "
        "smear, pale bodies have blotches, and about one monster in sixty is dark and faceless.",
    ),
    "personas-again64": Model(
        "personas",
        "critters64",
        80,
        4,
        "A grandchild: people again, by way of monsters.",
        "Heads, hair, skin, shirts and mostly who wears glasses are clear. Mouths are small "
        "smudges, rims are thick and crooked, about one face in twelve has only fragments of "
        "glasses, and large hair is smeared.",
    ),
    "critters64-scratch": Model(
        "critters",
        None,
        80,
        5,
        "The control: as critters64 in data and length, but from scratch, so aligned with nothing.",
        "Bodies and faces are clear, but few kinds: brows are heavy, mouths much the same, colours "
        "fewer than in the data, and backgrounds are not quite white. From scratch this length is "
        "short.",
    ),
}

_SHORT = ("--batch", "16", "--losses.learning-rate", "1e-3")  # the published rate is for 1600 kimg
_E4E = (
    *_SHORT,
    *("--losses.d-learning-rate", "2e-4"),
    *("--encoder.stages", "32", "1", "64", "2", "128", "2", "64", "1"),
)
ENCODERS = {
    "personas64-e4e": ZooEncoder(
        *("personas64", "personas", "w+", 60, 6, _E4E),
        "From people to latents in W+ (e4e).",
        "Skin, hair and its colour, shirts and dark glasses come back. Heads turned aside look "
        "ahead, tails of hair and curls become smears, mouths are much the same, and what is held "
        "between the lips is lost, as the generator has none of it.",
    ),
    "personas64-z": ZooEncoder(
        *("personas64", "personas", "z", 40, 7, _SHORT),
        "From people to latents in Z (pSp).",
        "Skin, glasses and the colour of hair come back, always in a face that the generator "
        "might draw. Hair itself is mostly short, bald heads get some, shirts are often of "
        "another colour, and heads turned aside look ahead.",
    ),
    "critters64-z": ZooEncoder(
        *("critters64", "critters", "z", 40, 8, _SHORT),
        "From monsters to latents in Z (pSp).",
        "Colours, and the way bodies lean, come back. Eyes and mouths are much the same for all, "
        "whatever their number was, and horns and ears become one spike.",
    ),
    "critters64-e4e": ZooEncoder(
        *("critters64", "critters", "w+", 40, 9, _E4E),
        "From monsters to latents in W+ (e4e).",
        "Colours, the way bodies lean, and roughly what grows on top of them come back. Eyes and "
        "mouths are much the same for all, whatever their number was; pale bodies are blotched.",
    ),
}
