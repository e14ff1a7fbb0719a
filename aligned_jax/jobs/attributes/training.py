"""Trains a reader: pictures with known attributes in, a small file with its card out."""

import dataclasses
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from aligned_jax import viz
from aligned_jax.config.attributes import AttributeHead, ReaderConfig, usual_widths
from aligned_jax.data.attribute_columns import ODD, AttributeColumn
from aligned_jax.data.attribute_tables import LabelledPictures, read_labelled
from aligned_jax.errors import UserError
from aligned_jax.features.attributes.calibration import calibrated, scored
from aligned_jax.features.attributes.file import rounded, save_reader
from aligned_jax.features.attributes.reader import Reader
from aligned_jax.provenance import Command, record, versions
from aligned_jax.training.attributes import ReaderTraining, train_heads
from aligned_jax.utils.reporting import QUIET, Reporter
from aligned_jax.utils.text import counted, listed

HELD_OUT = 0.2
MOST = 20_000
USUAL_TRAINING = ReaderTraining()
_SCRIPT = Command()
_FEWEST = 4  # pictures in each part


@dataclass(frozen=True, eq=False)
class TrainedReader:
    """A reader that was trained, and what is to be said of that.

    Attributes:
      reader: with its card.
      half: whether it is stored in float16.
      told: lines on what was left out.
      section: of the card, such as "parts", that gets the command; None for the card itself.
    """

    reader: Reader
    half: bool
    told: tuple[str, ...]
    section: str | None = None

    def write(
        self, out: str | os.PathLike[str], command: Command = _SCRIPT, overwrite: bool = False
    ) -> None:
        """Writes the file, whole or not at all; its card names the command.

        Raises:
          UserError: if the file exists and may not be replaced, or the disk refuses.
        """
        card = dict(self.reader.card)
        if self.section is None:
            card |= record(command)
        else:
            card[self.section] = {**card.get(self.section, {}), **record(command)}
        save_reader(out, dataclasses.replace(self.reader, card=card), self.half, overwrite)


@dataclass(frozen=True, eq=False)
class _Parts:
    """Rows to train on, to calibrate with, and to score on."""

    train: np.ndarray
    calibrate: np.ndarray
    score: np.ndarray


def train_attributes(
    data: str | os.PathLike[str],
    *,
    images: str | os.PathLike[str] | None = None,
    attributes: Sequence[str] | None = None,
    kinds: Mapping[str, str] | None = None,
    odd: Sequence[str] | None = None,
    split: str = "train",
    resolution: int = 64,
    num: int | None = MOST,
    held_out: float = HELD_OUT,
    mirror: bool = True,
    half: bool = False,
    skip_bad: bool = False,
    training: ReaderTraining = USUAL_TRAINING,
    out: str | os.PathLike[str] | None = None,
    overwrite: bool = False,
    report: Reporter = QUIET,
) -> TrainedReader:
    """Trains a network to tell attributes of pictures.

    Args:
      data: a dataset of `aligned data`; a table file,name,value or file,ATTRIBUTE,... (.csv); or
        a list like CelebA's list_attr_celeba.txt.
      images: folder or zip of the pictures of a table; by default the folder that it lies in.
      attributes: those to learn; None takes all that vary.
      kinds: of attributes for which they are not to be deduced: binary, category, colour, number.
      odd: numbers that change their sign in the mirror; None takes roll and yaw.
      split: of a dataset.
      resolution: that the reader looks at; pictures of other sizes are resized.
      num: pictures at most, chosen by the seed; None takes all. They are kept in memory.
      held_out: fraction that is not trained on; half of it calibrates log-odds, the other half
        gives the scores of the card.
      mirror: whether the reader averages a picture and its mirror image: then what is odd is
        told exactly so, in twice the time.
      half: store float16; the scores are those of what is stored.
      skip_bad: leaves damaged pictures out instead of refusing.
      training: epochs, batch, learning rate, seed, flip, augment.
      out: where it will be written: what cannot be is refused before any work.
      overwrite: of what is there.
      report: hears of every picture, read and trained on.

    Raises:
      UserError: for data that teach nothing, attributes that they lack, too few pictures, or
        options that do not fit.
    """
    if out is not None:
        viz.check_file(out, overwrite)
    if not 0 < held_out < 1:
        raise UserError(f"held_out is {held_out}; it must be between 0 and 1")
    if resolution % 2 or not 8 <= resolution <= 512:
        raise UserError(f"a reader looks at an even number of 8 to 512 pixels, not {resolution}")
    if mirror and not training.flip:
        raise UserError("mirror images are averaged only by readers that are trained on flips")
    if num is not None and num < 1:
        raise UserError(f"num is {num}; give at least 1 picture")
    known = read_labelled(
        data,
        resolution,
        images=images,
        split=split,
        most=num,
        seed=training.seed,
        kinds=kinds,
        attributes=attributes,
        skip_bad=skip_bad,
        report=report,
    )
    parts = _split(len(known.images), held_out, training.seed)
    heads = _heads(known, parts.train, odd, training.flip)
    if not heads:
        raise UserError(f"{os.fspath(data)}: in what is trained on, no attribute varies")
    config = ReaderConfig(heads, resolution, usual_widths(resolution), mirror=mirror)
    labels = {head.name: known.columns[head.name].labels for head in heads}
    with report.progress(training.epochs * len(parts.train), "pictures") as advance:
        taken = {name: column[parts.train] for name, column in labels.items()}
        params = train_heads(config, training, known.images[parts.train], taken, advance)
    reader = Reader(config, {"attributes": params})
    reader = rounded(reader) if half else reader
    reader, scores = _finished(reader, known.images, labels, parts)
    card = _card(known, parts, training, scores)
    lost = [name for name in known.columns if name not in labels]
    told = (*known.told, *([f"left out, as it does not vary: {listed(lost)}"] if lost else []))
    return TrainedReader(dataclasses.replace(reader, card=card), half, told)


