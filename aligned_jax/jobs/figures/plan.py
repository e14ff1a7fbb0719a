"""What a gallery of the paper's figures is drawn from, and what one figure is."""

import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from aligned_jax.errors import UserError
from aligned_jax.jobs.command_steps import CommandStep
from aligned_jax.jobs.figures.captions import CAPTIONS
from aligned_jax.loading import describe, label_of
from aligned_jax.utils.text import listed

PSI = 0.7


@dataclass(frozen=True)
class FigurePlan:
    """The networks and files that figures are drawn from; NETWORK arguments throughout.

    Attributes:
      out: the folder, as it was given: the commands shown name it so.
      parent: of all others.
      children: of it, from the nearest domain to the most distant one.
      grandchildren: of the last child; the first learned the parent's domain again.
      control: saw the last child's data, but did not come from the parent.
      moved: children of the parent's own data after a move, by move as `--moved` takes it.
      small: the parent carried to half its resolution and trained on there.
      edges: a child that draws edge maps of the parent's domain.
      run: folder of a run that fine-tuned the parent; None trains a child on drawn faces.
      pictures: files of the parent's domain; none draws them by the parent itself.
      encoders: of the parent, by space (z, z+, w, w+).
      judge: scores pictures of the parent's domain, as `--judge` takes it.
      readings: attributes of the judge that both domains have: one of two kinds, one with a sign.
      data: labelled pictures of the last child's domain; None draws them by that child.
      style: of drawn faces that take the place of `run` and `data`; None draws none.
      edits: directions of the parent.
      channels: style channels of the parent, like 15_45.
      seed: of latents and of all drawings.
    """

    out: str
    parent: str
    children: tuple[str, ...]
    grandchildren: tuple[str, ...] = ()
    control: str | None = None
    moved: Mapping[str, str] = field(default_factory=dict)
    small: str | None = None
    edges: str | None = None
    run: str | None = None
    pictures: tuple[str, ...] = ()
    encoders: Mapping[str, str] = field(default_factory=dict)
    judge: str | None = None
    readings: tuple[str, str] | None = None
    data: str | None = None
    style: str | None = None
    edits: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    seed: int = 0

    def path(self, name: str) -> str:
        """A file or folder of the gallery."""
        return os.path.join(self.out, name)

    def seeds(self, count: int, first: int = 0) -> str:
        """So many latents, others for each seed of the gallery."""
        first += 64 * self.seed
        return f"{first}-{first + count - 1}" if count > 1 else str(first)

    @property
    def near(self) -> str:
        """The first child; raises Missing if there is none."""
        return self.child(0)

    @property
    def distant(self) -> str:
        """The last child; raises Missing if there is none."""
        return self.child(-1)

    def child(self, which: int) -> str:
        """One of the children; raises Missing if there is none."""
        if not self.children:
            raise Missing("a child: --child NETWORK")
        return self.children[which]

    def grandchild(self, which: int) -> str:
        """One of the grandchildren; raises Missing if there are fewer."""
        if which >= len(self.grandchildren):
            what = ("a grandchild", "a second grandchild, of a third domain")[which]
            raise Missing(f"{what}: --grandchild NETWORK{' NETWORK' if which else ''}")
        return self.grandchildren[which]

    def edit(self, which: int) -> str:
        """One of the directions; raises Missing if there are fewer."""
        if which >= len(self.edits):
            raise Missing(f"{which + 1} of the parent's directions: --edit X X X")
        return self.edits[which]

    def channel(self, which: int) -> str:
        """One of the style channels, over and over again."""
        return self.channels[which % len(self.channels)]

    def needed(self, name: str) -> str:
        """The value of `control`, `small`, `edges` or `judge`; raises Missing if there is none."""
        value = getattr(self, name)
        if value is None:
            raise Missing(f"{_WANTED[name]}: --{name} {'J' if name == 'judge' else 'NETWORK'}")
        return str(value)

    @property
    def controls(self) -> tuple[str, ...]:
        """The control, if there is one."""
        return () if self.control is None else (self.control,)

    @property
    def others(self) -> tuple[str, ...]:
        """Children, grandchildren and the control."""
        return (*self.children, *self.grandchildren, *self.controls)

    @property
    def networks(self) -> tuple[str, ...]:
        """All that there are."""
        more = (one for one in (self.small, self.edges) if one is not None)
        return (self.parent, *self.others, *self.moved.values(), *more)

    @property
    def resolution(self) -> int:
        """Of the parent's pictures."""
        return describe(self.parent).configs["G_ema"].img_resolution


_WANTED = {
    "control": "a network of the last child's data that did not come from the parent",
    "small": "the parent carried to half its resolution and trained on",
    "edges": "a child of the parent that draws edge maps",
    "judge": "a judge of the parent's domain",
}


class Missing(Exception):  # it is no error, but a figure that is left out
    """What a figure needs and the plan lacks, in words."""


@dataclass(frozen=True)
class FigureSteps:
    """How one figure is drawn, and what is measured on it.

    Attributes:
      steps: command lines in their order; one that two figures have in common is carried out once.
      pictures: files to show.
      measure: the number that speaks for or against the paper, as a sentence.
      links: other files that the page leads to.
    """

    steps: tuple[CommandStep, ...]
    pictures: tuple[str, ...]
    measure: Callable[[], str]
    links: tuple[str, ...] = ()


@dataclass(frozen=True)
class FigureResult:
    """One figure of a gallery.

    Attributes:
      number: of the paper's.
      drawn: how it was drawn; None if it was not.
      measured: the number below it, as a sentence.
      missing: what it needs and was not given, in words; empty if it was drawn.
    """

    number: int
    drawn: FigureSteps | None
    measured: str = ""
    missing: str = ""


def parse_only(text: str) -> list[int]:
    """Numbers of figures, from a list like "5,16-19".

    Raises:
      UserError: if it is no such list, or there is no such figure.
    """
    chosen: set[int] = set()
    for part in text.split(","):
        ends = re.fullmatch(r"\s*(\d{1,3})\s*(?:-\s*(\d{1,3})\s*)?", part)
        if ends is None:
            raise UserError(f"{text!r} is no list of figures; write it like 5,16-19")
        first, last = int(ends[1]), int(ends[2] or ends[1])
        if last < first:
            raise UserError(f"{part.strip()}: {first} comes after {last}; figures rise")
        chosen.update(range(first, last + 1))
    if wrong := sorted(chosen - set(CAPTIONS)):
        told = listed(map(str, wrong))
        raise UserError(f"there is no figure {told}; there are 1 to {max(CAPTIONS)}")
    return sorted(chosen)


def picture(
    plan: FigurePlan, name: str, says: str, verb: str, *words: str, psi: bool = True
) -> CommandStep:
    """A command line that writes one picture of the gallery."""
    truncation = ("--psi", str(PSI)) if psi else ()
    out = plan.path(name)
    return CommandStep(says, (verb, *words, *truncation, "--out", out, "--overwrite"), out)


def named(*networks: str) -> tuple[str, ...]:
    """NETWORK arguments and the labels of their rows."""
    return (*networks, "--names", ",".join(labels(networks)))


def labels(networks: Sequence[str]) -> list[str]:
    """Short names of networks, all different and without commas."""
    short = [label_of(network).replace(",", " ") for network in networks]
    return [
        name if short.count(name) == 1 else f"{name} {place}" for place, name in enumerate(short)
    ]
