"""Latents and edits that several networks draw, as a picture or a film."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from aligned_jax import viz
from aligned_jax.errors import UserError
from aligned_jax.jobs.edits.recipes import EditRecipe
from aligned_jax.jobs.edits.strength import ChosenStrength
from aligned_jax.jobs.films import Film, check_size
from aligned_jax.jobs.sources import Usage
from aligned_jax.networks.network import Network
from aligned_jax.rendering.draw import RenderOptions, render
from aligned_jax.rendering.editing import edited
from aligned_jax.rendering.latent_batch import LatentBatch
from aligned_jax.utils.reporting import QUIET, Advance, Reporter
from aligned_jax.viz import to_uint8
from aligned_jax.viz.sheet import Sheet


@dataclass(eq=False)
class EditedFamily:
    """Latents and edits, ready to be drawn by several networks.

    Attributes:
      networks: by name, the parent first.
      latents: N of the parent.
      recipe: the edits, and where they show.
      chosen: how the strength was chosen, or None.
      options: how pictures are drawn.
      usage: what of the options counted.
      changes: mean absolute difference of a pixel in [-1, 1] between the first and the last
        column, by network; filled by drawing.
    """

    networks: Mapping[str, Network]
    latents: LatentBatch
    recipe: EditRecipe
    chosen: ChosenStrength | None
    options: RenderOptions
    both: bool
    usage: Usage
    changes: dict[str, float] = dataclasses.field(default_factory=dict)

    @property
    def summary(self) -> str:
        """The edits in words: "smile +3, 15_45 -8"."""
        return ", ".join(edit.summary for edit in self.recipe.edits)

    def factors(self, steps: int | None = None) -> np.ndarray:
        """Shares of the way that are shown, from none or the other side to the whole."""
        least = 3 if self.both else 2
        count = least if steps is None else steps
        if count < least:
            raise UserError(f"{count} columns for each latent; there are at least {least}")
        factors = np.linspace(-1.0 if self.both else 0.0, 1.0, count)
        factors[np.abs(factors) < 1e-9] = 0.0
        if 0.0 not in factors:
            raise UserError(
                f"{count} columns to both sides leave out the middle; give an odd number"
            )
        return factors

    def sheet(self, steps: int | None = None, report: Reporter = QUIET) -> Sheet:
        """A row for each network; for each latent a column for each share of the way.

        Args:
          steps: columns for each latent; by default the least, 2, or 3 to both sides.
          report: hears of every image.

        Raises:
          UserError: for too few columns, or images that are not finite.
        """
        factors = self.factors(steps)
        total = len(factors) * len(self.networks) * len(self.latents)
        with report.progress(total, "images") as advance:
            rows = np.stack([self._row(name, factors, advance) for name in self.networks])
        columns = tuple(
            name if factor == 0 else self._label(factor)
            for name in self.latents.names
            for factor in factors
        )
        return Sheet(rows, tuple(self.networks), columns, group=len(factors))

    def film(
        self, frames: int = 40, fps: float = 20.0, scale: int = 1, report: Reporter = QUIET
    ) -> Film:
        """A film of the way and back, which goes on where it began; networks in rows.

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
        names, pictures = tuple(self.networks), []
        for place in range(len(drawn)):
            images = np.stack([row[place :: len(drawn)] for row in rows])
            pictures.append(viz.figure(images, self.latents.names, names))
        check_size(frames, *pictures[0].shape)
        return Film(np.stack([pictures[place] for place in places]), fps, scale, self.usage)

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
            mask = self.recipe.mask.resized(network.config.img_resolution)
            plain = images[int(np.flatnonzero(factors == 0)[0])]
            images = np.stack([mask.composite(plain, one) for one in images])
        shown = np.clip(images, -1, 1)
        self.changes[name] = float(np.abs(shown[-1] - shown[0]).mean())
        swapped = images.swapaxes(0, 1)
        return to_uint8(swapped.reshape(-1, *images.shape[2:]))


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
