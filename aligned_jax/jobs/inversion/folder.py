"""The folder of `aligned invert`: results of every image, a table and a page of all."""

import contextlib
import json
import os
from collections.abc import Iterable, Sequence
from typing import BinaryIO

import numpy as np

from aligned_jax import inversion, provenance, viz
from aligned_jax.data import targets
from aligned_jax.data.opening import opened, read_file
from aligned_jax.data.targets import Target, Targets
from aligned_jax.errors import FormatError
from aligned_jax.jobs.inversion.request import InversionRequest
from aligned_jax.jobs.inversion.results import InvertedImage, InvertedImages
from aligned_jax.provenance import Command, record
from aligned_jax.utils.jsonable import to_dict
from aligned_jax.utils.reading import read_json
from aligned_jax.viz import report
from aligned_jax.viz.sheet import write_page

TABLE, PAGE = "inversions.json", "index.html"
_FRAME_MS, _HOLD_MS = 100, 1500
_LONGEST_TABLE = 1 << 28  # bytes


class InversionFolder:
    """Where an inversion of several images puts its results, and finds those of a stopped one.

    For every image NAME.npz, NAME.png (the target and its reconstruction) and perhaps
    NAME.webp; inversions.json with all distances, which also says whether all images are
    done; and index.html.

    Attributes:
      unfinished: whether the same command was stopped before it had inverted all images.
    """

    def __init__(
        self, path: str | os.PathLike[str], command: Command, overwrite: bool, video: bool
    ) -> None:
        """Looks at what is there already.

        Args:
          path: of the folder.
          command: that makes the results.
          overwrite: replace what is there; what the same unfinished command left may always
            be replaced.
          video: write films as well.
        """
        self._path, self._command, self._video = os.fspath(path), command, video
        self.unfinished = self._is_unfinished()
        self._overwrite = overwrite or self.unfinished

    def check(self) -> None:
        """Raises UserError if the folder may not be used, or the disk refuses files in it."""
        viz.check_folder(self._path, self._overwrite)
        viz.try_folder(self._path)

    def check_apart(self, sources: Iterable[str], images: Targets) -> None:
        """Raises UserError if results would take the places of the pictures that are given.

        Args:
          sources: paths of the pictures.
          images: that were read from them.
        """
        endings = (".npz", ".png", ".webp") if self._video else (".npz", ".png")
        names = [f"{target.name}{ending}" for target in images.targets for ending in endings]
        results = [os.path.join(self._path, name) for name in (*names, TABLE, PAGE)]
        targets.check_apart(sources, results)

    def read(self, request: InversionRequest, target: Target) -> InvertedImage | None:
        """What the same request has left of an image; None if it is not all there."""
        path = os.path.join(self._path, target.name)
        shape, size = target.pixels.shape, request.network.config.img_resolution
        try:
            known = inversion.load(f"{path}.npz", request.network)
            with opened(read_file(f"{path}.png")) as pair:
                image = np.asarray(pair)[:, size:].reshape(shape)
        except (FormatError, OSError, SyntaxError, ValueError):
            return None
        facts = {key: value for key, value in known.facts.items() if key != "restart"}
        if self._video and not os.path.isfile(f"{path}.webp"):
            return None
        if known.settings != request.settings or facts != request.facts(target):
            return None
        return InvertedImage(target, image, known)

    def write(
        self, request: InversionRequest, result: InvertedImage, frames: Sequence[np.ndarray]
    ) -> None:
        """Writes all files of an image.

        Args:
          request: that it belongs to.
          result: to write.
          frames: of its film, uint8 [R, R, C] each.
        """
        name, target = result.target.name, result.target.pixels
        text = provenance.png_text(self._command, {"network": request.network_facts})
        pair = viz.tile(np.stack([target, result.image]), 2)
        with self._writing(f"{name}.npz") as file:
            inversion.save(file, request.network, result.inversion)
        with self._writing(f"{name}.png") as file:
            viz.save_png(file, pair, text)
        if self._video:
            both = [viz.tile(np.stack([target, frame]), 2) for frame in frames]
            with self._writing(f"{name}.webp") as file:
                viz.save_webp(file, both, _FRAME_MS, _HOLD_MS)

    def write_table(
        self, request: InversionRequest, results: InvertedImages, finished: bool
    ) -> None:
        """Writes inversions.json, or replaces it.

        Args:
          request: of the inversions.
          results: so far.
          finished: whether they are all.
        """
        document = {
            "finished": finished,
            "images": results.rows,
            "skipped": results.skipped,
            "mean": results.means,
            "settings": to_dict(results.settings),
            "perceptual": {"lpips": request.perceptual, "pixels": request.pixels},
            "network": request.network_facts,
            **request.encoder_facts,
            **record(self._command),
        }
        with viz.writing(os.path.join(self._path, TABLE), overwrite=True) as file:
            file.write((json.dumps(document, indent=2) + "\n").encode())

    def write_page(self, request: InversionRequest, results: InvertedImages) -> None:
        """Writes index.html: every image, what it came to, and how."""
        settings = {"network": request.network_name, "align": request.align, "seed": request.seed}
        settings |= {"perceptual": request.perceptual, "pixels": request.pixels}
        settings |= to_dict(results.settings)
        settings |= {key: facts["encoder"] for key, facts in request.encoder_facts.items()}
        columns = ("target", "inversion", "perceptual distance", "pixels", "loss")
        cells = [_cells(one) for one in results.images]
        sections = [report.sheet(columns, results.names, cells)]
        if results.skipped:
            table = report.table(("file", "why"), [*results.skipped.items()])
            sections.append(report.section("Skipped", table))
        write_page(
            os.path.join(self._path, PAGE),
            f"Images {results.summary}",
            self._command,
            settings,
            sections,
            self._overwrite,
        )

    def _is_unfinished(self) -> bool:
        try:
            known = read_json(os.path.join(self._path, TABLE), _LONGEST_TABLE)
            return known["finished"] is False and known["command"] == self._command.line
        except (OSError, FormatError, KeyError):
            return False

    def _writing(self, name: str) -> contextlib.AbstractContextManager[BinaryIO]:
        return viz.writing(os.path.join(self._path, name), self._overwrite)


def _cells(result: InvertedImage) -> list[str]:
    """What the page shows of an image and its target."""
    trace, line = result.inversion.trace, ""
    if len(trace):
        summary = f"loss from {trace[0]:.4g} to {trace[-1]:.4g} in {len(trace)} steps"
        line = viz.spark(trace, summary)
    distances, name = result.inversion.distances, result.target.name
    return [
        report.thumbnail(result.target.pixels, f"{name}, target"),
        report.thumbnail(result.image, f"{name}, inversion"),
        *(f"{distances[kind]:.4f}" for kind in ("perceptual", "pixel")),
        line,
    ]
