"""The folder of `aligned invert`: results of every image, a table and a page of all."""

import contextlib
import json
import os
from collections.abc import Iterable, Sequence
from typing import BinaryIO

import numpy as np

from aligned_jax import convert, inversion, provenance, viz
from aligned_jax.data import targets
from aligned_jax.data.opening import opened, read_file
from aligned_jax.data.targets import Target, Targets
from aligned_jax.errors import FormatError
from aligned_jax.jobs.inversion.request import InversionRequest
from aligned_jax.jobs.inversion.results import InvertedImage, InvertedImages, TunedImage
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

    For every image NAME.npz, NAME.png (the target, its reconstruction, and that of the tuned
    network if there is one), perhaps NAME.safetensors (the delta of that network, or
    tuned.safetensors of one for all) and NAME.webp; inversions.json with all distances, which also
    says whether all images are done; and index.html.

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

    def check_apart(self, sources: Iterable[str], images: Targets, tuned: bool = False) -> None:
        """Raises UserError if results would take the places of what is given.

        Args:
          sources: paths of the pictures, and of networks if deltas are written.
          images: that were read from them.
          tuned: whether deltas are written.
        """
        endings = [".npz", ".png"] + [".webp"] * self._video + [".safetensors"] * tuned
        names = [f"{target.name}{ending}" for target in images.targets for ending in endings]
        names += ["tuned.safetensors"] * tuned
        results = [os.path.join(self._path, name) for name in (*names, TABLE, PAGE)]
        targets.check_apart(sources, results)

    def read(self, request: InversionRequest, target: Target) -> InvertedImage | None:
        """What the same request has left of an image; None if it is not all there."""
        path = os.path.join(self._path, target.name)
        shape, size = target.pixels.shape, request.network.config.img_resolution
        try:
            known = inversion.load(f"{path}.npz", request.network)
            with opened(read_file(f"{path}.png")) as pair:
                image = np.asarray(pair)[:, size : 2 * size].reshape(shape)
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

    def read_delta(self, request: InversionRequest, name: str) -> convert.Delta | None:
        """What a stopped run has left of a tuned network; None if there is nothing of use."""
        path = os.path.join(self._path, f"{name}.safetensors")
        try:
            if delta := convert.read_delta(path) if self.unfinished else None:
                convert.check_delta(request.network.config, delta)
            return delta
        except FormatError:
            return None

    def write_delta(self, name: str, delta: convert.Delta) -> int:
        """Writes a delta; returns the bytes of its file."""
        path = os.path.join(self._path, f"{name}.safetensors")
        return convert.write_delta(path, delta, self._overwrite)

    def size_of(self, file: str) -> int:
        """Bytes of a file, 0 if it is not there."""
        path = os.path.join(self._path, file)
        return os.path.getsize(path) if os.path.isfile(path) else 0

    def write_pictures(
        self, request: InversionRequest, result: InvertedImage, tuned: TunedImage
    ) -> None:
        """Writes the pictures of an image anew, with that of a tuned network beside them.

        Args:
          request: that they belong to.
          result: of the inversion.
          tuned: what became of it.
        """
        text = provenance.png_text(self._command, {"network": request.network_facts})
        three = viz.tile(np.stack([result.target.pixels, result.image, tuned.image]), 3)
        path = os.path.join(self._path, f"{result.target.name}.png")
        with viz.writing(path, overwrite=True) as file:
            viz.save_png(file, three, text)

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
            "mean": results.means | ({"tuned": results.tuned_means} if results.tuning else {}),
            "settings": to_dict(results.settings),
            "perceptual": {"lpips": request.perceptual, "pixels": request.pixels},
            **({"tuning": results.tuning} if results.tuning else {}),
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
        settings |= {"tuning": results.tuning} if results.tuning else {}
        settings |= {key: facts["encoder"] for key, facts in request.encoder_facts.items()}
        tuned = any(one.tuned for one in results.images)
        columns = ["target", "inversion", "perceptual distance", "pixels", "loss"]
        columns += ["tuned", "LPIPS before and after", "pixels after", "steps", "bytes"] * tuned
        cells = [_cells(one) + _tuned_cells(one) * tuned for one in results.images]
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


def _tuned_cells(result: InvertedImage) -> list[str]:
    """What the page shows of a tuned network; nothing where there is none."""
    if (tuned := result.tuned) is None:
        return [""] * 5
    pairs = [(one.get("perceptual", np.nan)) for one in (tuned.before, tuned.distances)]
    return [
        report.thumbnail(tuned.image, f"{result.target.name}, tuned"),
        " to ".join("-" if np.isnan(value) else f"{value:.4f}" for value in pairs),
        f"{tuned.distances['pixel']:.4f}",
        str(tuned.steps),
        f"{tuned.bytes:,}",
    ]
