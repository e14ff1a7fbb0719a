"""Makes the readers that come with the package: draws data, trains, reads samples, describes."""

import shlex
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aligned_jax.features.attributes.card import COLUMNS, ReaderCard, reader_card
from aligned_jax.features.attributes.file import ZOO_FILE
from aligned_jax.zoo.making import ALIGNED, RESOLUTION, Say, run_command, unheard
from aligned_jax.zoo.members import DATA, POSE

COUNT, SEED = 6000, 7  # other faces than the generators were trained on
PARTS_COUNT, PARTS_SEED = 2000, 8  # and others than the attributes were learnt from
SAMPLES = "0-23"


@dataclass(frozen=True)
class ZooReader:
    """One reader of the zoo.

    Attributes:
      data: name of its folder of data.
      style: of what is drawn, in `DATA`.
      network: of the zoo, whose pictures are read as samples.
      attributes: those it learns; None for all that vary.
      says, flaws: for the card.
      parts: options of `aligned attributes parts`; None for a reader that tells no parts.
    """

    data: str
    style: str
    network: str
    attributes: tuple[str, ...] | None
    says: str
    flaws: str
    parts: tuple[str, ...] | None = None


READERS = {
    "people-reader": ZooReader(
        "people",
        "personas",
        "personas64",
        (
            *("facial_hair", "glasses", "smile", "roll", "yaw", "hair", "hair_color"),
            *("skin_color", "mouth", "eyes", "clothes", "clothing_color"),
        ),
        "What people show: glasses, hair, colours, mouth, clothes, and where they turn.",
        "Half of the beards are missed, and hardly any is made up. Noses are not told apart at 64 "
        "pixels, and are left out. Of generated pictures, torn glasses of which a few strokes are "
        "left are taken for none. Of parts, eyes and beards are not found at all, and mouths "
        "hardly.",
        ("--num", "800", "--batch", "16"),
    ),
    "monsters-reader": ZooReader(
        "monsters",
        "critters",
        "critters64",
        None,
        "What monsters show: body, colours, eyes, mouth, what grows on top, and how they lean.",
        "Patterns and cheeks are too faint at 64 pixels: they are guessed, no better than by "
        "chance. The second colour is not seen on every monster, and then a guess as well.",
    ),
}


def commands(name: str) -> dict[str, list[str]]:
    """The commands that draw data of a reader and train it, by the file or folder that they make.

    They are run in the working folder, in this order.
    """
    reader = READERS[name]
    folder = f"data/{reader.data}"
    chosen = ["--attributes", ",".join(reader.attributes)] if reader.attributes else []
    attributes = f"readers/{name}.safetensors"
    train = [ALIGNED, "attributes", "train", "--data", folder, *chosen, "--half"]
    made = {
        folder: _drawing(reader, COUNT, SEED, folder),
        attributes: [*train, "--out", attributes],
    }
    if reader.parts is not None:
        others, result = f"{folder}-parts", f"readers/{name}-parts.safetensors"
        teach = [ALIGNED, "attributes", "parts", attributes, "--data", others, *reader.parts]
        made[others] = _drawing(reader, PARTS_COUNT, PARTS_SEED, others)
        made[result] = [*teach, "--half", "--out", result]
    return made


def _drawing(reader: ZooReader, count: int, seed: int, folder: str) -> list[str]:
    style = DATA[reader.style]
    draw = [ALIGNED, "data", "avatars", "--style", style.style, "--zoom", str(style.zoom), *POSE]
    draw += ["--count", str(count), "--resolution", str(RESOLUTION), "--seed", str(seed)]
    return [*draw, "--out", folder]


def make(name: str, work: Path, into: Path, say: Say = unheard) -> None:
    """Draws, trains and packs one reader, leaving out what is done.

    Args:
      name: in `READERS`.
      work: folder for data and readers.
      into: folder that gets a folder of the reader's name.
      say: hears of every command before it runs.

    Raises:
      UserError: if a command fails.
    """
    reader = READERS[name]
    if (into / name / ZOO_FILE).exists():
        return
    (work / "data").mkdir(parents=True, exist_ok=True)
    file = ""
    for file, command in commands(name).items():
        if not (work / file).exists():
            run_command(command, work, say)
    staging = work / "packed" / name
    shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir(parents=True)
    shutil.copyfile(work / file, staging / ZOO_FILE)
    read = [ALIGNED, "attributes", "read", file, f"zoo:{reader.network}"]
    run_command([*read, "--seeds", SAMPLES, "--out", f"packed/{name}/samples.png"], work, say)
    licence = (work / "data" / reader.data / "LICENSE").read_text(encoding="utf-8")
    text = card_text(name, reader_card(staging / ZOO_FILE), licence)
    (staging / "card.md").write_text(text, encoding="utf-8")
    into.mkdir(parents=True, exist_ok=True)
    shutil.move(staging, into / name)
    say(f"packed {name}")


def card_text(name: str, card: ReaderCard, licence: str) -> str:
    """The card of a reader, markdown."""
    reader = READERS[name]
    known, config = card.reader.card, card.reader.config
    counts = ", ".join(f"{count:,} to {what}" for what, count in known["pictures"].items())
    rows = "\n".join(f"| {' | '.join(row)} |" for row in card.rows())
    values = "\n".join(
        f"- {head.name}: {', '.join(head.values)}" for head in config.heads if head.values
    )
    made = "\n".join(map(shlex.join, commands(name).values()))
    heads = f"| attribute | kind | {' | '.join(COLUMNS)} |\n|{' --- |' * (len(COLUMNS) + 2)}"
    software = ", ".join(f"{what} {number}" for what, number in known["versions"].items())
    return f"""# {name}

{reader.says}

![Seeds {SAMPLES.replace("-", " to ")} of zoo:{reader.network}, not chosen](samples.png)

{reader.flaws}

Made by

```sh
{made}
```

with {software}; {counts}; stored in float16.

## Accuracy

On drawn pictures that it never saw; pictures of a network are another matter, and the samples above
show how it reads them. Chance is the share of the commonest value, signs that of right signs.

{heads}
{rows}

{values}

{_parts_text(known["parts"]) if "parts" in known else ""}```sh
aligned attributes show zoo:{name}
aligned attributes read zoo:{name} zoo:{reader.network} --seeds 0-15
```

## Artwork

{licence}"""


def _parts_text(parts: Mapping[str, Any]) -> str:
    """How well parts are told, markdown."""
    counts = " and ".join(f"{count:,} to {what}" for what, count in parts["pictures"].items())
    rows = "\n".join(f"| {part} | {score:.3f} |" for part, score in parts["scores"].items())
    return f"""## Parts

Where parts are, learnt from drawn pictures with exact masks, other ones than above: {counts}. In
pictures of a network nobody knows where parts are, so that this is not measured there.

| part | intersection over union |
| --- | --- |
{rows}

"""
