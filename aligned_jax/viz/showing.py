"""Pictures to look at, in a notebook or a file."""

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from aligned_jax.errors import UserError
from aligned_jax.provenance import Command
from aligned_jax.viz.grid import as_pixels, check_channels, figure, png_bytes
from aligned_jax.viz.notebook import pictures_html
from aligned_jax.viz.sheet import Sheet, write_picture


@dataclass(frozen=True, eq=False)
class ShownPictures:
    """Pictures in a grid, which a notebook shows where they are the last value of a cell.

    Attributes:
      images: uint8 [N, H, W, C].
      titles: above each picture; empty for none.
      columns: pictures in a row.
    """

    images: np.ndarray
    titles: tuple[str, ...]
    columns: int

    def __repr__(self) -> str:
        count, height, width, channels = self.images.shape
        return f"<{count} pictures of {width}x{height} pixels, {channels} channels>"

    def _repr_html_(self) -> str:
        return pictures_html(self.images, self.titles, self.columns)

    def _repr_png_(self) -> bytes:
        return png_bytes(self.picture())

    def picture(self) -> np.ndarray:
        """All pictures and titles as one on white, uint8 [height, width, 3 or 4]."""
        count = len(self.images)
        rows = math.ceil(count / self.columns)
        places = rows * self.columns
        full = np.full((places, *self.images.shape[1:]), 255, np.uint8)
        full[:count] = self.images
        titles = [*(self.titles or [""] * count), *[""] * (places - count)]
        lines = [slice(i, i + self.columns) for i in range(0, places, self.columns)]
        return np.concatenate([figure(full[None, line], titles[line]) for line in lines])

    def write(self, out: str | os.PathLike[str], overwrite: bool = False) -> None:
        """Writes the grid as a PNG.

        Raises:
          UserError: if the file exists and may not be replaced, or the disk refuses.
        """
        write_picture(out, self.picture(), Command(), overwrite)


def show(
    images: Any,
    titles: Sequence[object] = (),
    columns: int | None = None,
    rows: Sequence[object] = (),
) -> ShownPictures | Sheet:
    """Pictures for a notebook, or for a look at them from a script.

    The result is shown where it is the last value of a cell; elsewhere, give it to IPython's
    `display`, or write it to a file.

    Args:
      images: floats [N, H, W, C] in [-1, 1], as networks draw them, or uint8; one picture
        [H, W, C]; pictures in rows and columns, [R, K, H, W, C]; or a list of such. NumPy or JAX,
        with 1, 3 or 4 channels. Floats beyond the range are clipped.
      titles: N of whatever can be printed, above the pictures, or K above the columns; none by
        default.
      columns: pictures in a row, where images are no rows; 8 by default, or as many as there are.
      rows: R labels beside rows; none by default.

    Returns:
      an object with `_repr_html_`, `_repr_png_`, `picture()` and `write(path)`; of images in rows
      and columns a `Sheet`.

    Raises:
      UserError: if there is nothing to be shown, or shapes, types, numbers or labels do not fit.
    """
    pixels = _pixels(images)
    in_rows = pixels.ndim == 5
    count = pixels.shape[1] if in_rows else len(pixels)
    if len(titles) not in (0, count):
        what = "columns" if in_rows else "pictures"
        raise UserError(f"there are {len(titles)} titles for {count} {what}; give one for each")
    if len(rows) not in (0, len(pixels) if in_rows else 0):
        found = f"{len(pixels)} rows" if in_rows else "pictures without rows, [N, H, W, C]"
        raise UserError(f"there are {len(rows)} labels of rows for {found}")
    if columns is not None and (in_rows or columns < 1):
        allowed = "left out for images in rows and columns" if in_rows else "1 or more"
        raise UserError(f"columns is {columns}; it must be {allowed}")
    above, beside = tuple(map(str, titles)), tuple(map(str, rows))
    if in_rows:
        return Sheet(pixels, beside, above or ("",) * count)
    return ShownPictures(pixels, above, min(columns or _IN_A_ROW, count))


_IN_A_ROW = 8


def _pixels(images: Any) -> np.ndarray:
    """Bytes uint8 [N, H, W, C] or [R, K, H, W, C] of whatever `show` takes."""
    if isinstance(images, list | tuple):
        shapes = sorted({np.shape(image) for image in images})
        if len(shapes) != 1:
            raise UserError(f"pictures of one size are shown together; these have shapes {shapes}")
        images = np.stack([np.asarray(image) for image in images])
    pixels = as_pixels(images)
    pixels = pixels[None] if pixels.ndim == 3 else pixels
    if pixels.ndim not in (4, 5) or 0 in pixels.shape or pixels.dtype != np.uint8:
        raise UserError(
            f"pictures are {pixels.dtype} of shape {list(pixels.shape)}; they must be floats in "
            "[-1, 1] or uint8, of shape [H, W, C], [N, H, W, C] or [R, K, H, W, C]"
        )
    check_channels(pixels.shape[-1])
    return pixels
