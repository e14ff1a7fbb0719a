"""Images in labelled rows and columns, as a picture or a web page; where images may go."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from aligned_jax import provenance
from aligned_jax.errors import UserError
from aligned_jax.provenance import Command
from aligned_jax.viz import report
from aligned_jax.viz.files import check_file, check_folder, writing
from aligned_jax.viz.grid import figure, png_bytes, save_png
from aligned_jax.viz.notebook import sheet_html

# How images are written: arrays, one picture, a web page, or a folder of pictures.
ImageForm = Literal["npz", "png", "html", "folder"]
_FORMS: dict[str, ImageForm] = {".npz": "npz", ".png": "png", ".html": "html"}


@dataclass(frozen=True, eq=False)
class Sheet:
    """Images in labelled rows and columns.

    Attributes:
      images: uint8 [rows, columns, H, W, C].
      rows, columns: their labels.
      group: columns that belong together; a wider gap follows each such group. 0 for none.
      title: of a web page.
      headed: whether a picture bears the title as well.
      facts: what a web page tells beside the command.
      made_of: what its file says besides, JSON-able: networks and latents.
    """

    images: np.ndarray
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    group: int = 0
    title: str = ""
    headed: bool = False
    facts: Mapping[str, Any] = field(default_factory=dict)
    made_of: Mapping[str, Any] = field(default_factory=dict)

    @property
    def summary(self) -> str:
        """The size in words: "2 rows, 3 columns"."""
        return f"{len(self.rows)} rows, {len(self.columns)} columns"

    def _repr_html_(self) -> str:
        return sheet_html(self.images, self.rows, self.columns)

    def _repr_png_(self) -> bytes:
        return png_bytes(self.picture())

    def picture(self) -> np.ndarray:
        """All images and labels as one, uint8 [height, width, 3 or 4]."""
        title = self.title if self.headed else ""
        return figure(self.images, self.columns, self.rows, group=self.group, title=title)

    def html(self) -> str:
        """All images and labels as a table of thumbnails for a web page."""
        return report.pictures(self.columns, self.rows, self.images, self.group)

    def write(
        self,
        out: str | os.PathLike[str],
        command: Command = Command(),  # noqa: B008  # it cannot change
        overwrite: bool = False,
    ) -> None:
        """Writes the picture as a PNG, or to NAME.html a page; both say which command made them.

        Raises:
          UserError: if the file exists and may not be replaced, or the disk refuses.
        """
        if not os.fspath(out).endswith(".html"):
            write_picture(out, self.picture(), command, overwrite, self.made_of)
            return
        facts = {**command.arguments, **self.facts}
        write_page(out, self.title, command, facts, [self.html()], overwrite, self.made_of)


@dataclass(frozen=True, eq=False)
class DrawnColumn:
    """One column of a sheet that is still to be put together.

    Attributes:
      label: above it.
      images: uint8 [rows, H, W, C].
      finite: which of them were drawn of finite numbers only, bool [rows].
    """

    label: str
    images: np.ndarray
    finite: np.ndarray

    def repeated(self, each: int) -> "DrawnColumn":
        """Every row so many times in sequence."""
        images, finite = self.images.repeat(each, axis=0), self.finite.repeat(each)
        return DrawnColumn(self.label, images, finite)

    def tiled(self, times: int) -> "DrawnColumn":
        """The column with all its rows repeated, one copy below the other."""
        images, finite = (np.concatenate([v] * times) for v in (self.images, self.finite))
        return DrawnColumn(self.label, images, finite)

    def dealt(self, labels: Sequence[str]) -> "list[DrawnColumn]":
        """The rows dealt out in turns to as many columns as there are labels."""
        step = len(labels)
        return [
            DrawnColumn(label, self.images[k::step], self.finite[k::step])
            for k, label in enumerate(labels)
        ]


def image_form(out: str | os.PathLike[str], overwrite: bool = False) -> ImageForm:
    """How images are written to a target of this name; call it before long work.

    Raises:
      UserError: if the name's ending is not understood, or the target exists.
    """
    suffix = os.path.splitext(out)[1]
    if os.path.isdir(out) or os.fspath(out).endswith("/") or not suffix:
        check_folder(out, overwrite)
        return "folder"
    if suffix not in _FORMS:
        raise UserError(
            f"{os.fspath(out)}: images are written to NAME.npz, NAME.png, NAME.html, or a folder "
            "(a name without an ending, or with a slash at the end)"
        )
    check_file(out, overwrite)
    return _FORMS[suffix]


def check_sheet(out: str | os.PathLike[str], overwrite: bool = False) -> None:
    """Raises UserError unless `Sheet.write` may write `out`; call it before long work."""
    if not os.fspath(out).endswith((".png", ".html")):
        raise UserError(
            f"{os.fspath(out)}: images in rows and columns are a picture or a page; they go "
            "to NAME.png or NAME.html"
        )
    check_file(out, overwrite)


def write_picture(
    out: str | os.PathLike[str],
    picture: np.ndarray,
    command: Command,
    overwrite: bool = False,
    made_of: Mapping[str, Any] | None = None,
) -> None:
    """Writes a picture uint8 [H, W, C] as a PNG that says which command made it, of what.

    Raises:
      UserError: if the file exists and may not be replaced, or the disk refuses.
    """
    with writing(out, overwrite) as file:
        save_png(file, picture, provenance.png_text(command, made_of))


def write_page(
    out: str | os.PathLike[str],
    title: str,
    command: Command,
    facts: Mapping[str, Any],
    sections: Sequence[str],
    overwrite: bool = False,
    made_of: Mapping[str, Any] | None = None,
) -> None:
    """Writes a web page: title, command and facts on top, sections of `viz.report` below.

    Programs find how it was made as JSON in its element `aligned_jax`.

    Raises:
      UserError: if the file exists and may not be replaced, or the disk refuses.
    """
    told = report.record(provenance.record(command, made_of))
    parts = [report.origin(command.line, facts), *sections, told]
    page = report.page(title, parts, provenance.made_by())
    with writing(out, overwrite) as file:
        file.write(page.encode())
