"""Ten prompts and nonsense, in a parent and its children: python -m studies.text_prompts ...

Every prompt becomes a direction in the parent's style channels, as `aligned directions text` finds
it, and shifts pictures of the parent, of its children, and of a network that is aligned with
nothing. Readers of attributes tell how far the attribute that was asked for moves, and how far all
others do, each in its deviations over the network's own pictures.

The picture, and the table between the marks of its page, are replaced in --docs; numbers go to
--work. What channels change is measured once and kept in the cache folder; the same line goes on
after an interruption.
"""

import argparse
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import aligned_jax as aj
from aligned_jax import viz
from aligned_jax.errors import UserError
from aligned_jax.features import attributes, clip
from aligned_jax.jobs.relevance import IndexOptions
from aligned_jax.jobs.text_directions import (
    TextDirection,
    TextOptions,
    moved,
    styles_of,
    text_direction,
)
from aligned_jax.networks.network import Network
from aligned_jax.semantics.leakage import score_leakage
from aligned_jax.utils.blocks import blocks
from benchmarks.reporting import between_marks, command, markdown, write_text
from studies.tables import write_document

PAGE, PICTURE = "text_directions.md", "images/text_prompts.png"
ALTERNATIVE = "Each prompt in the first seeds of each network, not chosen"
MARKS = "<!-- studies.text_prompts -->", "<!-- end of the table -->"
FRESH = 5000  # first seed; no direction was found or tried on it
LONG = ("long", "extraLong", "bobBangs", "bobCut", "pigtails")
Measures = Callable[[np.ndarray], dict[str, np.ndarray]]


@dataclass(frozen=True)
class Prompt:
    """What is asked for, and what readers tell of it.

    Attributes:
      target: words that are wanted, of "a person".
      measure, sign: of `people` and `monsters`, and which way it should move; "" for none.
    """

    target: str
    measure: str
    sign: int = 1


PROMPTS = (
    Prompt("a person with red hair", "hair red"),
    Prompt("a person with black hair", "hair light", -1),
    Prompt("a person with long hair", "hair long"),
    Prompt("a person with glasses", "glasses"),
    Prompt("a smiling person", "smile"),
    Prompt("a person leaning left", "roll", -1),
    Prompt("a person looking right", "yaw"),
    Prompt("a person with a blue shirt", "shirt blue"),
    Prompt("a person with a red shirt", "shirt red"),
    Prompt("a person with dark skin", "skin light", -1),
    Prompt("with with and of", ""),
)
NEUTRAL = "a person"


@dataclass(frozen=True)
class Effect:
    """What a prompt does to pictures of one network.

    Attributes:
      moved: mean change of the attribute in its deviations, positive if it is as asked for.
      leaks: mean change of the others, each in its deviations, over that.
    """

    moved: float
    leaks: float


