"""What comes with the package: networks, encoders, readers, directions and a CLIP."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from aligned_jax.jobs.named_directions import FOLDERS
from aligned_jax.loading import ZOO_FILE
from aligned_jax.provenance import Command
from aligned_jax.utils.paths import zoo_folder
from aligned_jax.viz import report
from aligned_jax.viz.sheet import write_page

KINDS = ("network", "encoder", "reader", "directions", "CLIP")
_PICTURE = re.compile(r"!\[([^\]]*)\]\(([\w.-]+\.png)\)")
_LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")


@dataclass(frozen=True)
class ZooMember:
    """One folder of the zoo.

    Attributes:
      name: as it is written behind "zoo:".
      kind: one of `KINDS`.
      says: what it is, in a sentence.
      flaws: what it does not do well; may be empty.
      picture: of what it draws or reads, and what is to be seen there; None if it has none.
      size: bytes on the disk.
    """

    name: str
    kind: str
    says: str
    flaws: str
    picture: tuple[Path, str] | None
    size: int


@dataclass(frozen=True)
class ZooList:
    """Everything that comes with the package, in the order of `members`."""

    members: tuple[ZooMember, ...]

    def text(self) -> str:
        """A line for each member."""
        width = max(len(member.name) for member in self.members)
        lines = [
            f"zoo:{one.name:<{width}}  {one.kind:<10}  {one.size / 1e6:4.1f} MB  "
            + _sentence(one.says)
            for one in self.members
        ]
        total = sum(one.size for one in self.members) / 1e6
        return "\n".join([*lines, f"{len(self.members)} in all, {total:.1f} MB"])

    def write(
        self,
        out: str | os.PathLike[str],
        command: Command = Command(),  # noqa: B008  # it cannot change
        overwrite: bool = False,
    ) -> None:
        """Writes a page with pictures and flaws.

        Raises:
          UserError: if the file exists and may not be replaced, or the disk refuses.
        """
        sections = [_section(member) for member in self.members]
        write_page(out, "What comes with the package", command, {}, sections, overwrite)


def zoo_list() -> ZooList:
    """Reads the cards of the zoo."""
    cards = sorted(zoo_folder().glob("*/card.md"))
    found = [_member(card) for card in cards]
    return ZooList(tuple(sorted(found, key=lambda one: (KINDS.index(one.kind), one.name))))


def _member(card: Path) -> ZooMember:
    folder, text = card.parent, card.read_text("utf-8")
    paragraphs = [part.strip() for part in text.split("\n\n")]
    shown = _PICTURE.search(text)
    flaws = ""
    if shown and (folder / shown[2]).is_file():
        following = text[shown.end() :].strip().split("\n\n")[0]
        flaws = "" if following.startswith(("|", "Made by", "#")) else following
    return ZooMember(
        name=folder.name,
        kind=_kind(folder),
        says=_plain(paragraphs[1]),
        flaws=_plain(flaws),
        picture=(folder / shown[2], shown[1]) if shown else None,
        size=sum(path.stat().st_size for path in folder.iterdir() if path.is_file()),
    )


def _kind(folder: Path) -> str:
    if folder.match(FOLDERS):
        return "directions"
    if (folder / "tokenizer.json").exists():
        return "CLIP"
    if not (folder / ZOO_FILE).exists():
        return "reader"
    drawn = (folder / "card.md").read_text("utf-8").partition("| generator |")[1]
    return "encoder" if drawn else "network"


def _sentence(text: str) -> str:
    """The first sentence of a text."""
    return text.partition(". ")[0].rstrip(".") + "."


def _plain(text: str) -> str:
    """A paragraph of a card without its links and line breaks."""
    return " ".join(_LINK.sub(r"\1", text).split())


def _section(member: ZooMember) -> str:
    parts = [report.paragraph(member.says)]
    if member.picture is not None:
        file, caption = member.picture
        parts.append(report.picture(file.read_bytes(), caption))
    parts += [report.paragraph(member.flaws)] if member.flaws else []
    return report.section(f"zoo:{member.name} ({member.kind})", *parts)
