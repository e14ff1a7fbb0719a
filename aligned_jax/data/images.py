"""Folders and official dataset zips as a source of square images with labels."""

import hashlib
import math
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from aligned_jax.data import labelling, opening, pictures
from aligned_jax.data.image_files import ImageFiles, Item, reason
from aligned_jax.errors import UserError
from aligned_jax.utils.text import counted


@dataclass(frozen=True)
class ImageSource:
    """A dataset to be written by `write_dataset`; `scan` makes it.

    Attributes:
      path: the folder or zip.
      resolution, channels: of the images to be written.
      items: files by split.
      classes: names of the classes, if labels are classes.
      fit: what becomes of pictures that are not square: "crop", "pad" or "stretch".
      ground: colour of the margins of "pad".
      told: lines on labels, and on files that were read or passed over.
    """

    path: str
    resolution: int
    channels: int
    items: dict[str, tuple[Item, ...]] = field(repr=False)
    classes: tuple[str, ...] = ()
    fit: str = "crop"
    ground: pictures.Colour = pictures.WHITE
    told: tuple[str, ...] = ()

    name = "images"

    def check(self) -> None:
        """Raises UserError if the source is not there any more."""
        ImageFiles(self.path).close()

    def identity(self) -> dict[str, Any]:
        """Everything that decides the images: source, sizes, filter and files; JSON-able."""
        listed = repr(sorted(self.items.items()))
        margins = {"pad_colour": _hexadecimal(self.ground)} if self.fit == "pad" else {}
        return {
            "path": self.path,
            "resolution": self.resolution,
            "channels": self.channels,
            "fit": self.fit,
            **margins,
            "filter": "Lanczos, antialiased, where the size is another one",
            "files": hashlib.sha256(listed.encode("utf-8", "surrogatepass")).hexdigest(),
        }

    def splits(self) -> dict[str, int]:
        """How many files each split has."""
        return {split: len(items) for split, items in self.items.items()}

    def features(self) -> dict[str, Any]:
        """TFDS features of an example: image, file and, if there are any, label."""
        import tensorflow_datasets as tfds

        shape = (self.resolution, self.resolution, self.channels)
        features = {
            "image": tfds.features.Image(shape=shape, encoding_format="png"),
            "file": tfds.features.Text(),
        }
        label = next(iter(self.items.values()))[0].label
        if self.classes:
            features["label"] = tfds.features.ClassLabel(names=list(self.classes))
        elif isinstance(label, tuple):
            features["label"] = tfds.features.Tensor(shape=(len(label),), dtype=np.float32)
        return features

    def examples(
        self, split: str, start: int, stop: int
    ) -> Iterator[tuple[dict[str, Any], dict[str, float]] | str]:
        """Images `start` to `stop` of a split, with what `conclusions` are drawn from.

        A damaged one is a line of text instead.
        """
        files = ImageFiles(self.path)
        try:
            for item in self.items[split][start:stop]:
                try:
                    data = files.read(item)
                    square = pictures.squared(
                        data, self.resolution, self.channels, self.fit, self.ground
                    )
                except Exception as error:  # Decoders raise all kinds of errors.
                    yield f"{item.file}: {reason(error)}"
                    continue
                example = {"image": square.png(), "file": item.file.encode("utf-8", "replace")}
                label = {} if item.label is None else {"label": item.label}
                seen = {"excess": square.excess, "transparent": float(square.transparent)}
                yield example | label, seen
        finally:
            files.close()

    def conclusions(self, count: int, seen: Mapping[str, tuple[int, float]]) -> tuple[str, ...]:
        """Lines on what was decided: about labels, files, and pictures that were not square.

        Args:
          count: of the pictures written.
          seen: by name of what `examples` yields, in how many it was not 0, and the most.
        """
        fit = self._told_fit(count, *seen["excess"])
        return (*self.told, *fit, *self._told_alpha(count, seen["transparent"][0]))

    def _told_fit(self, count: int, times: int, most: float) -> tuple[str, ...]:
        done = {"crop": "cropped", "pad": "given margins", "stretch": "stretched"}[self.fit]
        if not times:
            return (f"no picture was {done}: all are square",)
        how = {
            "crop": f"by {_percent(most)} at most",
            "pad": f"which take {_percent(most)} at most",
            "stretch": f"by a factor of {1 / (1 - most):.3g} at most",
        }[self.fit]
        were = "was" if times == 1 else "were"
        return (f"{times} of {counted(count, 'picture')} {were} {done}, {how}",)

    def _told_alpha(self, count: int, times: int) -> tuple[str, ...]:
        if self.channels == 4 and not times:
            return ("no picture is transparent anywhere; alpha is 255 in all",)
        if self.channels == 4 or not times:
            return ()
        pictures = counted(count, "picture")
        return (
            f"transparent parts of {times} of {pictures} became white; `alpha=True` keeps them",
        )

    def licence(self) -> str:
        """Text that goes beside the data."""
        return (
            f"These images were imported from {Path(self.path).name} and made square. Their\n"
            "licence is that of the originals.\n"
        )

    def description(self) -> str:
        """A sentence for the dataset's card."""
        how = {"crop": "cropped", "pad": "padded", "stretch": "stretched"}[self.fit]
        return f"Images of {Path(self.path).name}, {how} to squares."


