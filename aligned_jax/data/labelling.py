"""Labels of imported pictures: from dataset.json, or from the folders they lie in."""

import itertools
import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aligned_jax.data.image_files import LISTING, ImageFiles, Item, plain_name
from aligned_jax.errors import FormatError, UserError
from aligned_jax.utils.text import counted, listed

# JSON takes twenty times the memory of its text.
LARGEST_LISTING = 2**26
_FORM = 'it should hold {"labels": [["file.png", 3], ...]}'
_SHOWN = 12


@dataclass(frozen=True)
class Labelled:
    """Pictures with labels, if there are any.

    Attributes:
      items: with `label`.
      classes: their names, if labels are classes.
      told: lines on what became of labels, and of lists that were not used.
    """

    items: list[Item]
    classes: tuple[str, ...]
    told: tuple[str, ...]


def unlabelled(images: list[Item], why: str) -> Labelled:
    """Pictures without labels."""
    return Labelled(images, (), (f"no labels ({why})",))


def label(files: ImageFiles, images: list[Item]) -> Labelled:
    """Labels of a dataset.json, else of folders.

    A dataset.json lies beside all folders or, if there is but one, next to all pictures
    deeper down. Folders are classes if there are several, where they part.

    Raises:
      UserError: labels missing or of several kinds, pictures beside classes.
      FormatError: a damaged dataset.json.
    """
    names = files.listings()
    unused = []
    if names and (folder := _folder(names[0])) is not None:
        deeper = [name for name in names if "/" in name]
        covers = all(item.file.startswith(folder) for item in images)
        if not folder or (len(deeper) == 1 and covers):
            return _by_listing(files, images, names[0])
        verb = "lies" if len(deeper) == 1 else "lie"
        unused = [f"not used: {listed(deeper)}, which {verb} deeper than some pictures or aside"]
    labelled = _by_folder(files.path, images)
    return Labelled(labelled.items, labelled.classes, (*labelled.told, *unused))


def top_of(images: Sequence[str]) -> str:
    """The folders that all pictures lie in, such as "faces/"; "" if there is none."""
    folders = [image.split("/")[:-1] for image in images]
    first, last = min(folders), max(folders)  # what these two share, all do
    shared = itertools.takewhile(lambda pair: pair[0] == pair[1], zip(first, last, strict=False))
    return "".join(f"{part}/" for part, _ in shared)


def _folder(name: str) -> str:
    """The folder of a file, with a slash at its end; "" if it lies in none."""
    return name[: name.rfind("/") + 1]


def _by_folder(path: str, images: list[Item]) -> Labelled:
    """Folders as classes, if there are several and nothing lies beside them."""
    start = len(top_of([item.file for item in images]))
    rests = [item.file[start:] for item in images]
    tops = [rest.split("/")[0] if "/" in rest else "" for rest in rests]
    classes = sorted(set(tops) - {""})
    if len(classes) < 2:
        return unlabelled(images, f"no {LISTING}, and no folders of classes")
    loose = [item.file for item, top in zip(images, tops, strict=True) if not top]
    if loose:
        raise UserError(
            f"{path} has images in {len(classes)} sub-folders, which would be classes, and beside "
            f"them ({listed(loose)}); move those into a class, or pass `labels=False`"
        )
    number = {name: k for k, name in enumerate(classes)}
    items = [
        Item(item.file, item.size, number[top]) for item, top in zip(images, tops, strict=True)
    ]
    names = _class_names(classes)
    return Labelled(items, names, (_told_classes(names, "the names of folders"),))


def _class_names(folders: Sequence[str]) -> tuple[str, ...]:
    """Names of folders as a list with a line for each can hold them, all different."""
    names: list[str] = []
    for folder in folders:
        text = folder.encode("utf-8", "replace").decode()
        name = text.replace("\r", " ").replace("\n", " ").strip() or "_"
        while name in names:
            name += "_"
        names.append(name)
    return tuple(names)


def _told_classes(names: tuple[str, ...], origin: str) -> str:
    classes = "1 class" if len(names) == 1 else f"{len(names)} classes"
    return f"{classes}: {listed(names, _SHOWN)} (from {origin})"


