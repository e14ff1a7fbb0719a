"""Latents of a parent, drawn by its child: sheets, single pictures, photographs."""

import functools
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from aligned_jax.errors import UserError
from aligned_jax.inversion.setup import DIVERGED
from aligned_jax.jobs.drawings import Drawing
from aligned_jax.jobs.keeping import Keeper, Keeping, as_floats
from aligned_jax.jobs.pasting import PastedPhotographs, faces_of, paste_back
from aligned_jax.jobs.sources import Usage
from aligned_jax.jobs.translation_memory import TranslationMemory
from aligned_jax.loading import label_of
from aligned_jax.networks.network import Network
from aligned_jax.provenance import Command
from aligned_jax.rendering import mixing
from aligned_jax.rendering.draw import NotFinite, RenderOptions, pixels
from aligned_jax.rendering.editing import edited
from aligned_jax.rendering.latent_batch import LatentBatch
from aligned_jax.rendering.pasting import FEATHER, Face
from aligned_jax.semantics.edits import Edit
from aligned_jax.utils.reporting import QUIET, Advance, Reporter
from aligned_jax.utils.text import listed
from aligned_jax.viz import to_uint8
from aligned_jax.viz.sheet import DrawnColumn, Sheet, image_form

# Forms that show the sources as well; the others hold the results alone.
SHEETS = ("png", "html")
SEVERAL = "several spaces make a page of plain translations; give one `space`"
ONE_EACH = (
    "a face goes back into its photograph in one translation; leave out `reference` and `texture`, "
    "and give one `space`"
)