def _split(count: int, held_out: float, seed: int) -> _Parts:
    order = np.random.default_rng((seed, 1)).permutation(count)
    calibrate, score = round(count * held_out / 2), round(count * held_out)
    sizes = (calibrate, score - calibrate, count - score)
    if min(sizes) < _FEWEST:
        raise UserError(
            f"{counted(count, 'picture')}, of which {max(0, sizes[2])} are left to train on and "
            f"{sizes[0]} and {sizes[1]} to calibrate and to score; each takes {_FEWEST}"
        )
    return _Parts(order[score:], order[:calibrate], order[calibrate:score])


def _heads(
    known: LabelledPictures, rows: np.ndarray, odd: Sequence[str] | None, flip: bool
) -> tuple[AttributeHead, ...]:
    """An attribute for each column that varies in what is trained on."""
    if odd is not None:
        numbers = [name for name, column in known.columns.items() if column.kind == "number"]
        wrong = [name for name in odd if name not in numbers]
        if wrong:
            raise UserError(
                f"{listed(wrong)}: no number that could change its sign in the mirror; numbers "
                f"are {listed(numbers) or 'none'}"
            )
    if flip and (sided := [name for name in known.columns if _is_sided(name)]):
        raise UserError(
            f"{listed(sided)}: what is left or right is not the same in the mirror; leave out "
            "mirror images (`mirror=False`), or such attributes"
        )
    signed = ODD if odd is None else odd
    columns = [column.take(rows) for column in known.columns.values()]
    return tuple(_head(column, column.name in signed) for column in columns if column.varies)


def _is_sided(name: str) -> bool:
    return any(word in ("left", "right") for word in name.lower().replace("-", "_").split("_"))


def _head(column: AttributeColumn, odd: bool) -> AttributeHead:
    if column.kind != "number":
        return AttributeHead(column.name, column.kind, column.values)
    values = column.labels[column.known].astype(np.float64)
    mean = 0.0 if odd else float(values.mean())
    deviation = float(np.sqrt(((values - mean) ** 2).mean()))
    return AttributeHead(column.name, "number", (), mean, deviation, odd)


def _finished(
    reader: Reader, images: np.ndarray, labels: Mapping[str, np.ndarray], parts: _Parts
) -> tuple[Reader, dict[str, dict]]:
    """The reader with calibrated log-odds, and its scores on what it never saw."""

    def floats(rows: np.ndarray) -> np.ndarray:
        return images[rows].astype(np.float32) / np.float32(127.5) - 1

    def of(rows: np.ndarray) -> dict[str, np.ndarray]:
        return {name: column[rows] for name, column in labels.items()}

    outputs = reader.outputs(floats(parts.calibrate))
    heads = calibrated(reader.heads, outputs, of(parts.calibrate))
    finished = dataclasses.replace(reader, config=dataclasses.replace(reader.config, heads=heads))
    return finished, scored(heads, finished(floats(parts.score)), of(parts.score))


def _card(
    known: LabelledPictures, parts: _Parts, training: ReaderTraining, scores: dict[str, dict]
) -> dict:
    counts = {name: len(getattr(parts, name)) for name in ("train", "calibrate", "score")}
    return {
        "data": known.facts,
        "pictures": counts,
        "training": dataclasses.asdict(training),
        "scores": scores,
        "versions": versions(),
    }
