"""What `aligned demo` does: a list of command lines, in order."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from aligned_jax.jobs.command_steps import CommandStep, drawn_faces, short_finetune
from aligned_jax.jobs.editing import STRENGTH

_ROWS = 4  # latents in pictures that have a row for each
_COLUMNS = 8  # in those that have a column for each
EDITED = 3
PSI = 0.7


@dataclass(frozen=True)
class Member:
    """A network of the family: what it is called, and its NETWORK argument."""

    name: str
    network: str


@dataclass(frozen=True)
class DemoFamily:
    """A parent, its children, a grandchild (of the last child), and a control.

    The last child is the most distant one, of which most pictures are made. The
    control saw the same data as that child but was trained from scratch.
    """

    parent: Member
    children: tuple[Member, ...]
    grandchild: Member
    control: Member

    @property
    def members(self) -> tuple[Member, ...]:
        """All of them, in the order of the rows."""
        return (self.parent, *self.children, self.grandchild, self.control)

    @property
    def distant(self) -> Member:
        """The last child, the one that is farthest from the parent."""
        return self.children[-1]


ZOO = DemoFamily(
    Member("personas", "zoo:personas64"),
    (
        Member("toon-head", "zoo:toon-head64"),
        Member("pixel-art", "zoo:pixel-art64"),
        Member("critters", "zoo:critters64"),
    ),
    Member("personas again", "zoo:personas-again64"),
    Member("critters from scratch", "zoo:critters64-scratch"),
)


@dataclass(frozen=True)
class DemoPlan:
    """Everything that decides what a demo does.

    Attributes:
      out: the folder, as it was given: the commands shown name it so.
      kimg: length of the fine-tuning.
      seed: of the new faces, the fine-tuning, the latents and the edits.
      family: the networks.
      style, faces: what the new child learns, and from how many drawings.
      preset: of the fine-tuning.
    """

    out: str = "demo"
    kimg: int = 6
    seed: int = 0
    family: DemoFamily = field(default_factory=lambda: ZOO)
    style: str = "dylan"
    faces: int = 4000
    preset: str = "tiny64"

    def path(self, name: str) -> str:
        """A file or folder of the demo."""
        return str(Path(self.out) / name)

    def seeds(self, count: int) -> str:
        """So many latents, others for each seed of the demo."""
        first = self.seed * _COLUMNS
        return f"{first}-{first + count - 1}"

    @property
    def child(self) -> Member:
        """The network that the demo trains."""
        return Member(f"{self.style} (new)", f"{self.path('run')}@{self.kimg}")


def training(plan: DemoPlan, resolution: int) -> dict[str, CommandStep]:
    """The new child: draw faces, fine-tune, show how it left its parent."""
    faces, run = plan.path("faces"), plan.path("run")
    return {
        "faces": drawn_faces(plan.style, plan.faces, 0, faces, resolution, plan.seed),
        "finetune": short_finetune(
            plan.family.parent.network, plan.preset, faces, run, plan.kimg, plan.seed
        ),
        "transition": _drawing(
            plan,
            "watch the child leave its parent",
            "transition",
            (run, "--seeds", plan.seeds(_ROWS)),
        ),
    }


def surgery(plan: DemoPlan, resolution: int) -> dict[str, CommandStep]:
    """What the weights carry: the family, resets, blends and swaps."""
    parent, child = plan.family.parent.network, plan.family.distant.network
    four = ("--seeds", plan.seeds(_ROWS))
    members = (*plan.family.members, plan.child)
    sizes = ",".join(str(2**k) for k in range(2, resolution.bit_length() - 1))
    return {
        "family": _drawing(
            plan,
            "draw the same latents by the whole family",
            "family",
            (
                *(member.network for member in members),
                *("--names", ",".join(member.name for member in members)),
                *("--seeds", plan.seeds(_COLUMNS)),
            ),
        ),
        "compare": CommandStep(
            f"give {plan.family.distant.name} its parent's components back, one by one",
            (
                *("compare", parent, child, *four, "--psi", str(PSI)),
                *("--out", plan.path("compare"), "--overwrite"),
            ),
            plan.path("compare/index.html"),
        ),
        "interpolate": _drawing(
            plan,
            "blend the weights of parent and child",
            "interpolate",
            (parent, child, "--strip", "0,0.2,0.4,0.6,0.8,1", *four),
        ),
        "swap": _drawing(
            plan,
            "take coarse layers from one and fine layers from the other",
            "swap",
            (parent, child, "--strip", sizes, *four),
        ),
    }


def edits(plan: DemoPlan, channels: Sequence[str]) -> dict[str, CommandStep]:
    """The same channels moved in the whole family."""
    members = (plan.family.parent, *plan.family.children, plan.family.control)
    return {
        f"edit-{channel}": _drawing(
            plan,
            f"move style channel {channel} of the parent and of all others",
            "edit",
            (
                *(member.network for member in members),
                *("--names", ",".join(member.name for member in members)),
                *("--channel", channel, "--strength", f"{STRENGTH:g}"),
                *("--seeds", plan.seeds(EDITED)),
            ),
            f"edit-{channel}.png",
        )
        for channel in channels
    }


def journeys(plan: DemoPlan, resolution: int) -> dict[str, CommandStep]:
    """The steps from the parent's kind to another: translation, a film, and its plane."""
    pair = (plan.family.parent.network, plan.family.distant.network)
    first = plan.seed * _COLUMNS
    one, other = str(first), str(first + _COLUMNS - 1)
    sizes = ",".join(f"{2**k}px" for k in range(2, resolution.bit_length() + 1))
    return {
        "translate": _drawing(
            plan,
            f"translate people into {plan.family.distant.name}, towards a reference",
            "translate",
            (*pair, "--seeds", plan.seeds(_ROWS), "--reference", other, "--layers", sizes),
        ),
        "morph": _drawing(
            plan,
            "film a person becoming another kind",
            "morph",
            (*pair, one, one, "--ping-pong", "--scale", "3"),
            "morph.webp",
        ),
        "grid": _drawing(
            plan,
            "draw everything between two pictures of two networks",
            "morph",
            (*pair, one, other, "--grid", "5x5"),
            "grid.png",
        ),
    }


def _drawing(
    plan: DemoPlan, says: str, verb: str, rest: Sequence[str], name: str = ""
) -> CommandStep:
    """A step that writes one picture."""
    out = plan.path(name or f"{verb}.png")
    argv = (verb, *rest, "--psi", str(PSI), "--out", out, "--overwrite")
    return CommandStep(says, argv, out)
