"""Recipes: edits in a JSON file, with all that they need, so that they can be done again."""

import json
import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from aligned_jax import provenance, viz
from aligned_jax.errors import FormatError, UserError
from aligned_jax.jobs.edits.masks import Mask, mask_of
from aligned_jax.jobs.edits.part_masks import PartMask, mask_document, mask_of_document
from aligned_jax.provenance import Command
from aligned_jax.semantics.direction import Direction
from aligned_jax.semantics.directions import SPACES
from aligned_jax.semantics.edits import Edit
from aligned_jax.utils.reading import read_json
from aligned_jax.utils.text import listed

_VERSION = 1
_MOST = 64 << 20  # bytes
_EDIT = {"name", "space", "vectors", "sigma", "intercept", "network", "by", "to", "layers", "found"}


@dataclass(frozen=True, eq=False)
class EditRecipe:
    """Edits, and where they show.

    Attributes:
      edits: in any order.
      mask: a picture, or parts of each picture by name; None for everywhere.
    """

    edits: tuple[Edit, ...]
    mask: Mask | PartMask | None = None

    def write(
        self,
        path: str | os.PathLike[str],
        command: Command = Command(),  # noqa: B008  # it cannot change
        overwrite: bool = False,
    ) -> None:
        """Writes NAME.json; raises UserError if it exists or the disk refuses."""
        document = {
            "recipe": _VERSION,
            **provenance.record(command),
            "edits": [_document(edit) for edit in self.edits],
            "mask": _mask_document(self.mask),
        }
        with viz.writing(path, overwrite) as file:
            file.write(f"{json.dumps(document, indent=1)}\n".encode())


def recipe_file(out: str | os.PathLike[str]) -> str:
    """Where a run that writes a picture or film writes its recipe."""
    return f"{os.path.splitext(os.fspath(out))[0]}.json"


def read_recipe(path: str | os.PathLike[str]) -> EditRecipe:
    """Reads what `EditRecipe.write` wrote; numbers in it may have been changed by hand.

    Raises:
      UserError: if it cannot be read, or naming what in it is wrong.
    """
    shown = os.fspath(path)
    try:
        document = read_json(path, _MOST)
    except FileNotFoundError:
        raise UserError(f"{shown}: no such file") from None
    if document.get("recipe") != _VERSION or not isinstance(document.get("edits"), list):
        raise FormatError(f"{shown} is no recipe; `aligned edit` writes one beside its picture")
    wrong: list[str] = []
    edits = []
    for number, entry in enumerate(document["edits"]):
        problems = _problems(entry)
        wrong += [f"edit {number}: {problem}" for problem in problems]
        if not problems:
            edits.append(_edit(entry))
    kept = document.get("mask")
    mask = mask_of_document(kept) if isinstance(kept, dict) else None
    if kept is not None and mask is None and not isinstance(kept, str):
        wrong.append("its mask is no text, and no parts with a reader")
    if wrong:
        raise FormatError(f"{shown} is no recipe: {listed(wrong, separator='; ')}")
    return EditRecipe(tuple(edits), mask_of(kept, shown) if isinstance(kept, str) else mask)


def _mask_document(mask: Mask | PartMask | None) -> str | dict[str, Any] | None:
    if mask is None:
        return None
    return mask.text() if isinstance(mask, Mask) else mask_document(mask)


def _document(edit: Edit) -> dict[str, Any]:
    direction = edit.direction
    return {
        "name": edit.name,
        "to" if edit.to else "by": edit.amount,
        "layers": None if edit.layers is None else list(edit.layers),
        "space": direction.space,
        "sigma": direction.sigma,
        "intercept": direction.intercept,
        "network": direction.network,
        "found": {**direction.found, "layers": direction.layers},
        # Python writes as many digits as bring float32 back to the last bit.
        "vectors": {name: np.float64(v).tolist() for name, v in direction.vectors.items()},
    }


def _problems(entry: Any) -> list[str]:
    """A line for everything in the entry of an edit that is not as it is written."""
    if not isinstance(entry, dict):
        return ["it is no object"]
    wrong = [f"{key} is unknown" for key in entry.keys() - _EDIT]
    wrong += [
        f"{key} is missing" for key in ("name", "space", "vectors", "sigma") if key not in entry
    ]
    if ("by" in entry) == ("to" in entry):
        wrong.append("it needs one of by and to")
    if wrong:
        return wrong
    amount, vectors = entry.get("by", entry.get("to")), entry["vectors"]
    found = entry.get("found", {})
    fine = {
        "name": isinstance(entry["name"], str),
        "space": entry["space"] in SPACES,
        "by or to": _is_number(amount),
        "sigma": _is_number(entry["sigma"]) and entry["sigma"] > 0,
        "intercept": entry.get("intercept") is None or _is_number(entry["intercept"]),
        "network": isinstance(entry.get("network", ""), str),
        "layers": _are_rows(entry.get("layers")),
        "found": isinstance(found, dict) and _are_rows(found.get("layers")),
        "vectors": isinstance(vectors, dict)
        and bool(vectors)
        and all(map(_is_vector, vectors.values())),
    }
    return [f"{key} is not as it should be" for key, good in fine.items() if not good]


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and abs(value) < 2**53 and math.isfinite(value)


def _are_rows(value: Any) -> bool:
    return value is None or (
        isinstance(value, list) and all(type(row) is int and 0 <= row < 1000 for row in value)
    )


def _is_vector(value: Any) -> bool:
    if not isinstance(value, list) or not value:
        return False
    if all(isinstance(row, list) for row in value):
        numbers = [number for row in value for number in row]
        return len({len(row) for row in value}) == 1 and _is_vector(numbers)
    return all(map(_is_number, value))


def _edit(entry: dict[str, Any]) -> Edit:
    found, layers = dict(entry.get("found", {})), entry.get("layers")
    recommended = found.pop("layers", None)
    direction = Direction(
        space=entry["space"],
        vectors={name: np.asarray(value, np.float32) for name, value in entry["vectors"].items()},
        sigma=float(entry["sigma"]),
        network=entry.get("network", ""),
        intercept=entry.get("intercept"),
        layers=None if recommended is None else tuple(recommended),
        found=found,
    )
    rows = None if layers is None else tuple(layers)
    amount = float(entry["to"] if "to" in entry else entry["by"])
    return Edit(direction, amount, "to" in entry, rows, entry["name"])


def joined(recipes: Sequence[EditRecipe]) -> EditRecipe:
    """All edits of several recipes.

    Raises:
      UserError: if more than one has a mask.
    """
    masks = [one.mask for one in recipes if one.mask is not None]
    if len(masks) > 1:
        raise UserError("more than one mask; edits share one")
    return EditRecipe(
        tuple(edit for one in recipes for edit in one.edits), masks[0] if masks else None
    )
