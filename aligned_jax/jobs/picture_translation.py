"""Pictures of one network's domain in that of an aligned one."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from aligned_jax import translation
from aligned_jax.ancestry import warn_unrelated
from aligned_jax.data import targets
from aligned_jax.errors import UserError
from aligned_jax.inversion.setup import DIVERGED
from aligned_jax.jobs.drawings import Drawing, check_file_names
from aligned_jax.jobs.edits.words import WordOptions, read_edits
from aligned_jax.jobs.pending import Pending, example_of
from aligned_jax.jobs.sources import (
    PictureOptions,
    Source,
    SourceOptions,
    Usage,
    file_names,
    read_source,
)
from aligned_jax.jobs.translation_facts import checked_mixing, child_psis, facts_of, in_space
from aligned_jax.jobs.translation_memory import TranslationMemory
from aligned_jax.latents import parse_seeds
from aligned_jax.loading import NetworkSource, label_of, named_network
from aligned_jax.networks.network import Network
from aligned_jax.provenance import Command
from aligned_jax.rendering import mixing
from aligned_jax.rendering.draw import NotFinite, RenderOptions, pixels
from aligned_jax.rendering.editing import check_edits, edited
from aligned_jax.rendering.latent_batch import LatentBatch
from aligned_jax.rendering.latent_words import WordKind
from aligned_jax.semantics.edits import Edit
from aligned_jax.utils.reporting import QUIET, Advance, Reporter
from aligned_jax.viz import check_channels
from aligned_jax.viz.sheet import DrawnColumn, Sheet, image_form

# Forms that show the sources as well; the others hold the results alone.
_SHEETS = ("png", "html")
_SEVERAL = "several spaces make a page of plain translations; give one `space`"


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
    skipped: dict[str, str] = field(default_factory=dict)

    @property
    def drawing(self) -> Drawing:
        """The results, drawn by the child."""
        network, name, facts = self.networks[1], self.names[1], {"made_of": self.facts}
        given = self.memory.given
        return Drawing(network, name, self.network_key, self.results, self.options, facts, given)

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
        if image_form(out, overwrite) in _SHEETS:
            files = self.memory.keep(out, command, overwrite)  # at once: they may have taken long
            sheet = self.sheet(report)
            sheet.write(out, command, overwrite)
            return ", ".join([sheet.summary, *(f"latents in {file}" for file in files)])
        if len(self.spaces) > 1:
            raise UserError(_SEVERAL)
        drawing = self.drawing
        try:
            drawing.write(out, command, overwrite, report)
        except NotFinite:
            good = self._checked(self.results.names, drawing.finite())
            drawing = drawing.take(np.flatnonzero(good))
            drawing.write(out, command, overwrite, report)
        return f"{len(drawing)} images of {drawing.network.config.img_resolution} px"

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
        """Latents drawn by the parent (0) or the child (1)."""
        return DrawnColumn(label, *pixels(self.networks[which], latents, self.options, advance))

    def _checked(self, names: Sequence[str], good: np.ndarray) -> np.ndarray:
        """`good` again; the others are skipped. Raises UserError if none is good."""
        if not good.any():
            raise UserError(
                "the numbers grow beyond all bounds in every image; use smaller latents or `psi`"
            )
        lost = [name for name, fine in zip(names, good, strict=True) if not fine]
        self.skipped.update(dict.fromkeys(lost, f"{DIVERGED} in its images"))
        return good


def translate(
    parent: NetworkSource,
    child: NetworkSource,
    sources: Source,
    *,
    kind: WordKind | None = None,
    space: str | Sequence[str] | None = None,
    preset: str = "plain",
    reference: Source | None = None,
    texture: str | Sequence[int] | None = None,
    layers: int | str | Sequence[int | str] | None = None,
    edits: Sequence[str | Edit] = (),
    edit_in: Literal["parent", "child"] = "child",
    psi: float | None = None,
    noise: str | None = None,
    noise_seed: int = 0,
    label: int | None = None,
    batch: int = 8,
    pictures: PictureOptions = PictureOptions(),  # noqa: B008  # it cannot change
    network_key: str = "G_ema",
    out: str | os.PathLike[str] | None = None,
    overwrite: bool = False,
    report: Reporter = QUIET,
) -> Translation:
    """Gets latents of a parent ready to be drawn by its child; pictures are inverted for that.

    Everything that may be wrong is looked at before the first picture is inverted.

    Args:
      parent, child: names, or loaded networks. Either may be the parent of the other.
      sources: seeds ("0-7" or [0, 1]), names of files of latents or of pictures, pictures uint8
        [N, H, W, 1, 3 or 4], or latents of the parent.
      kind: what names in `sources` stand for; None tells it by their form.
      space: what the parent makes itself, of z, z+, w, w+ and s: with z the child maps the latents
        on its own, with s the affine layers are the parent's too. Several make a sheet. By
        default latents stay as they come, and pictures are inverted in z, or the encoder's space.
      preset: one of `translation.PRESETS`.
      reference: latents of the child, as `sources`, whose fine layers take the place of
        those of the sources.
      texture: seeds of the child instead, for so many outputs of each source.
      layers: with either of them, what the source keeps: a number of style layers, a
        resolution ("32px") below which it keeps all, several of these, or "all" for every number.
      edits: of what is translated, as `read_edits` takes them, in sigmas of the parent.
      edit_in: whether the parent's latents are edited before, or the child's after they are
        translated; the sheet shows the child's with and without.
      psi: truncation of z. None is 0.5, or that of files and encoders, unless the preset says it.
      noise: of all images, "const", "none" or "random"; by default that of the preset.
      noise_seed: of random noise.
      label: class of conditional networks.
      batch: images at a time.
      pictures: how pictures are inverted.
      network_key: "G_ema" or "G" of networks that are loaded.
      out: where the result will be written, if it will: what cannot be is refused at once.
      overwrite: of what is there.
      report: hears of every step of an inversion, and of strangers.

    Raises:
      UserError: if something cannot be read, does not fit, or contradicts something else; or if not
        one inversion stays finite.
    """
    form = None if out is None else image_form(out, overwrite)
    given = [*file_names(sources, kind), *file_names(reference)]
    if out is not None:
        targets.check_apart(given, [os.fspath(out)])
    mixes = checked_mixing(reference, texture, layers)
    chosen, spaces = translation.preset_and_spaces(preset, space)
    if len(spaces) > 1 and (mixes or (form and form not in _SHEETS)):
        raise UserError(_SEVERAL)
    drawn = RenderOptions(noise=noise or chosen.noise, noise_seed=noise_seed, batch=batch)
    if isinstance(texture, str):
        texture = parse_seeds(texture)  # a slip of the hand should not wait for networks
    (parent_name, source), (child_name, target) = (
        named_network(network, network_key) for network in (parent, child)
    )
    if form not in (None, "npz"):
        check_channels(target.config.img_channels)
    translation.check_aligned(source, target)
    cuts = mixing.parse_cuts(target.config, layers) if mixes else []
    warn_unrelated((parent, child), (source, target), report)

    truncation = translation.Truncation(psi, chosen.psi)
    pictures = pictures if reference is None else pictures.shared()
    options = SourceOptions(label, truncation, "z", batch, pictures)
    moves = read_edits(parent_name, source, edits, WordOptions(label=label), report)
    before, after = (moves if edit_in == place else [] for place in ("parent", "child"))
    asked = read_source(source, sources, spaces, options, kind)
    mixed_in: Pending | None = None
    if texture is not None:
        [mixed_in] = read_source(target, texture, [None], options, "seeds")
    elif reference is not None:
        [mixed_in] = read_source(target, reference, spaces, options)
    # Pictures will be inverted in the right space at once.
    pending = [
        in_space(source, one, space, before) if isinstance(one, LatentBatch) else one
        for one, space in zip(asked, spaces, strict=True)
    ]
    named = {parent_name: source, child_name: target}
    memory = TranslationMemory.of(named, asked, spaces, mixed_in, given)
    if form in _SHEETS and out is not None:
        memory.check(out, overwrite)
    for one in asked:
        check_edits(source.config, example_of(one), before)
    check_edits(target.config, example_of(pending[0]), after)
    psis = child_psis(target, pending, truncation)
    if form == "folder":
        others = mixed_in.names if mixed_in else None
        check_file_names(mixing.mixture_names(pending[0].names, others, cuts))

    latents, mixing_in = memory.find(asked, pending, mixed_in, before, report)
    moved = edited(target, latents[0].with_psi(truncation.in_child), after)
    results, references = moved.styles(target), None
    if mixing_in:
        references = mixing_in.styles(target)
        results = mixing.mixed(target.config, results, references, cuts)
    inverted = [*latents, references] if references else latents
    return Translation(
        networks=(source, target),
        names=(parent_name, child_name),
        network_key=network_key,
        sources=latents,
        spaces=spaces,
        results=results,
        references=references,
        cuts=cuts,
        texture=texture is not None,
        psi=truncation.in_child,
        edits=tuple(after),
        options=drawn,
        usage=Usage.of([*asked, mixed_in] if mixed_in else asked, drawn.noise),
        facts=facts_of(drawn.noise, asked, spaces, mixed_in, psis, moves),
        memory=memory,
        skipped={file: why for one in inverted for file, why in one.skipped.items()},
    )
