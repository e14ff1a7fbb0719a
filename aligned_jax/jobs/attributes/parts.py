"""Teaches a reader to tell parts of pictures apart."""

import dataclasses
import os
from collections.abc import Sequence

import numpy as np

from aligned_jax import viz
from aligned_jax.data.masked_pictures import drawn_again, with_masks
from aligned_jax.errors import UserError
from aligned_jax.features.attributes import Reader, load
from aligned_jax.features.attributes.file import rounded
from aligned_jax.jobs.attributes.training import TrainedReader
from aligned_jax.training.attributes import ReaderTraining
from aligned_jax.training.parts import train_parts
from aligned_jax.utils.reporting import QUIET, Reporter

PARTS_TRAINING = ReaderTraining(epochs=8, batch=32)
MOST_MASKS = 1000
_HELD_OUT = 0.1


def teach_parts(
    reader: str | os.PathLike[str] | Reader,
    data: str | os.PathLike[str],
    *,
    masks: str | os.PathLike[str] | None = None,
    names: Sequence[str] | None = None,
    num: int = MOST_MASKS,
    half: bool = False,
    training: ReaderTraining = PARTS_TRAINING,
    out: str | os.PathLike[str] | None = None,
    overwrite: bool = False,
    report: Reporter = QUIET,
) -> TrainedReader:
    """Adds parts to a reader; what it tells of attributes stays as it is.

    Args:
      reader: a file, zoo:NAME, or a loaded one.
      data: a dataset of `aligned data avatars`, of which exact masks are drawn; with `masks` a
        folder or zip of pictures.
      masks: folder or zip of PNGs of the same names, whose values are numbers of parts.
      names: of the parts in the user's masks, from 0 on.
      num: pictures at most.
      half: store float16.
      training: epochs, batch, learning rate, seed, flip, augment.
      out: where it will be written: what cannot be is refused before any work.
      overwrite: of what is there.
      report: hears of every picture, drawn and trained on.

    Returns:
      the reader, whose card has the intersection over union of each part, on a tenth of the
      pictures that were held out.

    Raises:
      UserError: if reader, pictures or masks cannot be read, do not fit, or are too few.
    """
    if out is not None:
        viz.check_file(out, overwrite)
    if (masks is None) != (names is None):
        raise UserError("masks and the names of their parts are given together, or neither")
    known = reader if isinstance(reader, Reader) else load(reader)
    side = known.config.resolution
    if masks is None or names is None:
        found = drawn_again(data, side, num, report)
    else:
        found = with_masks(data, masks, names, side, num)
    order = np.random.default_rng((training.seed, 2)).permutation(len(found.images))
    held = round(len(order) * _HELD_OUT)
    if held < 1 or len(order) - held < 2:
        raise UserError(f"{len(order)} pictures are too few to learn parts from; give 10 or more")
    config = dataclasses.replace(known.config, parts=found.names)
    train, score = order[held:], order[:held]
    trunk = known.params["attributes"]["trunk"]
    with report.progress(training.epochs * len(train), "pictures") as advance:
        params = train_parts(
            config, trunk, training, found.images[train], found.masks[train], advance
        )
    taught = Reader(config, {"attributes": known.params["attributes"], "parts": params})
    taught = rounded(taught) if half else taught
    scores = overlaps(taught, found.images[score], found.masks[score])
    card = {
        "data": dict(found.facts),
        "pictures": {"train": len(train), "score": len(score)},
        "training": dataclasses.asdict(training),
        "scores": scores,
    }
    taught = dataclasses.replace(taught, card={**known.card, "parts": card})
    return TrainedReader(taught, half, (), "parts")


def overlaps(reader: Reader, images: np.ndarray, masks: np.ndarray) -> dict[str, float]:
    """Intersection over union of every part that occurs or is found.

    Args:
      reader: that tells parts.
      images: uint8 [N, R, R, 3].
      masks: uint8 [N, R, R], numbers of its parts.
    """
    found = reader.parts(images.astype(np.float32) / np.float32(127.5) - 1).argmax(axis=-1)
    told = {}
    for number, name in enumerate(reader.part_names):
        here, there = found == number, masks == number
        if (here | there).any():
            told[name] = float((here & there).sum() / (here | there).sum())
    return told
