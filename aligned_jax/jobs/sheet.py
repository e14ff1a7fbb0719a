"""Pictures of images in labelled rows and columns."""

import os
from dataclasses import dataclass

import numpy as np

from aligned_jax import provenance
from aligned_jax.errors import UserError
from aligned_jax.provenance import Command
from aligned_jax.viz import check_file, figure, save_png, writing


@dataclass(frozen=True, eq=False)
class Sheet:
    """Images in labelled rows and columns.

    Attributes:
      images: uint8 [rows, columns, H, W, C].
      rows, columns: their labels.
      group: columns that belong together; a wider gap follows each such group. 0 for none.
    """

    images: np.ndarray
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    group: int = 0

    def picture(self) -> np.ndarray:
        """All images and labels as one, uint8 [height, width, 3 or 4]."""
        return figure(self.images, self.columns, self.rows, group=self.group)

    def write(
        self,
        out: str | os.PathLike[str],
        command: Command = Command(),  # noqa: B008  # it cannot change
        overwrite: bool = False,
    ) -> None:
        """Writes the picture as a PNG that says which command made it.

        Raises:
          UserError: if the file exists and may not be replaced, or the disk refuses.
        """
        write_picture(out, self.picture(), command, overwrite)


def check_picture(out: str | os.PathLike[str], overwrite: bool = False) -> None:
    """Raises UserError unless `out` names a PNG that may be written; call it before long work."""
    if not os.fspath(out).endswith(".png"):
        raise UserError(f"{os.fspath(out)}: a strip is a picture; give --out NAME.png")
    check_file(out, overwrite)


def write_picture(
    out: str | os.PathLike[str], picture: np.ndarray, command: Command, overwrite: bool = False
) -> None:
    """Writes a picture uint8 [H, W, C] as a PNG that says which command made it.

    Raises:
      UserError: if the file exists and may not be replaced, or the disk refuses.
    """
    with writing(out, overwrite) as file:
        save_png(file, picture, provenance.png_text(command.line))
