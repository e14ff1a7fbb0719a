"""Pictures with known attributes: TFDS datasets, CelebA's list, and tables in CSV files."""

import csv
import io
import json
import os
import re
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from aligned_jax.data import pictures
from aligned_jax.data.attribute_columns import AttributeColumn, columns
from aligned_jax.data.dataset import Dataset, open_dataset
from aligned_jax.data.image_files import ImageFiles, Item, plain_name, reason
from aligned_jax.data.options import DataOptions
from aligned_jax.errors import FormatError, UserError
from aligned_jax.utils import reading
from aligned_jax.utils.reporting import QUIET, Reporter
from aligned_jax.utils.text import counted, listed

_LARGEST = 1 << 29  # bytes of a table
_LONG = ("file", "name", "value")
_NOT_TOLD = ("seed", "options")


@dataclass(frozen=True, eq=False)
class LabelledPictures:
    """N pictures and what is known of them.

    Attributes:
      images: uint8 [N, R, R, 3].
      columns: the attributes that vary, by name.
      told: lines on what was left out.
      facts: JSON-able, on where they are from.
    """

    images: np.ndarray
    columns: dict[str, AttributeColumn]
    told: tuple[str, ...]
    facts: dict[str, Any]


def read_labelled(
    data: str | os.PathLike[str],
    resolution: int,
    *,
    images: str | os.PathLike[str] | None = None,
    split: str = "train",
    most: int | None = None,
    seed: int = 0,
    kinds: Mapping[str, str] | None = None,
    attributes: Sequence[str] | None = None,
    skip_bad: bool = False,
    report: Reporter = QUIET,
) -> LabelledPictures:
    """Reads pictures and their attributes into memory.

    Args:
      data: a TFDS dataset of `aligned data`; a .csv file of columns file, name, value, or of a
        column file and one for each attribute; or a list as CelebA's list_attr_celeba.txt.
      resolution: of the pictures: others are cut to the middle square, and resized (Lanczos).
      images: folder or zip of the pictures of a table; by default the folder that it lies in.
      split: of a dataset.
      most: pictures, chosen by `seed`; None takes all.
      seed: of the choice.
      kinds: of attributes for which they are not to be deduced: binary, category, colour, number.
      attributes: those that are wanted; None takes all that vary.
      skip_bad: leaves damaged pictures out instead of refusing.
      report: hears of every picture.

    Raises:
      UserError: if there is nothing to learn from, or naming all attributes that are not there,
        values that cannot be read, or pictures that are missing or damaged.
      FormatError: for a damaged table or dataset.
    """
    name = os.fspath(data)
    if os.path.isfile(name):
        found = _from_table(name, images, resolution, most, seed, skip_bad, report)
    elif images is not None:
        raise UserError(
            f"{name} is no table: the pictures of a dataset are in it, leave out `images`"
        )
    else:
        found = _from_dataset(name, split, resolution, most, seed, report)
    known = columns(found.table, kinds, found.categories)
    return _chosen(name, found, known, attributes)


@dataclass(frozen=True, eq=False)
class _Found:
    """Pictures, and their attributes as they are recorded."""

    images: np.ndarray
    table: dict[str, list[Any]]
    categories: tuple[str, ...]
    told: tuple[str, ...]
    facts: dict[str, Any]


def _chosen(
    name: str,
    found: _Found,
    known: dict[str, AttributeColumn],
    attributes: Sequence[str] | None,
) -> LabelledPictures:
    """The attributes that are wanted, or all that vary and say something of their own."""
    told = list(found.told)
    constant = [key for key, column in known.items() if not column.varies]
    if attributes is not None:
        wrong = [f"{key} (always the same)" for key in attributes if key in constant]
        wrong += [key for key in attributes if key not in known]
        if wrong:
            varying = [key for key in known if key not in constant]
            raise UserError(f"{name} cannot teach {listed(wrong)}; it has {listed(varying, 60)}")
        chosen = {key: known[key] for key in attributes}
    else:
        chosen = {}
        for key, column in known.items():
            if key not in constant and not any(column.says_the_same(c) for c in chosen.values()):
                chosen[key] = column
        if constant:
            told.append(f"left out, as they are always the same: {listed(constant, 20)}")
    if not chosen:
        raise UserError(f"{name} has no attribute in which its pictures differ")
    return LabelledPictures(found.images, chosen, tuple(told), found.facts)