def scan(
    path: str | os.PathLike,
    resolution: int,
    gray: bool = False,
    test: float = 0.0,
    labelled: bool = True,
    *,
    alpha: bool = False,
    fit: str = "crop",
    pad_colour: str | None = None,
) -> ImageSource:
    """Lists the images of a folder or zip that will be imported, and the labels they have.

    A folder and a zip of it give the same.

    Labels come from `dataset.json` where there is one, as in official datasets
    (class numbers or vectors), and else from folders.

    Args:
      path: a folder, searched through, or a zip.
      resolution: pixels of the square images to be written.
      gray: one channel instead of three.
      test: fraction of the files for the split "test"; which ones depends on their names alone.
      labelled: False leaves labels out.
      alpha: four channels instead of three, of which the last is opacity.
      fit: what becomes of pictures that are not square: "crop" takes the middle, "pad" adds
        margins, "stretch" distorts.
      pad_colour: of margins, "#rrggbb", with `alpha` also "#rrggbbaa"; None is white, or with
        `alpha` transparent.

    Raises:
      UserError: no images, labels missing or of several kinds, a fraction out of bounds, options
        that contradict each other.
      FormatError: a damaged zip or listing.
    """
    ground = _checked(gray, test, alpha, fit, pad_colour)
    path = os.path.abspath(path)
    files = ImageFiles(path)
    try:
        found = files.found()
        if not found.images:
            more = f"; {'; '.join(found.told())}" if found.told() else ""
            raise UserError(f"{path} holds no images ({', '.join(opening.SUFFIXES)}){more}")
        if labelled:
            labels = labelling.label(files, found.images)
        else:
            labels = labelling.unlabelled(found.images, "as was asked for")
    finally:
        files.close()
    channels = 1 if gray else 4 if alpha else 3
    items, told = _split(labels.items, test), (*labels.told, *found.told())
    return ImageSource(path, resolution, channels, items, labels.classes, fit, ground, told)


def _checked(
    gray: bool, test: float, alpha: bool, fit: str, pad_colour: str | None
) -> pictures.Colour:
    """The colour of margins, once the options were looked at; all mistakes at once."""
    mistakes, ground = [], pictures.CLEAR if alpha else pictures.WHITE
    if not 0 <= test < 1:
        mistakes.append(f"a fraction of {test} for tests is not possible; 0 to below 1 is")
    if gray and alpha:
        mistakes.append("`gray=True` has one channel and `alpha=True` four; leave one of them out")
    if fit not in pictures.FITS:
        mistakes.append(f"fit is {fit!r:.40}; it can be {', '.join(pictures.FITS)}")
    if pad_colour is not None:
        if fit != "pad":
            mistakes.append(
                f"`pad_colour` is for `fit='pad'`; with `fit='{fit}'` there are no margins"
            )
        try:
            ground = pictures.parse_colour(pad_colour, alpha)
        except UserError as error:
            mistakes.append(str(error))
    if mistakes:
        raise UserError("; ".join(mistakes))
    return ground


def _split(items: list[Item], test: float) -> dict[str, tuple[Item, ...]]:
    count = math.floor(len(items) * test)
    # Counted from here, a zip with its top folder is split alike.
    start = len(labelling.top_of([item.file for item in items]))

    def order(item: Item) -> bytes:
        return hashlib.sha256(os.fsencode(item.file[start:])).digest()

    chosen = {item.file for item in sorted(items, key=order)[:count]}
    splits = {"train": tuple(item for item in items if item.file not in chosen)}
    if chosen:
        splits["test"] = tuple(item for item in items if item.file in chosen)
    return splits


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"


def _hexadecimal(colour: pictures.Colour) -> str:
    digits = bytes(colour).hex()
    return f"#{digits[:6] if digits.endswith('ff') else digits}"
