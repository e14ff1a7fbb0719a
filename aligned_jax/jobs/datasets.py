"""Datasets of drawn avatars and of imported images."""

import os
from collections.abc import Sequence

from aligned_jax.config.checks import MAX_RESOLUTION, block_resolutions
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
      report: hears of every image, and of a resolution that no network has.

    Returns:
      images by split, and what became of the work of earlier calls.

    Raises:
      UserError: for faces that cannot be drawn, or a folder that is taken or cannot be written.
    """
    tests = count // 10 if test is None else test
    source = AvatarSource(style, count, tests, resolution, seed, roll, yaw, tuple(background), zoom)
    return _write(source, resolution, out, workers, False, command, report)


def import_images(
    source: str | os.PathLike[str],
    out: str | os.PathLike[str],
    resolution: int,
    *,
    test: float = 0.0,
    gray: bool = False,
    alpha: bool = False,
    fit: str = "crop",
    pad_colour: str | None = None,
    labels: bool = True,
    skip_bad: bool = False,
    workers: int | None = None,
    command: Command = _SCRIPT,
    report: Reporter = QUIET,
) -> Written:
    """Imports a folder of images or an official dataset zip; an interrupted import goes on.

    Args:
      source: a folder or a zip of one, whose sub-folders are classes.
      out: the new folder.
      resolution: pixels of the square images to be written.
      test: fraction of the images for the split "test".
      gray: one channel instead of three.
      alpha: four channels instead of three; the last is opacity.
      fit: what becomes of pictures that are not square: "crop" takes the middle, "pad" adds
        margins, "stretch" distorts.
      pad_colour: of margins, "#rrggbb", with `alpha` also "#rrggbbaa"; None is white, or with
        `alpha` transparent.
      labels: whether sub-folders or dataset.json are kept as labels.
      skip_bad: leaves damaged files out instead of refusing.
      workers: processes; None takes all cores.
      command: recorded with the data.
      report: hears of every image, and of a resolution that no network has.

    Returns:
      images by split, a line for each damaged file left out, what became of the work of
      earlier calls, and what was decided: about labels, files passed over, pictures cropped.

    Raises:
      UserError: for images that cannot be read, or a folder that is taken or cannot be written.
    """
    images = scan(
        *(source, resolution, gray, test, labels), alpha=alpha, fit=fit, pad_colour=pad_colour
    )
    return _write(images, resolution, out, workers, skip_bad, command, report)


def _write(
    source: Source,
    resolution: int,
    out: str | os.PathLike[str],
    workers: int | None,
    skip_bad: bool,
    command: Command,
    report: Reporter,
) -> Written:
    if resolution not in block_resolutions(MAX_RESOLUTION)[1:]:
        report.warn(
            f"no network has {resolution} pixels: they have 8, 16, 32 and so on, to "
            f"{MAX_RESOLUTION}; give such a `resolution` to train on these images"
        )
    with report.progress(sum(source.splits().values()), "images") as advance:
        return write_dataset(source, out, command.line, workers, skip_bad, advance)
