"""Masks: where pictures are edited, and where they stay as they are."""

import base64
import binascii
import io
import os
from dataclasses import dataclass

import numpy as np
from PIL import Image

from aligned_jax.data import opening
from aligned_jax.errors import FormatError, UserError
from aligned_jax.utils.reading import read_bytes

_MOST = 64 << 20  # bytes of a file
_LARGEST = 8192  # pixels of a side


@dataclass(frozen=True, eq=False)
class Mask:
    """Where an edit shows.

    Attributes:
      values: float32 [H, W], from 0 (as it is) to 1 (edited).
    """

    values: np.ndarray

    def resized(self, size: int) -> "Mask":
        """The same for images of this size; smaller ones average.

        Raises:
          UserError: if it is not square.
        """
        height, width = self.values.shape
        if height != width:
            raise UserError(f"the mask has {width} x {height} pixels; it must be square")
        if height == size:
            return self
        kind = Image.Resampling.BOX if height > size else Image.Resampling.BILINEAR
        return Mask(np.asarray(Image.fromarray(self.values).resize((size, size), kind)))

    def shares(self, images: np.ndarray, edited: np.ndarray) -> np.ndarray:
        """How much of an edit shows at every pixel, float32 [1, H, W, 1]; the same for all images.

        Args:
          images, edited: float32 [N, H, W, C].
        """
        return self.resized(images.shape[1]).values[None, :, :, None]

    def text(self) -> str:
        """An 8-bit PNG as base64, for a recipe."""
        buffer = io.BytesIO()
        Image.fromarray(np.round(self.values * 255).astype(np.uint8)).save(buffer, "PNG")
        return base64.b64encode(buffer.getvalue()).decode()


def read_mask(path: str | os.PathLike[str]) -> Mask:
    """A mask in a picture: white is edited, black stays; opacity counts where there is some.

    Raises:
      UserError: if it cannot be read, or is black all over.
    """
    shown = os.fspath(path)
    try:
        content = read_bytes(path, _MOST)
    except FileNotFoundError:
        raise UserError(f"{shown}: no such file") from None
    return _decoded(content, shown)


def mask_of(text: str, where: str) -> Mask:
    """What `Mask.text` wrote; raises UserError as `read_mask`."""
    try:
        content = base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        raise FormatError(f"{where}: its mask is no base64") from None
    return _decoded(content, f"the mask in {where}")


def _decoded(content: bytes, shown: str) -> Mask:
    try:
        with opening.calm(), opening.opened(io.BytesIO(content)) as image:
            if max(image.size) > _LARGEST:
                raise UserError(f"{shown} has sides of more than {_LARGEST} pixels")
            grey = np.asarray(image.convert("LA"), np.float32) / 255
    except UserError:
        raise
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise FormatError(f"{shown} is no picture: {error!s:.120}") from None
    values = grey[..., 0] * grey[..., 1]
    if not values.any():
        raise UserError(f"{shown} is black all over, so that it stands for nothing")
    return Mask(values)