def _by_listing(files: ImageFiles, images: list[Item], name: str) -> Labelled:
    """Labels of a dataset.json."""
    listing = _read_listing(files, name)
    if not listing:
        return unlabelled(images, f"{name} has none")
    labels = _matched(files.path, name, [item.file for item in images], listing)
    if all(_is_class(label) for label in labels):
        items = [Item(i.file, i.size, label) for i, label in zip(images, labels, strict=True)]
        classes = tuple(str(k) for k in range(max(labels) + 1))
        return Labelled(items, classes, (_told_classes(classes, name),))
    length = len(labels[0]) if isinstance(labels[0], list) else -1
    wrong = [i.file for i, v in zip(images, labels, strict=True) if not _is_vector(v, length)]
    if wrong or length < 1:
        raise UserError(
            f"{files.path}: labels in {name} must be all class numbers from 0 to 99999, or all "
            f"vectors of one length; see {listed(wrong or [images[0].file])}"
        )
    vectors = zip(images, labels, strict=True)
    items = [Item(i.file, i.size, tuple(map(float, label))) for i, label in vectors]
    return Labelled(items, (), (f"labels of {counted(length, 'number')} (from {name})",))


def _matched(path: str, name: str, images: list[str], listing: dict[str, Any]) -> list[Any]:
    """The label of every picture, whose names a dataset.json may write in other ways."""
    keys = _keys(images, listing, _folder(name))
    missing = [image for image, key in zip(images, keys, strict=True) if key is None]
    if missing:
        raise UserError(
            f"{path}: {name} has no label for {listed(missing)}; complete it or pass `labels=False`"
        )
    absent = sorted(set(listing) - set(keys))
    if absent:
        raise UserError(f"{path} lacks {listed(absent)}, which {name} names")
    return [listing[key] for key in keys if key is not None]


def _keys(images: list[str], listing: dict[str, Any], folder: str) -> list[str | None]:
    """Under which name a dataset.json lists each picture, if it does.

    Its names are all relative to one folder: its own, the outermost, or that of all pictures;
    which of them it is shows in how many pictures are found.

    Args:
      images: names in the folder or zip.
      listing: labels by plain name.
      folder: where the dataset.json lies.
    """
    small = defaultdict(list)
    for key in listing:
        small[key.lower()].append(key)
    plain = [plain_name(image) for image in images]
    found = [
        _found([name.removeprefix(start) for name in plain], listing, small)
        for start in (folder, "", top_of(plain))
    ]
    return min(found, key=lambda keys: keys.count(None))


def _found(
    names: list[str], listing: dict[str, Any], small: Mapping[str, list[str]]
) -> list[str | None]:
    """The key of each name, in other capitals if need be; `small` has all keys by small letters."""
    exact = [name if name in listing else None for name in names]
    written = [small.get(name.lower(), []) for name in names]
    alike = [same[0] if len(same) == 1 else None for same in written]
    # Two pictures whose names differ in capitals alone share no label.
    times = Counter(alike)
    return [
        key if key is not None or times[other] > 1 else other
        for key, other in zip(exact, alike, strict=True)
    ]


def _read_listing(files: ImageFiles, name: str) -> dict[str, Any]:
    """Labels by plain name; {} if it says there are none."""
    try:
        text = files.read(Item(name, 0), LARGEST_LISTING).getvalue()
    except (OSError, ValueError) as error:
        raise FormatError(f"{files.path}: {name} cannot be read: {error}") from error
    try:
        pairs = json.loads(text)["labels"] or ()
        labels: dict[str, Any] = {}
        for file, value in pairs:
            if not isinstance(file, str):
                raise TypeError
            key = plain_name(file)
            if key in labels and labels[key] != value:
                raise UserError(f"{files.path}: {name} gives {file!r:.80} two labels")
            labels[key] = value
        return labels
    except UserError:
        raise
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise FormatError(f"{files.path}: {name} is damaged; {_FORM}") from error


def _is_class(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 100_000


def _is_vector(value: Any, length: int) -> bool:
    return (
        isinstance(value, list)
        and len(value) == length
        and all(type(v) in (int, float) and abs(v) < 1e30 for v in value)
    )
