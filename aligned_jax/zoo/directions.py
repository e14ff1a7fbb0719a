"""Makes the named directions that come with the package: finds, chooses, draws and describes.

The readers of the zoo are asked about random pictures of its parent. What can be told from latents
gets a name; what cannot is listed with the reason.
"""

import json
import shlex
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from aligned_jax.errors import UserError
from aligned_jax.jobs import EditRequest, edit
from aligned_jax.jobs.direction_files import read_direction
from aligned_jax.jobs.directions.found import file_name
from aligned_jax.viz import Sheet
from aligned_jax.zoo.making import ALIGNED, Say, run_command, unheard

NETWORK, READER = "personas64", "people-reader"
NAME = f"{NETWORK}-directions"
CARD, SCORES, PICTURE = "card.md", "scores.json", "sheet.png"
TOLD = {"AUC": 0.7, "rank correlation": 0.4}  # at least
RAISES = 0.2  # likewise, in deviations of the attribute a sigma
SEEDS, SIGMAS = "0-1", 3.0  # of the picture; to either side

FOUND = "found"  # folder that directions are found into
# What the directions are called, and the score of the reader that each raises. Left off
# are beards, of which the network draws hardly any, and channels of colours: white has as much red
# as red has.
ATTRIBUTES = {
    "roll": "roll",
    "yaw": "yaw",
    "glasses": "glasses",
    "smile": "smile",
    "long-hair": "hair=long",
    "very-long-hair": "hair=extraLong",
    "bald": "hair=none",
    "mohawk": "hair=mohawk",
    "curly-hair": "hair=curly",
    "bob-cut": "hair=bobCut",
    "light-hair": "hair_color.lightness",
    "light-skin": "skin_color.lightness",
    "light-shirt": "clothing_color.lightness",
    "sunglasses": "eyes=sunglasses",
    "big-smile": "mouth=bigSmile",
}
# Of these one part of a face tells several: none of them is besides another.
_PART = {
    "eyes": "glasses",
    "hair_color": "hair",
    "mouth": "smile",
    "clothing_color": "clothes",
}


@dataclass(frozen=True)
class Candidate:
    """A direction that was found, and what it is worth.

    Attributes:
      name: it gets.
      attribute: of the reader.
      measure: of `TOLD`; a colour has no value from which on it is there, so that it has no AUC.
      told: how well latents tell it by that, on random ones that it was not fitted to.
      raises: deviations of its attribute that a sigma of it is worth.
      besides: what else it moves most, and by how much.
    """

    name: str
    attribute: str
    measure: str
    told: float
    raises: float
    besides: tuple[str, float]

    @property
    def problem(self) -> str:
        """Why it gets no name; "" if it does."""
        if self.told < TOLD[self.measure]:
            return f"latents tell it badly ({self.measure} {self.told:.2f})"
        if self.raises < RAISES:
            return f"a sigma raises it by {self.raises:+.2f} deviations only"
        other, by = self.besides
        if abs(by) > self.raises:
            return f"it moves {other} ({by:+.2f}) more than its own ({self.raises:+.2f})"
        return ""


def finding() -> list[str]:
    """The command that finds all of them, run in the working folder."""
    find = [ALIGNED, "directions", "find", f"zoo:{NETWORK}", "--judge", f"zoo:{READER}"]
    return [*find, "--attribute", ",".join(ATTRIBUTES.values()), "--batch", "50", "--out", FOUND]


def sheet(files: Mapping[str, Path]) -> Sheet:
    """What each direction does to two seeds that nobody chose: a row each.

    Args:
      files: by the names of the directions.
    """
    drawn = []
    for file in files.values():
        request = EditRequest((f"{file}:{SIGMAS:g}",))
        drawn.append(edit([f"zoo:{NETWORK}"], request, latents=SEEDS, both=True).sheet())
    images = np.concatenate([one.images for one in drawn])
    return Sheet(images, tuple(files), drawn[0].columns, group=drawn[0].group)


