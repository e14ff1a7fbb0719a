"""Latents and edits that several networks draw, as a picture or a film."""

import dataclasses
import functools
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from aligned_jax import provenance, viz
from aligned_jax.errors import UserError
from aligned_jax.jobs.edits.part_masks import PartMask
from aligned_jax.jobs.edits.recipes import EditRecipe
from aligned_jax.jobs.edits.strength import ChosenStrength
from aligned_jax.jobs.films import Film
from aligned_jax.jobs.keeping import Keeper, Keeping, as_floats
from aligned_jax.jobs.pasting import PastedPhotographs, faces_of, paste_back
from aligned_jax.jobs.sources import Usage
from aligned_jax.networks.network import Network
from aligned_jax.provenance import Command
from aligned_jax.rendering.draw import RenderOptions, render
from aligned_jax.rendering.editing import edited
from aligned_jax.rendering.latent_batch import LatentBatch
from aligned_jax.rendering.latent_files import write_latents
from aligned_jax.rendering.pasting import FEATHER, Face
from aligned_jax.rendering.records import picture_facts
from aligned_jax.utils.reporting import QUIET, Advance, Reporter
from aligned_jax.viz import to_uint8
from aligned_jax.viz.sheet import Sheet

FOUND = "inverted"  # above what a network draws of a picture's latents
_NOTHING = 0.01


