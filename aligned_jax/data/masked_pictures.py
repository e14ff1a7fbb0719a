"""Pictures whose parts are known at every pixel: drawn again, or with masks of the user."""

import os
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from aligned_jax.data import pictures
from aligned_jax.data.dataset import open_dataset
from aligned_jax.data.image_files import ImageFiles, plain_name, reason
from aligned_jax.data.opening import opened
from aligned_jax.data.options import DataOptions
from aligned_jax.data.part_masks import draw_parts, part_names
from aligned_jax.errors import UserError
from aligned_jax.utils.reporting import QUIET, Reporter
from aligned_jax.utils.text import counted, listed


@dataclass(frozen=True, eq=False)
class MaskedPictures:
    """N pictures, and the part that every pixel belongs to.

    Attributes:
      images: uint8 [N, R, R, 3].
      masks: uint8 [N, R, R], numbers in `names`.
      names: of the parts; all occur.
      facts: JSON-able, on where they are from.
    """

    images: np.ndarray
    masks: np.ndarray
    names: tuple[str, ...]
    facts: Mapping[str, Any]


def drawn_again(
    data: str | os.PathLike[str], resolution: int, num: int, report: Reporter = QUIET
) -> MaskedPictures:
    """The first pictures of a dataset of drawn avatars, with exact masks.

    Args:
      data: a dataset of `aligned data avatars`.
      resolution: of pictures and masks.
      num: pictures at most.
      report: hears of every picture.

    Raises:
      UserError: if it is no such dataset.
    """
    dataset = open_dataset(DataOptions(os.fspath(data)))
    recipe = dict(dataset.recipe) if isinstance(dataset.recipe, dict) else {}
    style = recipe.get("style")
    if not isinstance(style, str):
        raise UserError(
            f"{data} was not drawn by `aligned data avatars`; of other pictures give `masks` too"
        )
    background = tuple(map(str, recipe.get("background", ("#ffffff",))))
    zoom = recipe.get("zoom", 1.0)
    if not isinstance(zoom, float | int):
        raise UserError(f"{data} records a zoom of {zoom!r:.40}, which is no number")
    names = part_names(style)
    images, masks = [], []
    with report.progress(min(num, len(dataset)), "pictures") as advance:
        for row in range(min(num, len(dataset))):
            told = dataset.attributes(row)
            pose = {"roll": told["roll"], "yaw": told["yaw"], "zoom": zoom}
            image, mask = draw_parts(style, told["seed"], resolution, background=background, **pose)
            images.append(image)
            masks.append(mask)
            advance(1)
    return _used(np.stack(images), np.stack(masks), names, {"recipe": dataset.recipe})


def with_masks(
    images: str | os.PathLike[str],
    masks: str | os.PathLike[str],
    names: Sequence[str],
    resolution: int,
    num: int,
) -> MaskedPictures:
    """Pictures of a folder or zip, with a mask of the same name for each.

    Args:
      images: folder or zip of pictures; cut to the middle square and resized (Lanczos).
      masks: of PNGs of the same names (and size, or shape), grey or with a palette, whose values
        are 0, 1, 2, ..., numbers in `names`; resized to the nearest pixel.
      names: of the parts.
      resolution: of pictures and masks.
      num: pictures at most, by name.

    Raises:
      UserError: naming pictures without a mask, or masks that cannot be read.
    """
    pairs: list[tuple[np.ndarray, np.ndarray]] = []
    wrong = []
    with (
        closing(ImageFiles(os.fspath(images))) as files,
        closing(ImageFiles(os.fspath(masks))) as others,
    ):
        there = {_stem(item.file): item for item in others.images()}
        items = files.images()[:num]
        missing = [item.file for item in items if _stem(item.file) not in there]
        if missing or not items:
            raise UserError(
                f"{masks} lacks the masks of {counted(len(missing), 'picture')}: "
                f"{listed(missing) or 'there are no pictures'}"
            )
        for item in items:
            try:
                image = pictures.squared(files.read(item), resolution, 3).image
                with opened(others.read(there[_stem(item.file)])) as mask:
                    pairs.append((np.asarray(image), _mask(mask, resolution, len(names))))
            except Exception as error:  # Decoders raise all kinds of errors.
                wrong.append(f"{item.file} ({reason(error)})")
    if wrong:
        raise UserError(f"pictures or masks that cannot be used: {listed(wrong)}")
    pixels, labels = (np.stack(column) for column in zip(*pairs, strict=True))
    return _used(pixels, labels, tuple(names), {"parts": list(names)})


def _mask(image: Image.Image, resolution: int, count: int) -> np.ndarray:
    """uint8 [R, R] of a picture whose values are numbers of parts; ValueError for another one."""
    if image.mode not in ("L", "P"):
        raise ValueError(f"a mask is grey or has a palette, this has mode {image.mode}")
    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    square = image.crop((left, top, left + side, top + side))
    values = np.asarray(square.resize((resolution, resolution), Image.Resampling.NEAREST))
    if values.max() >= count:
        raise ValueError(f"a mask has the value {values.max()}; parts are 0 to {count - 1}")
    return values.astype(np.uint8)


def _stem(file: str) -> str:
    return os.path.splitext(plain_name(file))[0]


def _used(
    images: np.ndarray, masks: np.ndarray, names: tuple[str, ...], facts: Mapping[str, Any]
) -> MaskedPictures:
    """Only the parts that occur; UserError if there is but one."""
    used = np.unique(masks)
    if len(used) < 2:
        raise UserError(f"all pixels are {names[int(used[0])]}; parts to tell apart are needed")
    numbers = np.searchsorted(used, masks).astype(np.uint8)
    return MaskedPictures(images, numbers, tuple(names[int(k)] for k in used), facts)