def candidate(name: str, found: Mapping[str, Any]) -> Candidate:
    """What a file of a direction says of itself (`Direction.found`)."""
    attribute, effects = found["attribute"], found["effects"]
    others = {one: by for one, by in effects.items() if _part(one) != _part(attribute)}
    besides = max(others.items(), key=lambda item: abs(item[1]))
    merits = found["merits"]
    measure = "rank correlation" if "_color." in attribute else "AUC"
    by = merits["correlation" if "_color." in attribute else "auc"]
    return Candidate(name, attribute, measure, by, effects.get(attribute, 0.0), besides)


def _part(score: str) -> str:
    """What part of a face a score is of: "hair" of "hair=long"."""
    name = score.partition("=")[0].partition(".")[0]
    return _PART.get(name, name)


def make(work: Path, into: Path, say: Say = unheard) -> None:
    """Finds, chooses, draws and describes, leaving out what is done.

    Args:
      work: folder for what is found.
      into: folder that gets a folder of the directions.
      say: hears of every command before it runs, and of what was chosen.

    Raises:
      UserError: if a command fails, or nothing is found.
    """
    if (into / NAME / CARD).exists():
        return
    work.mkdir(parents=True, exist_ok=True)
    if not (work / FOUND).exists():
        run_command(finding(), work, say)
    files = {name: work / FOUND / f"{file_name(a)}.npz" for name, a in ATTRIBUTES.items()}
    told = [candidate(name, read_direction(file).found) for name, file in files.items()]
    chosen = [one for one in told if not one.problem]
    if not chosen:
        raise UserError(f"no direction of zoo:{NETWORK} is worth a name")
    staging = work / "packed" / NAME
    shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir(parents=True)
    for one in chosen:
        shutil.copyfile(files[one.name], staging / f"{one.name}.npz")
    sheet({one.name: files[one.name] for one in chosen}).write(staging / PICTURE)
    scores = {one.name: vars(one) | {"problem": one.problem} for one in told}
    text = json.dumps({"command": shlex.join(finding()), "directions": scores}, indent=2)
    (staging / SCORES).write_text(text + "\n", encoding="utf-8")
    (staging / CARD).write_text(card_text(told), encoding="utf-8")
    into.mkdir(parents=True, exist_ok=True)
    shutil.move(staging, into / NAME)
    say(f"packed {NAME}: {', '.join(one.name for one in chosen)}")


def card_text(told: Sequence[Candidate]) -> str:
    """The card, markdown."""
    rows = "\n".join(
        f"| zoo:{one.name} | {one.attribute} | {one.measure} {one.told:.2f} | "
        f"{one.raises:+.2f} | {one.besides[0]} {one.besides[1]:+.2f} |"
        for one in told
        if not one.problem
    )
    needed = " or ".join(f"{measure} {least}" for measure, least in TOLD.items())
    lost = "\n".join(f"- {one.name}: {one.problem}" for one in told if one.problem)
    return f"""# {NAME}

Directions of [zoo:{NETWORK}](../{NETWORK}/card.md) by name, which mean the same in its children.

![Seeds {SEEDS.replace("-", " and ")}, not chosen, by {SIGMAS:g} sigmas to either side]({PICTURE})

Found in W by a linear SVM between pictures at either end of what
[zoo:{READER}](../{READER}/card.md) says of them, and measured on other, random latents:

| name | score of the reader | told by latents | a sigma raises it by | and most besides |
| --- | --- | --- | --- | --- |
{rows}

Colours have no AUC: none is there or not, but more or less. The last two are in deviations of each
score; other scores of the same part of a face are not counted as besides. What the reader does not
see, a direction may change all the same: look at the picture. Yaw and glasses take skin, hair and
shirts along, mohawks come out short, and where a face is light already, light-skin tears it.

Sought at first and left off the list after a look at the pictures were beards, of which the
network draws hardly any, and hues of hair and shirts: the reader tells red, green and blue by
themselves, and white has as much red as red has. The bars below were set when scores were known,
so that they sort these directions and do not test them.

Sought, and not given a name ({needed}, {RAISES} deviations a sigma, and more than anything
besides, are needed):

{lost or "- nothing"}

```sh
{shlex.join(finding())}
python -m aligned_jax.train.zoo_directions --work zoo-work    # makes all of this again
aligned directions show zoo:
aligned edit zoo:{NETWORK} zoo:critters64 --edit zoo:roll:4 --out edit.png
```
"""