def _from_dataset(
    name: str, split: str, resolution: int, most: int | None, seed: int, report: Reporter
) -> _Found:
    dataset = open_dataset(DataOptions(name, split))
    rows = _rows(len(dataset), most, seed)
    table: dict[str, list[Any]] = {}
    images = np.empty((len(rows), resolution, resolution, 3), np.uint8)
    with report.progress(len(rows), "pictures") as advance:
        for place, row in enumerate(rows):
            images[place] = _resized(dataset[int(row)][0], resolution)
            for key, value in _recorded(dataset, int(row)).items():
                table.setdefault(key, [None] * len(rows))[place] = value
            advance(1)
    classes = [key for key in table if _is_class(dataset, key)]
    texts = [key for key in table if key not in classes and key.endswith(_KIND)]
    for key in texts:  # a part that is not there is a kind of its own
        table[key] = ["none" if value is None else value for value in table[key]]
    facts = {"dataset_sha256": dataset.fingerprint, "split": split, "recipe": dataset.recipe}
    table = {_without(key, table): values for key, values in table.items()}
    names = tuple(_without(key, table) for key in (*classes, *texts))
    return _Found(images, table, names, (), facts)


_KIND = "_kind"


def _without(key: str, table: Mapping[str, Any]) -> str:
    """The name of a drawing's part without "_kind", where nothing else is called so."""
    short = key.removesuffix(_KIND)
    return key if short != key and short in table else short


def _is_class(dataset: Dataset, name: str) -> bool:
    try:
        return dataset.is_class(name)
    except KeyError:
        return False


def _recorded(dataset: Dataset, row: int) -> dict[str, Any]:
    """What is recorded of one picture, and the choices of a drawing by snake-case names."""
    recorded = dataset.attributes(row)
    known = {
        name: value
        for name, value in sorted(recorded.items())
        if name not in _NOT_TOLD and (np.ndim(value) == 0 or np.shape(value) == (3,))
    }
    return known | _choices(recorded.get("options", ""))


def _choices(text: Any) -> dict[str, Any]:
    """Variants and colours of a drawing's parts: {"hair_kind": "long", "clothing_color": ...}."""
    try:
        options = json.loads(text)
    except (TypeError, ValueError):
        return {}
    choices: dict[str, Any] = {}
    for key, value in sorted(options.items()) if isinstance(options, dict) else ():
        snake = re.sub("(?<!^)([A-Z])", r"_\1", str(key)).lower()
        if snake.endswith("_variant") and isinstance(value, str):
            choices[snake.removesuffix("_variant") + _KIND] = value
        elif snake.endswith("_color") and isinstance(value, list) and value:
            choices[snake] = str(value[0])
    return choices


def _from_table(
    name: str,
    images: str | os.PathLike[str] | None,
    resolution: int,
    most: int | None,
    seed: int,
    skip_bad: bool,
    report: Reporter,
) -> _Found:
    rows = read_table(name)
    files = ImageFiles(os.fspath(images) if images is not None else os.path.dirname(name) or ".")
    with closing(files):
        there = {item.file: item for item in files.images()}
        missing = [file for file in rows if plain_name(file) not in there]
        if missing:
            raise UserError(
                f"{files.path} lacks {counted(len(missing), 'picture')} of {name}: "
                f"{listed(missing)}; `images` says where they are"
            )
        names = list(rows)
        chosen = [names[k] for k in _rows(len(names), most, seed)]
        items = [there[plain_name(file)] for file in chosen]
        pixels, bad = _pictures(files, items, resolution, report)
    if bad and not skip_bad:
        told = [f"{file} ({why})" for file, why in bad.items()]
        raise UserError(
            f"pictures that cannot be read: {listed(told)}; `skip_bad=True` leaves them out"
        )
    kept = [file for file, item in zip(chosen, items, strict=True) if item.file not in bad]
    if not kept:
        raise UserError(f"no picture of {name} can be read")
    attributes = dict.fromkeys(key for file in kept for key in rows[file])
    table = {key: [rows[file].get(key) for file in kept] for key in attributes}
    lost = (f"left out, as they cannot be read: {listed(bad)}",) if bad else ()
    return _Found(np.stack(pixels), table, (), lost, {"table": os.path.basename(name)})