@dataclass(eq=False)
class EditedFamily:
    """Latents and edits, ready to be drawn by several networks.

    Attributes:
      networks: by name, the parent first.
      latents: N of the parent.
      recipe: the edits, and where they show.
      chosen: how the strength was chosen, or None.
      options: how pictures are drawn.
      both: whether the other side is shown as well.
      usage: what of the options counted.
      changes: mean absolute difference of a pixel in [-1, 1] between the first and the last
        column, by network; filled by drawing.
      keeper: what edited pictures keep, or None.
      feather: of the seams in photographs, in sides of the square that was cut out.
      inside: share in [0, 1] of the whole edit's change that lies in the mask, by network; filled
        by drawing; empty without a mask.
    """

    networks: Mapping[str, Network]
    latents: LatentBatch
    recipe: EditRecipe
    chosen: ChosenStrength | None
    options: RenderOptions
    both: bool
    usage: Usage
    keeper: Keeper | None = None
    feather: float = FEATHER
    changes: dict[str, float] = dataclasses.field(default_factory=dict)
    inside: dict[str, float] = dataclasses.field(default_factory=dict)

    @property
    def summary(self) -> str:
        """The edits in words: "smile +3, 15_45 -8"."""
        return ", ".join(edit.summary for edit in self.recipe.edits)

    @property
    def choice(self) -> str:
        """How the strength was chosen, in words; empty if it was given."""
        if self.chosen is None:
            return ""
        steps = zip(self.chosen.strengths, self.chosen.leakage, strict=True)
        told = ", ".join(f"{strength:g}: {leaks:.2f}" for strength, leaks in steps)
        return f"strength {self.chosen.strength:g} by {self.chosen.by}; leakage at {told}"

    def factors(self, columns: int | None = None) -> np.ndarray:
        """Shares of the way that are shown, from none or the other side to the whole."""
        least = 3 if self.both else 2
        count = least if columns is None else columns
        if count < least:
            raise UserError(f"{count} columns for each latent; there are at least {least}")
        factors = np.linspace(-1.0 if self.both else 0.0, 1.0, count)
        factors[np.abs(factors) < 1e-9] = 0.0
        if 0.0 not in factors:
            raise UserError(
                f"{count} columns to both sides leave out the middle; give an odd number"
            )
        return factors

    def sheet(self, columns: int | None = None, report: Reporter = QUIET) -> Sheet:
        """A row for each network; for each latent a column for each share of the way.

        Of pictures that were inverted, the picture itself is the first column, in the first row.

        Args:
          columns: for each latent; by default the least, 2, or 3 to both sides.
          report: hears of every image.

        Raises:
          UserError: for too few columns, or images that are not finite.
        """
        factors = self.factors(columns)
        total = len(factors) * len(self.networks) * len(self.latents)
        with report.progress(total, "images") as advance:
            rows = np.stack([self._row(name, factors, advance) for name in self.networks])
        self._warn_of_empty_masks(report)
        labels: list[str] = []
        pictures = self.latents.pictures
        for name in self.latents.names:
            labels += [] if pictures is None else [name]
            plain = name if pictures is None else FOUND
            labels += [plain if factor == 0 else self._label(factor) for factor in factors]
        if pictures is not None:
            rows = _beside(pictures, rows, len(factors))
        group = len(labels) // len(self.latents)
        title = f"Edited by {self.summary}"
        facts = picture_facts(self.networks, self.latents, edits=self.summary)
        names = tuple(self.networks)
        return Sheet(rows, names, tuple(labels), group, title, headed=True, made_of=facts)

    def film(
        self, frames: int = 40, fps: float = 20.0, scale: int = 1, report: Reporter = QUIET
    ) -> Film:
        """A film of the way and back, which goes on where it began; networks in rows.

        Pictures that were inverted stand still in a row above.

        Args:
          frames: of the whole loop.
          fps: frames a second.
          scale: a pixel becomes a square of so many pixels.
          report: hears of every image.

        Raises:
          UserError: for too few frames, or images that are not finite.
        """
        if frames < 2:
            raise UserError(f"{frames} frames; a film has at least 2")
        # The first frame is not repeated at the end.
        turn = 2 * np.pi * np.arange(frames) / frames
        factors = np.sin(turn) if self.both else (1 - np.cos(turn)) / 2
        drawn, places = np.unique(np.round(factors, 9), return_inverse=True)
        total = len(drawn) * len(self.networks) * len(self.latents)
        with report.progress(total, "images") as advance:
            rows = [self._row(name, drawn, advance) for name in self.networks]
        self._warn_of_empty_masks(report)
        names, pictures = tuple(self.networks), []
        still = [] if self.latents.pictures is None else [self.latents.pictures]
        names = (*(["picture"] if still else []), *names)
        for place in range(len(drawn)):
            images = np.stack([*still, *(row[place :: len(drawn)] for row in rows)])
            pictures.append(viz.figure(images, self.latents.names, names))
        height, width, channels = pictures[0].shape
        shape = (frames, height, width, channels)
        return Film(shape, lambda: (pictures[place] for place in places), fps, scale, self.usage)

    def photographs(self, report: Reporter = QUIET) -> PastedPhotographs:
        """The photographs with the wholly edited faces in their places, by each network.

        Raises:
          UserError: if the latents are not of photographs, or images are not finite.
        """
        drawn, left = self._whole(report)
        facts = picture_facts(self.networks, self.latents, edits=self.summary)
        return paste_back(self.latents, drawn, left, self.feather, facts)

    def faces(self, latents: LatentBatch) -> dict[str, list[Face]]:
        """The wholly edited pictures of other latents by each network, with their places.

        Raises:
          UserError: if images are not finite.
        """
        family = dataclasses.replace(self, latents=latents, changes={}, inside={})
        return faces_of(latents.placements or (), *family._whole())

    def _whole(
        self, report: Reporter = QUIET
    ) -> tuple[dict[str, np.ndarray], list[np.ndarray | None] | None]:
        """The whole edit by each network, uint8 [N, R, R, C], and what photographs keep."""
        factors = np.asarray([0.0, 1.0])
        with report.progress(2 * len(self.networks) * len(self.latents), "images") as advance:
            drawn = {name: self._row(name, factors, advance)[1::2] for name in self.networks}
        keeping = self._keeping
        rows = range(len(self.latents))
        left = None if keeping is None else [keeping.left(row) for row in rows]
        return drawn, left

    @functools.cached_property
    def _keeping(self) -> Keeping | None:
        """What every picture keeps: of the one that was given, or of what the parent draws."""
        if self.keeper is None or not self.keeper.keeps:
            return None
        pictures = self.latents.pictures
        if pictures is not None:
            return self.keeper.of(as_floats(pictures))
        parent = next(iter(self.networks.values()))
        return self.keeper.of(render(parent, self.latents, self.options))

    def write_latents(
        self,
        path: str | os.PathLike[str],
        command: Command = Command(),  # noqa: B008  # it cannot change
        overwrite: bool = False,
    ) -> None:
        """Writes NAME.npz, which stands for the same latents, and for the pictures they are of.

        Raises:
          UserError: if it exists or the disk refuses.
        """
        facts = provenance.record(command)
        with viz.writing(path, overwrite) as file:
            write_latents(file, self.latents, facts)

    def _warn_of_empty_masks(self, report: Reporter) -> None:
        mask = self.recipe.mask
        if isinstance(mask, PartMask):
            for name in (name for name, share in self.inside.items() if share < _NOTHING):
                report.warn(
                    f"{mask.reader} finds no {mask.summary} where the pictures of {name} change: "
                    "next to nothing is edited there"
                )

    def _label(self, factor: float) -> str:
        edits = self.recipe.edits
        if len(edits) == 1 and not edits[0].to:
            return f"{factor * edits[0].amount:+g}"
        if factor == 1:
            return self.summary
        return f"{factor:+.0%}"

    def _row(self, name: str, factors: np.ndarray, advance: Advance) -> np.ndarray:
        """uint8 images [N * F, R, R, C] of one network: every latent with every factor."""
        network = self.networks[name]
        parts = [edited(network, self.latents, self.recipe.edits, factor) for factor in factors]
        images = _rendered(network, parts, self.options, advance)  # [F, N, R, R, C]
        if self.recipe.mask is not None:
            plain = images[int(np.flatnonzero(factors == 0)[0])]
            shares = [self.recipe.mask.shares(plain, one) for one in images]  # [N or 1, R, R, 1]
            self.inside[name] = _share_inside(plain, images[-1], shares[-1])
            moves = zip(images, shares, strict=True)
            images = np.stack([plain + share * (one - plain) for one, share in moves])
        if self._keeping is not None:
            images = np.stack([self._keeping.applied(one) for one in images])
        shown = np.clip(images, -1, 1)
        self.changes[name] = float(np.abs(shown[-1] - shown[0]).mean())
        swapped = images.swapaxes(0, 1)
        return to_uint8(swapped.reshape(-1, *images.shape[2:]))