def main(argv: list[str] | None = None) -> None:
    """Finds, shifts, reads and reports."""
    args = parse(argv)
    names = [args.parent, *args.children, args.control]
    networks = {aj.loading.label_of(name): aj.load(name) for name in names}
    parent, seer = next(iter(networks.values())), clip.load(args.clip)
    judges = {
        name: people(args.people) if shows_people(name) else monsters(args.monsters)
        for name in networks
    }
    # Several groups, or nobody knows whether seeds agree.
    index = IndexOptions(seeds=args.index_seeds, group=max(min(10, args.index_seeds // 4), 1))
    found = {}
    for prompt in PROMPTS:
        options = TextOptions(index=index, strength=args.strength)
        found[prompt] = text_direction(
            parent,
            target=prompt.target,
            neutral=NEUTRAL,
            clip=seer,
            options=options,
            unreliable=True,
        )
        say(f"{prompt.target}: {found[prompt].problem or 'reliable'}; {found[prompt].summary}")
    effects, columns = {}, []
    for name, network in networks.items():
        before = drawn(network, {}, 0.0, args)
        edits = [
            drawn(network, one.direction.vectors, args.strength, args) for one in found.values()
        ]
        scores = judges[name](before)
        for prompt, after in zip(found, edits, strict=True):
            effects[prompt, name] = effect(prompt, scores, judges[name](after))
        columns.append(viz.to_uint8(np.stack([one[: args.show] for one in (before, *edits)])))
        say(f"read {name}")
    file = io.BytesIO()
    labels = [
        f"{name} {k}" if args.show > 1 else name for name in networks for k in range(args.show)
    ]
    rows = ["as it is", *(prompt.target for prompt in PROMPTS)]
    viz.save_png(file, viz.figure(np.concatenate(columns, axis=1), labels, rows, group=args.show))
    with viz.writing(Path(args.docs) / PICTURE, overwrite=True) as out:
        out.write(file.getvalue())
    line = command("studies.text_prompts", argv)
    table = markdown(*cells(found, effects, list(networks)))
    page = Path(args.docs) / PAGE
    text = f"```\n{line}\n```\n\n{table}\n\n![{ALTERNATIVE}]({PICTURE})"
    write_text(page, between_marks(page.read_text(encoding="utf-8"), MARKS, text))
    document = [row(prompt, one, effects, networks) for prompt, one in found.items()]
    write_document(Path(args.work) / "text_prompts.json", line, vars(args), rows=document)
    print(table)


def parse(argv: list[str] | None) -> argparse.Namespace:
    """Command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    add = parser.add_argument
    add("--work", required=True, metavar="DIR", help="for the numbers")
    add("--docs", default="docs", metavar="DIR", help="whose page and picture are replaced")
    add("--clip", default="zoo:avatars-clip", metavar="C", help="as of `aligned directions text`")
    add("--parent", default="zoo:personas64", metavar="NETWORK", help="where directions are found")
    children = ["zoo:personas-again64", "zoo:toon-head64", "zoo:critters64"]
    add("--children", nargs="*", default=children, metavar="NETWORK")
    add(
        "--control",
        default="zoo:critters64-scratch",
        metavar="NETWORK",
        help="aligned with nothing",
    )
    add("--people", default="zoo:people-reader", metavar="READER", help="of networks of people")
    add("--monsters", default="zoo:monsters-reader", metavar="READER", help="of those of critters")
    add("--index-seeds", type=int, default=100, help="in which channels are measured")
    add("--strength", type=float, default=5.0, help="in sigmas of the most relevant channel")
    add("--images", type=int, default=64, help="of each network that are read")
    add("--show", type=int, default=1, help="seeds of the picture, the first ones")
    return parser.parse_args(argv)


def shows_people(name: str) -> bool:
    """Whether a network of the zoo draws people."""
    return not name.startswith("critters")


def people(source: str) -> Measures:
    """What a reader of people tells, float [N] each."""
    reader = attributes.load(source)
    hair = next(head for head in reader.heads if head.name == "hair")
    columns = [hair.values.index(value) for value in LONG if value in hair.values]

    def measures(images: np.ndarray) -> dict[str, np.ndarray]:
        found = reader(images)
        return {
            **{name: found[name] for name in ("roll", "yaw", "glasses", "smile")},
            "hair long": found["hair"][:, columns].sum(axis=1),
            "hair red": hue(found["hair_color"], 0),
            "hair light": found["hair_color"].mean(axis=1),
            "skin light": found["skin_color"].mean(axis=1),
            "shirt red": hue(found["clothing_color"], 0),
            "shirt blue": hue(found["clothing_color"], 2),
        }

    return measures


def monsters(source: str) -> Measures:
    """What a reader of monsters tells, float [N] each."""
    reader = attributes.load(source)

    def measures(images: np.ndarray) -> dict[str, np.ndarray]:
        found = reader(images)
        return {
            **{name: found[name] for name in ("roll", "yaw", "smile")},
            "skin light": found["skin_color"].mean(axis=1),
            "body red": hue(found["skin_color"], 0),
            "body blue": hue(found["skin_color"], 2),
        }

    return measures


def hue(colours: np.ndarray, channel: int) -> np.ndarray:
    """By how much a channel of RGB [N, 3] is above the mean of the others."""
    others = [k for k in range(3) if k != channel]
    return np.asarray(colours[:, channel] - colours[:, others].mean(axis=1))


def drawn(
    network: Network, vectors: Mapping[str, np.ndarray], strength: float, args: argparse.Namespace
) -> np.ndarray:
    """Pictures of fresh seeds, shifted, float32 [N, H, W, C] in [-1, 1]."""
    parts, index = [], IndexOptions()
    for rows, kept in blocks(args.images, 16):
        styles = styles_of(network, [FRESH + int(k) for k in rows], index)
        parts.append(np.asarray(network.render(moved(styles, dict(vectors), strength)))[:kept])
    return np.clip(np.concatenate(parts), -1, 1)


def effect(
    prompt: Prompt, before: Mapping[str, np.ndarray], after: Mapping[str, np.ndarray]
) -> Effect | None:
    """What became of the attribute and of the others; None where no reader tells it."""
    if prompt.measure not in before:
        return None
    deviations = {name: float(np.std(values)) for name, values in before.items()}
    change = after[prompt.measure].astype(np.float64) - before[prompt.measure]
    by = prompt.sign * float(change.mean()) / max(deviations[prompt.measure], 1e-12)
    try:
        leaks = float(score_leakage(prompt.measure, [before, after], deviations)[0])
    except UserError:  # nothing moved
        leaks = float("inf")
    return Effect(by, leaks)


def cells(
    found: Mapping[Prompt, TextDirection],
    effects: Mapping[tuple[Prompt, str], Effect | None],
    networks: Sequence[str],
) -> tuple[list[str], list[list[str]]]:
    """Headings and rows of the table."""
    headings = ["wanted of a person", "reliable", "seeds agree", "chance", "rises in", *networks]
    rows = []
    for prompt, one in found.items():
        told = [effects[prompt, name] for name in networks]
        shown = ["-" if e is None else f"{e.moved:+.2f} ({e.leaks:.2f})" for e in told]
        merits = [f"{one.agreement:.2f}", f"{one.chance:.2f}", f"{one.rose:.0%}"]
        rows.append([prompt.target, "no" if one.problem else "yes", *merits, *shown])
    return headings, rows


def row(
    prompt: Prompt,
    one: TextDirection,
    effects: Mapping[tuple[Prompt, str], Effect | None],
    networks: Mapping[str, Network],
) -> dict[str, Any]:
    """All numbers of a prompt, JSON-able."""
    told = {name: effects[prompt, name] for name in networks}
    return {
        "target": prompt.target,
        "neutral": NEUTRAL,
        "problem": one.problem,
        "threshold": one.threshold,
        "channels": one.relevances,
        "merits": dict(one.direction.found["merits"]),
        "effects": {name: vars(e) for name, e in told.items() if e is not None},
    }


def say(text: str) -> None:
    """Progress."""
    print(text, flush=True)


if __name__ == "__main__":
    main()