def _pictures(
    files: ImageFiles, items: Sequence[Item], resolution: int, report: Reporter
) -> tuple[list[np.ndarray], dict[str, str]]:
    """Pictures that can be read, uint8 [R, R, 3], and why others cannot, by file."""
    found, bad = [], {}
    with report.progress(len(items), "pictures") as advance:
        for item in items:
            try:
                found.append(np.asarray(pictures.squared(files.read(item), resolution, 3).image))
            except Exception as error:  # Decoders raise all kinds of errors.
                bad[item.file] = reason(error)
            advance(1)
    return found, bad


def read_table(name: str) -> dict[str, dict[str, str]]:
    """Values by picture and attribute, of a CSV file or of a list like CelebA's.

    Raises:
      UserError: if the file cannot be read.
      FormatError: naming the first line that does not fit.
    """
    try:
        text = reading.read_bytes(name, _LARGEST).decode("utf-8-sig")
    except OSError as error:
        raise UserError(f"{name} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise FormatError(f"{name} is no text in UTF-8") from None
    lines = text.splitlines()
    rows = _celeba(name, lines) if lines and lines[0].strip().isdigit() else _csv(name, text)
    if not rows:
        raise FormatError(f"{name} has no rows")
    return rows


def _celeba(name: str, lines: list[str]) -> dict[str, dict[str, str]]:
    """The number of rows, names of attributes, then a file and its values in each line."""
    names = lines[1].split() if len(lines) > 1 else []
    rows = {}
    for number, line in enumerate(lines[2:], 3):
        file, *values = line.split() or [""]
        if line.strip() and len(values) != len(names):
            raise FormatError(
                f"{name}: line {number} has {counted(len(values), 'value')} for "
                f"{counted(len(names), 'attribute')}"
            )
        if line.strip():
            rows[file] = dict(zip(names, values, strict=True))
    if len(rows) != int(lines[0]):
        raise FormatError(
            f"{name} says that it has {int(lines[0])} rows, and has {len(rows)}: it is cut short, "
            "or names a picture twice"
        )
    return rows


def _csv(name: str, text: str) -> dict[str, dict[str, str]]:
    rows: dict[str, dict[str, str]] = {}
    try:
        lines = csv.reader(io.StringIO(text), strict=True)
        head = [cell.strip() for cell in next(lines, [])]
        if head[:1] != ["file"] or len(head) < 2 or len(set(head)) < len(head) or not all(head):
            raise FormatError(
                f"{name} begins with {listed(head) or 'nothing'}; a table begins with the line "
                "file,name,value or with file and the names of attributes, all different"
            )
        for cells in lines:
            if not cells:
                continue
            if len(cells) != len(head):
                raise FormatError(
                    f"{name}: line {lines.line_num} has {counted(len(cells), 'cell')}; the first "
                    f"has {len(head)}"
                )
            file, *values = cells
            row = rows.setdefault(file, {})
            pairs = [values] if tuple(head) == _LONG else zip(head[1:], values, strict=True)
            for key, value in pairs:
                if key in row:
                    raise FormatError(f"{name}: line {lines.line_num}: {file} has {key} twice")
                row[key] = value
    except csv.Error as error:
        raise FormatError(f"{name}: line {lines.line_num} is no CSV ({error})") from None
    return rows


def _rows(count: int, most: int | None, seed: int) -> np.ndarray:
    if most is None or most >= count:
        return np.arange(count)
    return np.sort(np.random.default_rng(seed).permutation(count)[:most])


def _resized(pixels: np.ndarray, resolution: int) -> np.ndarray:
    """A square picture uint8 [H, W, 1, 3 or 4] as [R, R, 3]."""
    image = Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)
    return np.asarray(pictures.fitted(pictures.as_mode(image, 3), resolution))
