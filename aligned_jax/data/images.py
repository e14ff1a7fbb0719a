"""Folders and official dataset zips as a source of square images with labels."""

import hashlib
import io
import json
import math
import os
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import UnidentifiedImageError

from aligned_jax.data import pictures
from aligned_jax.errors import FormatError, UserError
from aligned_jax.utils.text import listed

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff", ".gif")
_LISTING = "dataset.json"
_LARGEST_LISTING = 2**30


@dataclass(frozen=True)
class Item:
    """A file and its label: a class number, a vector, or None."""

    file: str
    size: int
    label: int | tuple[float, ...] | None = None


@dataclass(frozen=True)
class ImageSource:
    """A dataset to be written by `write_dataset`; `scan` makes it.

    Attributes:
      path: the folder or zip.
      resolution, channels: of the images to be written.
      items: files by split.
      classes: names of the classes, if labels are classes.
    """

    path: str
    resolution: int
    channels: int
    items: dict[str, tuple[Item, ...]] = field(repr=False)
    classes: tuple[str, ...] = ()

    name = "images"

    def check(self) -> None:
        """Raises UserError if the source is not there any more."""
        ImageFiles(self.path).close()

    def identity(self) -> dict[str, Any]:
        """Everything that decides the images: source, sizes, filter and files; JSON-able."""
        listed = repr(sorted(self.items.items()))
        return {
            "path": self.path,
            "resolution": self.resolution,
            "channels": self.channels,
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

    def examples(self, split: str, start: int, stop: int) -> Iterator[dict[str, Any] | str]:
        """Images `start` to `stop` of a split; a line of text for each damaged one."""
        files = ImageFiles(self.path)
        try:
            for item in self.items[split][start:stop]:
                try:
                    data = files.read(item)
                    png = pictures.square_png(data, self.resolution, self.channels)
                except Exception as error:  # Decoders raise all kinds of errors.
                    yield f"{item.file}: {_reason(error)}"
                    continue
                example = {"image": png, "file": item.file.encode("utf-8", "replace")}
                yield example if item.label is None else example | {"label": item.label}
        finally:
            files.close()

    def licence(self) -> str:
        """Text that goes beside the data."""
        return (
            f"These images were imported from {Path(self.path).name} and made square. Their\n"
            "licence is that of the originals.\n"
        )

    def description(self) -> str:
        """A sentence for the dataset's card."""
        return f"Images of {Path(self.path).name}, cropped to squares."


def scan(
    path: str | os.PathLike,
    resolution: int,
    gray: bool = False,
    test: float = 0.0,
    labelled: bool = True,
) -> ImageSource:
    """Lists the images of a folder or zip that will be imported, and reads none of them.

    Labels come from `dataset.json` where there is one, as in official datasets
    (class numbers or vectors), and else from the sub-folders of a folder.

    Args:
      path: a folder, searched through, or a zip.
      resolution: pixels of the square images to be written.
      gray: one channel instead of three.
      test: fraction of the files for the split "test"; which ones depends on their names alone.
      labelled: False leaves labels out.

    Raises:
      UserError: no images, labels missing or of several kinds, a fraction out of bounds.
      FormatError: a damaged zip or listing.
    """
    if not 0 <= test < 1:
        raise UserError(f"a fraction of {test} for tests is not possible; 0 to below 1 is")
    path = os.path.abspath(path)
    files = ImageFiles(path)
    try:
        images = files.images()
        listing = files.listing() if labelled else {}
    finally:
        files.close()
    if not images:
        raise UserError(f"{path} holds no images ({', '.join(SUFFIXES)})")
    classes: Sequence[str] = ()
    if listing:
        items, classes = _by_listing(path, images, listing)
    elif labelled and listing is None and not files.is_zip:
        items, classes = _by_folder(path, images)
    else:
        items = images
    channels = 1 if gray else 3
    return ImageSource(path, resolution, channels, _split(items, test), tuple(classes))


def _split(items: list[Item], test: float) -> dict[str, tuple[Item, ...]]:
    count = math.floor(len(items) * test)
    by_hash = sorted(items, key=lambda item: hashlib.sha256(os.fsencode(item.file)).digest())
    chosen = {item.file for item in by_hash[:count]}
    splits = {"train": tuple(item for item in items if item.file not in chosen)}
    if chosen:
        splits["test"] = tuple(item for item in items if item.file in chosen)
    return splits


def _by_folder(path: str, images: list[Item]) -> tuple[list[Item], list[str]]:
    """Sub-folders as classes, if there are several and nothing lies beside them."""
    tops = [item.file.split("/")[0] if "/" in item.file else "" for item in images]
    classes = sorted(set(tops) - {""})
    if len(classes) < 2:
        return images, []
    loose = [item.file for item, top in zip(images, tops, strict=True) if not top]
    if loose:
        raise UserError(
            f"{path} has images in {len(classes)} sub-folders, which would be classes, and beside "
            f"them ({listed(loose)}); move those into a class, or pass --no-labels"
        )
    number = {name: k for k, name in enumerate(classes)}
    labelled = (
        Item(item.file, item.size, number[top]) for item, top in zip(images, tops, strict=True)
    )
    return list(labelled), [name.encode("utf-8", "replace").decode() for name in classes]


def _by_listing(
    path: str, images: list[Item], listing: dict[str, Any]
) -> tuple[list[Item], list[str]]:
    """Labels of a dataset.json."""
    missing = [item.file for item in images if item.file not in listing]
    if missing:
        raise UserError(
            f"{path}: {_LISTING} has no label for {listed(missing)}; complete it or pass "
            "--no-labels"
        )
    absent = sorted(set(listing) - {item.file for item in images})
    if absent:
        raise UserError(f"{path} lacks {listed(absent)}, which {_LISTING} names")
    labels = [listing[item.file] for item in images]
    if all(_is_class(label) for label in labels):
        items = [Item(i.file, i.size, label) for i, label in zip(images, labels, strict=True)]
        return items, [str(k) for k in range(max(labels) + 1)]
    length = len(labels[0]) if isinstance(labels[0], list) else -1
    wrong = [i.file for i, v in zip(images, labels, strict=True) if not _is_vector(v, length)]
    if wrong or length < 1:
        raise UserError(
            f"{path}: labels in {_LISTING} must be all class numbers from 0 to 99999, or all "
            f"vectors of one length; see {listed(wrong or [images[0].file])}"
        )
    vectors = zip(images, labels, strict=True)
    return [Item(i.file, i.size, tuple(map(float, label))) for i, label in vectors], []


def _is_class(label: Any) -> bool:
    return isinstance(label, int) and not isinstance(label, bool) and 0 <= label < 100_000


def _is_vector(label: Any, length: int) -> bool:
    return (
        isinstance(label, list)
        and len(label) == length
        and all(type(v) in (int, float) and abs(v) < 1e30 for v in label)
    )


class ImageFiles:
    """The files of a folder or zip, read only.

    Raises:
      UserError: if the path does not exist.
      FormatError: a damaged zip.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.is_zip = os.path.isfile(path)
        self._zip = None
        if self.is_zip:
            try:
                self._zip = zipfile.ZipFile(path)
            except (zipfile.BadZipFile, OSError) as error:
                raise FormatError(f"{path} is no readable zip: {error}") from error
        elif not os.path.isdir(path):
            raise UserError(f"{path} does not exist; give a folder of images or a zip")

    def close(self) -> None:
        """Closes the zip; a folder needs no closing."""
        if self._zip:
            self._zip.close()

    def images(self) -> list[Item]:
        """All images, by name; hidden files and what systems add are left out."""
        return sorted(
            (Item(name, size) for name, size in self._names() if _is_image(name)),
            key=lambda item: item.file,
        )

    def outside(self) -> list[str]:
        """Pictures whose names in a zip lead out of it; they are not among `images`."""
        return sorted(
            name
            for name, _ in self._names()
            if _leads_out(name) and name.lower().endswith(SUFFIXES)
        )

    def _names(self) -> Iterator[tuple[str, int]]:
        if self._zip:
            yield from {entry.filename: entry.file_size for entry in self._zip.infolist()}.items()
            return
        for folder, _, names in os.walk(self.path):
            for name in names:
                full = os.path.join(folder, name)
                size = os.path.getsize(full) if os.path.exists(full) else 0
                yield os.path.relpath(full, self.path).replace(os.sep, "/"), size

    def listing(self) -> dict[str, Any] | None:
        """Labels by file from dataset.json, {} if it says there are none, None without one."""
        try:
            size = self._size(_LISTING)
        except (KeyError, FileNotFoundError):
            return None
        if size > _LARGEST_LISTING:
            raise FormatError(f"{self.path}: {_LISTING} has {size} bytes, which is too much")
        try:
            labels = json.load(self.read(Item(_LISTING, size)))["labels"]
            return {str(file): label for file, label in labels or ()}
        except (ValueError, KeyError, TypeError, RecursionError, zipfile.BadZipFile) as error:
            raise FormatError(
                f'{self.path}: {_LISTING} is damaged; it should hold {{"labels": [["file.png", '
                "3], ...]}"
            ) from error

    def _size(self, name: str) -> int:
        if self._zip:
            return self._zip.getinfo(name).file_size
        return os.path.getsize(os.path.join(self.path, name))

    def read(self, item: Item) -> io.BytesIO:
        """The bytes of a file; those of a zip no more than it declares."""
        if self._size(item.file) > pictures.LARGEST_FILE and item.file != _LISTING:
            raise ValueError(f"a file of {self._size(item.file):,} bytes is too large")
        if self._zip:
            return io.BytesIO(self._zip.read(item.file))
        return io.BytesIO(Path(self.path, item.file).read_bytes())


def _reason(error: Exception) -> str:
    if isinstance(error, UnidentifiedImageError):
        return "this is no picture, or a damaged one"
    return " ".join(str(error).split())[:120] or type(error).__name__


def _leads_out(name: str) -> bool:
    return ".." in name.replace("\\", "/").split("/")


def _is_image(name: str) -> bool:
    parts = name.split("/")
    hidden = any(part.startswith(".") or part == "__MACOSX" for part in parts)
    return not hidden and not _leads_out(name) and name.lower().endswith(SUFFIXES)
