"""What pictures keep of those that they were made of, as users say it."""

import dataclasses
import os
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from aligned_jax.errors import UserError
from aligned_jax.jobs.edits.masks import Mask
from aligned_jax.jobs.edits.part_masks import PartMask, PartReader, named_mask
from aligned_jax.rendering.keeping import with_colours, with_parts


@dataclass(frozen=True, eq=False)
class KeepOptions:
    """What pictures keep of the pictures they were made of, or of what the parent draws.

    Attributes:
      keep: a picture that is white where these show; with a reader, parts of them by name,
        such as "hair" or "hair,beard".
      reader: who finds the parts: see `part_masks.part_mask`.
      keep_colour: whether the mean and the deviation of each channel of L*a*b* are theirs.
    """

    keep: str | os.PathLike[str] | Mask | PartMask | None = None
    reader: PartReader | None = None
    keep_colour: bool = False

    def __post_init__(self) -> None:
        if self.reader is not None and not isinstance(self.keep, str):
            raise UserError("a reader finds the parts that `keep` names; name them, like hair")

    def keeper(self, resolution: int) -> "Keeper":
        """What does it, for pictures of this size.

        Raises:
          UserError: if the picture or the reader cannot be read, or a mask is not square.
        """
        mask = named_mask(self.keep, self.reader)
        if isinstance(mask, Mask):
            mask.resized(resolution)
        return Keeper(mask, self.keep_colour)


@dataclass(frozen=True, eq=False)
class Keeper:
    """What is kept, of whichever pictures.

    Attributes:
      mask: where, or None.
      colour: whether colours are kept.
    """

    mask: Mask | PartMask | None
    colour: bool

    @property
    def keeps(self) -> bool:
        """Whether anything is kept."""
        return self.colour or self.mask is not None

    def of(self, sources: np.ndarray) -> "Keeping":
        """What is kept of these, float32 [N, R, R, C]; parts are looked for now."""
        sources = np.clip(sources, -1, 1)
        shares = None
        if isinstance(self.mask, PartMask):
            shares = self.mask.found(sources)
        elif self.mask is not None:
            shares = self.mask.shares(sources, sources)
            shares = np.broadcast_to(shares, (len(sources), *shares.shape[1:]))
        return Keeping(sources, shares, self.colour)


@dataclass(frozen=True, eq=False)
class Keeping:
    """What N pictures keep.

    Attributes:
      sources: float32 [N, R, R, C] in [-1, 1], of which it is kept.
      shares: float32 [N, R, R, 1], 1 where they show, or None.
      colour: whether their colours are kept.
    """

    sources: np.ndarray
    shares: np.ndarray | None
    colour: bool

    def take(self, rows: Sequence[int] | np.ndarray | slice) -> "Keeping":
        """That of some of them."""
        shares = None if self.shares is None else self.shares[rows]
        return dataclasses.replace(self, sources=self.sources[rows], shares=shares)

    def repeated(self, each: int) -> "Keeping":
        """Every one so many times in sequence."""
        return self.take(np.repeat(np.arange(len(self.sources)), each))

    def applied(self, images: np.ndarray) -> np.ndarray:
        """N pictures, float32 [N, R, R, C], with what they keep."""
        if self.colour:
            images = with_colours(images, self.sources)
        return images if self.shares is None else with_parts(images, self.sources, self.shares)

    def left(self, row: int) -> np.ndarray | None:
        """Where a photograph stays as it is, float32 [R, R], or None."""
        return None if self.shares is None else self.shares[row, ..., 0]


def as_floats(pictures: np.ndarray) -> np.ndarray:
    """Pictures uint8 [N, R, R, C] as float32 in [-1, 1], which `viz.to_uint8` gives back."""
    return (pictures.astype(np.float32) - 127.5) / 127.5
