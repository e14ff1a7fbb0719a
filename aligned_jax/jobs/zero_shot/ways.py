"""Ways from a picture of the child's domain to what the parent's knowledge says of it."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from aligned_jax.errors import UserError
from aligned_jax.jobs.judges import NamedJudge, scores_of
from aligned_jax.jobs.zero_shot.knowledge import Known
from aligned_jax.jobs.zero_shot.pictures import Inverter, OwnSamples, plain_ws, seen
from aligned_jax.networks.network import Network
from aligned_jax.rendering.draw import RenderOptions, render
from aligned_jax.rendering.latent_batch import LatentBatch
from aligned_jax.semantics.latent_models import model_latents
from aligned_jax.semantics.linear_fits import Fit, fit_rows, fit_wide
from aligned_jax.utils.reporting import Reporter

# latent: inverted in the child, read by the parent's model. translate: inverted in the child, drawn
# by the parent, read by the judge. paired: read off the picture, as learned from the child's
# own pictures with the scores of the parent's pictures of the same latents.
WAYS = ("latent", "translate", "paired")
Scores = dict[str, np.ndarray]


@dataclass(frozen=True, eq=False)
class Carrier:
    """A parent, a network of another domain, and how scores get from one to the other.

    Attributes:
      parent: that the knowledge is of.
      network: the child, or a control.
      known: what the parent knows.
      judge: that reads the parent's pictures; None if there is none.
      inverter: of pictures, in `network`.
      own: samples of `network`, where they are needed.
      samples: latents in z of a population, which are `own`'s too.
      binary: whether scores are log-odds.
      batch: images at a time.
      report: hears of steps and images.
    """

    parent: Network
    network: Network
    known: Sequence[Known]
    judge: NamedJudge | None
    inverter: Inverter
    own: OwnSamples | None
    samples: LatentBatch
    binary: bool
    batch: int
    report: Reporter

    def latents(self, images: np.ndarray) -> LatentBatch:
        """Pictures uint8 [N, R, R, C], inverted in the network."""
        return self.inverter.latents(self.network, images, self.own, self.report)

    def scores(self, way: str, images: np.ndarray, latents: LatentBatch | None) -> Scores:
        """Scores [N] of pictures by attribute.

        Args:
          way: one of `WAYS`.
          images: uint8 [N, R, R, C].
          latents: of the pictures; needed but by the way "paired".
        """
        if way == "paired" or latents is None:
            rows = seen(images)
            return {
                name: (rows @ weights + intercept).astype(np.float32)
                for name, (weights, intercept) in self._paired.items()
            }
        if way == "latent":
            return self._read(plain_ws(self.network, latents))
        return self._translated(latents)

    def population(self, way: str) -> Scores:
        """Scores of the network's own samples by a way, [M] each."""
        if way == "latent":
            return self._read(plain_ws(self.network, self.samples))
        if way == "translate":  # drawn by the parent, they are its own
            return {one.name: one.scores for one in self.known}
        own = self._needed()
        return {
            name: own.rows @ weights + intercept
            for name, (weights, intercept) in self._paired.items()
        }

    def _read(self, ws: np.ndarray) -> Scores:
        """The parent's models, of W+ [N, L, D] of the network."""
        spaces = {one.model.space for one in self.known}
        latents = {space: model_latents(self.network, ws, space) for space in spaces}
        return {one.name: one.model.scores(latents[one.model.space]) for one in self.known}

    def _translated(self, latents: LatentBatch) -> Scores:
        if self.judge is None:
            raise ValueError("nobody reads the parent's pictures")
        with self.report.progress(len(latents), "images") as advance:
            images = render(self.parent, latents, RenderOptions(batch=self.batch), advance)
        return scores_of(self.judge, np.clip(images, -1, 1), [one.name for one in self.known])

    @functools.cached_property
    def _paired(self) -> dict[str, Fit]:
        """Readers of pictures, fitted to the network's own pictures and the parent's scores."""
        own = self._needed()
        count = len(own.rows)
        return {
            one.name: fit_pictures(own.rows, one.scores[:count], self.binary) for one in self.known
        }

    def _needed(self) -> OwnSamples:
        if self.own is None:
            raise ValueError("the samples were not drawn")
        return self.own


def fit_pictures(rows: np.ndarray, scores: np.ndarray, binary: bool) -> Fit:
    """A linear reader of what is seen of pictures.

    Args:
      rows: float [N, P], of `pictures.seen`.
      scores: float [N], log-odds if `binary`.
      binary: whether it shall say log-odds.
    """
    if binary:
        return fit_wide(rows, scores > 0)
    matrix, offset = fit_rows(rows, scores[:, None])
    return matrix[:, 0], float(offset[0])


def check_ways(ways: Sequence[str], judge: NamedJudge | None) -> None:
    """Raises UserError for ways that there are not, or that need a judge of pictures."""
    wrong = [way for way in ways if way not in WAYS]
    if wrong or not ways:
        raise UserError(f"ways are {', '.join(WAYS)}; not {', '.join(wrong) or 'none'}")
    if "translate" in ways and judge is None:
        raise UserError(
            "the way translate reads the parent's pictures, for which it needs a judge of "
            "pictures; scores by seed, labels and directions are none"
        )
