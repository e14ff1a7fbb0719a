"""Masks by name: an edit shows in parts of each picture, wherever a reader finds them."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from aligned_jax.errors import UserError
from aligned_jax.features.attributes import Reader, Segment
from aligned_jax.features.attributes.reader import check_names
from aligned_jax.jobs.edits.masks import Mask, read_mask
from aligned_jax.jobs.judges import is_reader, load_segment, segment_of, told_parts

# A reader by name or loaded, or a function from pictures to shares of parts.
PartReader = str | os.PathLike[str] | Reader | Segment
_IN_MEMORY = "a reader in memory"


@dataclass(frozen=True, eq=False)
class PartMask:
    """Where an edit shows: in some parts of a picture.

    Attributes:
      parts: their names.
      reader: who finds them, as it was named.
      segment: what is asked; None while the reader is not loaded.
    """

    parts: tuple[str, ...]
    reader: str
    segment: Segment | None = None

    @property
    def summary(self) -> str:
        """The parts in words: "hair and beard"."""
        return " and ".join(self.parts)

    def loaded(self) -> "PartMask":
        """The same with its reader.

        A recipe may be a stranger's, so that it makes nobody run a function.

        Raises:
          UserError: if the reader cannot be read, is a function, or does not know a part.
        """
        if self.segment is not None:
            return self
        if not is_reader(self.reader):
            raise UserError(
                f"the recipe shows its edits where {self.reader} finds {self.summary}; a recipe "
                f"runs no function: name it yourself by `mask='{','.join(self.parts)}'` and "
                "`reader`"
            )
        return part_mask(self.parts, self.reader)

    def shares(self, images: np.ndarray, edited: np.ndarray) -> np.ndarray:
        """How much of an edit shows at every pixel, float32 [N, H, W, 1] in [0, 1].

        A part is where it was or where it is now: what an edit adds counts as well as what it
        takes away.

        Args:
          images, edited: float32 [N, H, W, C].

        Raises:
          UserError: if a part is not known, or what is asked gives no shares of parts.
        """
        return np.maximum(self.found(images), self.found(edited))

    def found(self, images: np.ndarray) -> np.ndarray:
        """Share of the parts at every pixel of float32 [N, H, W, C]; as `shares`, of one side."""
        if self.segment is None:
            raise ValueError("the reader of the mask is not loaded")
        names, covered = told_parts(self.segment, np.clip(images, -1, 1), self.reader)
        check_names(tuple(names), list(self.parts), self.reader)
        rows = [names.index(part) for part in self.parts]
        return np.clip(covered[..., rows].sum(axis=-1, keepdims=True), 0, 1)


def part_mask(parts: str | Sequence[str], reader: PartReader) -> PartMask:
    """Parts by name and who finds them.

    Args:
      parts: a list, or text like "hair" or "hair,beard".
      reader: READER.safetensors, zoo:NAME, FILE.py:FUNCTION (see `judges.load_segment`), or a
        loaded reader or function.

    Raises:
      UserError: without a part, if the reader cannot be read, or for parts that it does not know,
        as far as it tells before it is asked.
    """
    words = parts.split(",") if isinstance(parts, str) else parts
    wanted = tuple(dict.fromkeys(word.strip() for word in words if word.strip()))
    if not wanted:
        raise UserError("the mask names no part of a picture")
    if isinstance(reader, Reader):
        name, segment = _IN_MEMORY, segment_of(reader, _IN_MEMORY)
    elif isinstance(reader, str | os.PathLike):
        name, segment = os.fspath(reader), load_segment(reader)
    else:
        name, segment = getattr(reader, "__name__", "the function"), reader
    if known := getattr(segment, "names", ()):
        check_names(tuple(known), list(wanted), name)
    return PartMask(wanted, name, segment)


def named_mask(
    mask: str | os.PathLike[str] | Mask | PartMask | None, reader: PartReader | None
) -> Mask | PartMask | None:
    """What users name as a mask: a picture, or with a reader parts; others stay what they are.

    Args:
      mask: a name, a mask, or None.
      reader: who finds parts, or None.

    Raises:
      UserError: if it cannot be read, or is a part of which nobody says who finds it.
    """
    if reader is not None and isinstance(mask, str):
        return part_mask(mask, reader)
    if not isinstance(mask, str | os.PathLike):
        return mask
    if not os.path.splitext(mask)[1] and not os.path.exists(mask):
        raise UserError(
            f"{os.fspath(mask)}: no such file; if it is a part of pictures, say who "
            "finds it (`reader`)"
        )
    return read_mask(mask)


def mask_document(mask: PartMask) -> dict[str, Any]:
    """What a recipe keeps of it, JSON-able."""
    return {"parts": list(mask.parts), "reader": mask.reader}


def mask_of_document(document: Mapping[str, Any]) -> PartMask | None:
    """What `mask_document` wrote, not loaded; None if it is something else."""
    parts, reader = document.get("parts"), document.get("reader")
    if document.keys() != {"parts", "reader"} or not isinstance(reader, str):
        return None
    if not isinstance(parts, list) or not parts or not all(isinstance(p, str) for p in parts):
        return None
    return PartMask(tuple(parts), reader)
