"""Datasets of drawn avatars and of imported images."""

import os
from collections.abc import Sequence

from aligned_jax.data.avatar_source import AvatarSource
from aligned_jax.data.images import scan
from aligned_jax.data.writer import Source, Written, write_dataset
from aligned_jax.provenance import Command
from aligned_jax.utils.reporting import QUIET, Reporter

_SCRIPT = Command()


def draw_avatars(
    out: str | os.PathLike[str],
    style: str,
    count: int,
    resolution: int,
    *,
    test: int | None = None,
    seed: int = 0,
    roll: float = 0.0,
    yaw: float = 0.0,
    background: Sequence[str] = ("#ffffff",),
    zoom: float = 1.0,
    workers: int | None = None,
    command: Command = _SCRIPT,
    report: Reporter = QUIET,
) -> Written:
    """Draws a dataset of faces with known attributes; an interrupted one goes on.

    Args:
      out: the new folder.
      style: of `data.STYLES`.
      count: images to train on.
      resolution: pixels.
      test: images of the split "test"; None draws a tenth more.
      seed: another one, other faces.
      roll: each face is rotated by up to so many degrees.
      yaw: each face is turned by up to this, at most 1.
      background: colours #rrggbb, one for each image.
      zoom: enlarges about the middle.
      workers: processes; None takes all cores.
      command: recorded with the data.
      report: hears of every image.

    Returns:
      images by split, and what became of the work of earlier calls.

    Raises:
      UserError: for faces that cannot be drawn, or a folder that is taken or cannot be written.
    """
    tests = count // 10 if test is None else test
    source = AvatarSource(style, count, tests, resolution, seed, roll, yaw, tuple(background), zoom)
    return _write(source, out, workers, False, command, report)


def import_images(
    source: str | os.PathLike[str],
    out: str | os.PathLike[str],
    resolution: int,
    *,
    test: float = 0.0,
    gray: bool = False,
    labels: bool = True,
    skip_bad: bool = False,
    workers: int | None = None,
    command: Command = _SCRIPT,
    report: Reporter = QUIET,
) -> Written:
    """Imports a folder of images or an official dataset zip; an interrupted import goes on.

    Args:
      source: a folder, whose sub-folders are classes, or a zip.
      out: the new folder.
      resolution: pixels of the square images to be written.
      test: fraction of the images for the split "test".
      gray: one channel instead of three.
      labels: whether sub-folders or dataset.json are kept as labels.
      skip_bad: leaves damaged files out instead of refusing.
      workers: processes; None takes all cores.
      command: recorded with the data.
      report: hears of every image.

    Returns:
      images by split, a line for each damaged file left out, and what became of the work of
      earlier calls.

    Raises:
      UserError: for images that cannot be read, or a folder that is taken or cannot be written.
    """
    images = scan(source, resolution, gray, test, labels)
    return _write(images, out, workers, skip_bad, command, report)


def _write(
    source: Source,
    out: str | os.PathLike[str],
    workers: int | None,
    skip_bad: bool,
    command: Command,
    report: Reporter,
) -> Written:
    with report.progress(sum(source.splits().values()), "images") as advance:
        return write_dataset(source, out, command.line, workers, skip_bad, advance)