@dataclass(eq=False)
class Translation:
    """Latents of a parent, ready to be drawn by it and by its child.

    `images` draws what is translated, and `sheet` besides what it comes from.

    Attributes:
      networks: parent and child.
      names: of both.
      network_key: "G_ema" or "G", which of their files they are.
      sources: N latents of the parent, by space; of pictures those that were inverted in every one.
      spaces: of the sources; None is as they came.
      results: style vectors of the child for what is translated: a row for each source, or for
        each source, reference and cut, the cuts innermost.
      references: M style vectors of the child whose fine layers are taken, or None.
      cuts: how many layers come from the source, K numbers; none without references.
      texture: whether the references are random latents.
      psi: truncation of z in the child; None is that of the sources.
      edits: of the child's latents.
      options: how all images are drawn.
      usage: what of the options counted.
      facts: what was done, in words, as far as the options do not say it.
      memory: what its files say of its latents.
      keeper: what translations keep, or None.
      feather: of the seams in photographs, in sides of the square that was cut out.
      skipped: why pictures or rows are left out, by name; drawing adds those that are not finite.
    """

    networks: tuple[Network, Network]
    names: tuple[str, str]
    network_key: str
    sources: Sequence[LatentBatch]
    spaces: Sequence[str | None]
    results: LatentBatch
    references: LatentBatch | None
    cuts: Sequence[int]
    texture: bool
    psi: float | None
    edits: Sequence[Edit]
    options: RenderOptions
    usage: Usage
    facts: Mapping[str, Any]
    memory: TranslationMemory
    keeper: Keeper | None = None
    feather: float = FEATHER
    skipped: dict[str, str] = field(default_factory=dict)

    @property
    def drawing(self) -> Drawing:
        """The results, drawn by the child."""
        network, name, facts = self.networks[1], self.names[1], {"made_of": self.facts}
        given = self.memory.given
        key, drawn = self.network_key, self.results
        keeping = self._kept(len(drawn))
        return Drawing(network, name, key, drawn, self.options, facts, given, keeping)

    def images(self, report: Reporter = QUIET) -> np.ndarray:
        """Draws the results, float32 [N, R, R, C], unclipped; raises NotFinite."""
        return self.drawing.images(report)

    def sheet(self, report: Reporter = QUIET) -> Sheet:
        """A row for each source, or with a reference for each pair, and what they come from.

        Rows in which an image is not finite are left out.

        Raises:
          UserError: if every row is.
        """
        rows: Sequence[str] = self.sources[0].names
        total = (3 if self.edits else 2) * len(self.sources) * len(rows)
        if self.references:
            total += len(self.results) + len(self.references)
        with report.progress(total, "images") as advance:
            columns = self._plain(advance)
            if self.references:
                results = self._column("", 1, self.results, advance)
                names = self.references.names
                if self.texture:
                    columns += results.dealt(mixing.texture_names(names, self.cuts))
                else:
                    references = self._column("reference", 1, self.references, advance)
                    columns = [column.repeated(len(names)) for column in columns]
                    columns.append(references.tiled(len(rows)))
                    columns += results.dealt([f"keeps {cut}" for cut in self.cuts])
                    rows = mixing.mixture_names(rows, names, [0])
        good = self._checked(rows, np.all([column.finite for column in columns], axis=0))
        return Sheet(
            np.stack([column.images[good] for column in columns], axis=1),
            tuple(row for row, fine in zip(rows, good, strict=True) if fine),
            tuple(column.label for column in columns),
            title=f"From {self.names[0]} to {self.names[1]}",
            facts=self.facts,
            made_of=self.memory.facts,
        )

    def write(
        self,
        out: str | os.PathLike[str],
        command: Command = Command(),  # noqa: B008  # it cannot change
        overwrite: bool = False,
        report: Reporter = QUIET,
    ) -> str:
        """Draws and writes the sheet, or the results alone.

        Args:
          out: NAME.png or NAME.html for the sheet, beside which latents of the parent that are
            not those of seeds are kept (NAME.npz, or NAME-SPACE.npz of several spaces, and
            NAME-reference.npz); NAME.npz or a folder for the results alone.
          command: that the results name.
          overwrite: replace what is there.
          report: hears of every image.

        Returns:
          what was written, in words.

        Raises:
          UserError: if the target is taken, the disk refuses, or no image is finite.
        """
        if image_form(out, overwrite) in SHEETS:
            files = self.memory.keep(out, command, overwrite)  # at once: they may have taken long
            sheet = self.sheet(report)
            sheet.write(out, command, overwrite)
            return ", ".join([sheet.summary, *(f"latents in {file}" for file in files)])
        if len(self.spaces) > 1:
            raise UserError(SEVERAL)
        drawing = self.drawing
        try:
            drawing.write(out, command, overwrite, report)
        except NotFinite:
            good = self._checked(self.results.names, drawing.finite())
            drawing = drawing.take(np.flatnonzero(good))
            drawing.write(out, command, overwrite, report)
        return f"{len(drawing)} images of {drawing.network.config.img_resolution} px"

    def photographs(self, report: Reporter = QUIET) -> PastedPhotographs:
        """The photographs with translated faces in their places.

        Faces whose images are not finite are skipped.

        Raises:
          UserError: if there are several translations of a face, or the latents are not of
            photographs.
        """
        if self.references or len(self.spaces) > 1:
            raise UserError(ONE_EACH)
        latents, drawn, left = self._pasteable(report)
        facts = {**self.memory.facts, "made_of": dict(self.facts)}
        return paste_back(latents, drawn, left, self.feather, facts)

    def faces(self) -> dict[str, list[Face]]:
        """The translations with their places.

        Raises:
          UserError: if an image is not finite.
        """
        latents, drawn, left = self._pasteable(QUIET)
        if self.skipped:
            raise UserError(f"{DIVERGED} in images: {listed(self.skipped)}")
        return faces_of(latents.placements or (), drawn, left)

    def _pasteable(
        self, report: Reporter
    ) -> tuple[LatentBatch, dict[str, np.ndarray], list[np.ndarray | None] | None]:
        """Rows that are finite: latents, translations uint8 [N, R, R, C], what photographs keep."""
        with report.progress(len(self.results), "images") as advance:
            column = self._column("", 1, self.results, advance)
        latents = self.sources[0]
        rows = np.flatnonzero(self._checked(latents.names, column.finite))
        keeping = self._kept(len(latents))
        left = None if keeping is None else [keeping.left(int(row)) for row in rows]
        return latents.take(rows), {self.names[1]: column.images[rows]}, left

    @functools.cached_property
    def _keeping(self) -> Keeping | None:
        """What each source's translation keeps: of its picture, or of what the parent draws."""
        if self.keeper is None or not self.keeper.keeps:
            return None
        latents = self.sources[0]
        pictures = latents.pictures
        if pictures is None:
            pictures, _ = pixels(self.networks[0], latents, self.options)
        return self.keeper.of(as_floats(pictures))

    def _kept(self, count: int) -> Keeping | None:
        """The same for `count` pictures, of which each source has as many."""
        keeping = self._keeping
        return keeping and keeping.repeated(count // len(self.sources[0]))

    def _plain(self, advance: Advance) -> list[DrawnColumn]:
        """What is translated, drawn by the parent and by the child."""
        columns: list[DrawnColumn] = []
        pictures = self.sources[0].pictures
        if pictures is not None:
            columns.append(DrawnColumn("image", pictures, np.ones(len(pictures), bool)))
        for place, (latents, space) in enumerate(zip(self.sources, self.spaces, strict=True)):
            suffix = f" {space}" if len(self.sources) > 1 else ""
            for which, psi in enumerate((None, self.psi)):
                # Only pictures have other latents in every space; others look the same in all.
                same = which == 0 and pictures is None
                label = label_of(self.names[which]) + ("" if same else suffix)
                chosen = latents.with_psi(psi)
                if same and place:
                    advance(len(latents))
                    continue
                styles = chosen.styles(self.networks[which])
                columns.append(self._column(label, which, styles, advance))
            if self.edits:
                styles = edited(self.networks[1], chosen, self.edits).styles(self.networks[1])
                said = ", ".join(edit.summary for edit in self.edits)
                columns.append(self._column(said + suffix, 1, styles, advance))
        return columns

    def _column(
        self, label: str, which: int, latents: LatentBatch, advance: Advance
    ) -> DrawnColumn:
        """Latents drawn by the parent (0) or the child (1), with what translations keep."""
        images, finite = pixels(self.networks[which], latents, self.options, advance)
        keeping = (
            self._kept(len(latents)) if which == 1 and latents is not self.references else None
        )
        if keeping:
            images = to_uint8(keeping.applied(as_floats(images)))
        return DrawnColumn(label, images, finite)

    def _checked(self, names: Sequence[str], good: np.ndarray) -> np.ndarray:
        """`good` again; the others are skipped. Raises UserError if none is good."""
        if not good.any():
            raise UserError(
                "the numbers grow beyond all bounds in every image; use smaller latents or `psi`"
            )
        lost = [name for name, fine in zip(names, good, strict=True) if not fine]
        self.skipped.update(dict.fromkeys(lost, f"{DIVERGED} in its images"))
        return good