def _share_inside(plain: np.ndarray, whole: np.ndarray, shares: np.ndarray) -> float:
    """How much of what an edit changes, float32 [N, R, R, C] both, lies in the mask."""
    change = np.abs(np.clip(whole, -1, 1) - np.clip(plain, -1, 1))
    return float((change * shares).sum() / max(float(change.sum()), 1e-12))


def _beside(pictures: np.ndarray, rows: np.ndarray, group: int) -> np.ndarray:
    """Rows [networks, N * F, R, R, C] with each picture [N, R, R, C] before its F columns.

    Other rows than the first have white in its place: the picture is of the first network.
    """
    apart = rows.reshape(len(rows), -1, group, *rows.shape[2:])  # [networks, N, F, R, R, C]
    first = np.full_like(apart[:, :, :1], 255)
    first[0, :, 0] = pictures
    return np.concatenate([first, apart], axis=2).reshape(len(rows), -1, *rows.shape[2:])


def _rendered(
    network: Network, parts: Sequence[LatentBatch], options: RenderOptions, advance: Advance
) -> np.ndarray:
    """Images float32 [F, N, R, R, C] of several batches of one space, drawn together."""
    arrays = {key: np.concatenate([part.arrays[key] for part in parts]) for key in parts[0].arrays}
    whole = LatentBatch(
        arrays,
        tuple(name for part in parts for name in part.names),
        np.concatenate([part.numbers for part in parts]),
        parts[0].psi,
    )
    images = render(network, whole, options, advance)
    return images.reshape(len(parts), -1, *images.shape[1:])
