"""Random latents of a network with scores of their pictures."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from aligned_jax.config import GeneratorConfig
from aligned_jax.errors import UserError
from aligned_jax.jobs.judging import NamedJudge, SeedScores
from aligned_jax.latents import labels_for
from aligned_jax.networks.network import Network
from aligned_jax.rendering.draw import RenderOptions, finite_batches
from aligned_jax.rendering.latent_batch import LatentBatch, latents_of_seeds
from aligned_jax.utils.blocks import blocks
from aligned_jax.utils.reporting import QUIET, Reporter
from aligned_jax.utils.text import listed

_BATCH = 1000


@dataclass(frozen=True, eq=False)
class ScoredLatents:
    """N latents, and what a judge says of their pictures.

    Attributes:
      latents: float32 `z` [N, D] and `ws` [N, L, D], truncated as they were drawn.
      scores: float64 [N] by name.
    """

    latents: dict[str, np.ndarray]
    scores: dict[str, np.ndarray]

    def __len__(self) -> int:
        return len(self.latents["z"])

    def take(self, rows: np.ndarray) -> "ScoredLatents":
        """Those of some rows alone, in this order."""
        return ScoredLatents(
            {key: value[rows] for key, value in self.latents.items()},
            {key: value[rows] for key, value in self.scores.items()},
        )

    def batch(
        self, config: GeneratorConfig, space: str, psi: float, label: int | None
    ) -> LatentBatch:
        """The latents, ready to be drawn as they were: z in Z, else W+.

        Args:
          config: of the network.
          space: "z", "w" or "s".
          psi, label: with which they were drawn.
        """
        numbers = np.arange(len(self), dtype=np.uint32)
        names = tuple(f"row {number}" for number in numbers)
        if space != "z":
            return LatentBatch({"ws": self.latents["ws"]}, names, numbers)
        arrays = {"z": self.latents["z"], "c": labels_for(config, label, len(self))}
        return LatentBatch(arrays, names, numbers, psi)

    def target(self, attribute: str) -> str:
        """The same; raises UserError, with a list of all, if there are no scores of it."""
        if attribute not in self.scores:
            known = listed(self.scores, most=40)
            raise UserError(f"no attribute {attribute!r:.60}; there are {known}")
        return attribute


def judged_population(
    network: Network,
    judge: NamedJudge,
    seeds: Sequence[int],
    psi: float = 1.0,
    label: int | None = None,
    options: RenderOptions = RenderOptions(),  # noqa: B008  # it cannot change
    report: Reporter = QUIET,
) -> ScoredLatents:
    """Draws the pictures of seeds, and asks a judge.

    Args:
      network: that draws.
      judge: asked batch by batch.
      seeds: of the latents.
      psi: their truncation.
      label: class of a conditional network.
      options: how they are drawn.
      report: hears of every image.

    Raises:
      UserError: for a psi or label that does not fit, images that are not finite, or what the
        judge says wrongly.
    """
    batch = latents_of_seeds(network.config, seeds, label, psi)
    ws, parts = [], []
    with report.progress(len(batch), "images") as advance:
        for drawn in finite_batches(network, batch, options, advance):
            parts.append(judge(np.clip(drawn.images, -1, 1)))
            ws.append(drawn.latents["ws"])
    if len({frozenset(part) for part in parts}) > 1:
        raise UserError("the judge named other attributes for other images")
    scores = {
        name: np.concatenate([part[name] for part in parts]).astype(np.float64) for name in parts[0]
    }
    return ScoredLatents({"z": batch.arrays["z"], "ws": np.concatenate(ws)}, scores)


def scored_seeds(
    network: Network, table: SeedScores, psi: float = 1.0, label: int | None = None
) -> ScoredLatents:
    """Latents of seeds whose pictures were scored elsewhere; nothing is drawn.

    Args:
      network: that drew them.
      table: of scores.
      psi, label: with which they were drawn.

    Raises:
      UserError: for a psi or label that does not fit.
    """
    batch = latents_of_seeds(network.config, table.seeds.tolist(), label, psi)
    scores = {name: value.astype(np.float64) for name, value in table.values.items()}
    return ScoredLatents({"z": batch.arrays["z"], "ws": mapped(network, batch)}, scores)


def mapped(network: Network, batch: LatentBatch) -> np.ndarray:
    """W+ of latents in z as they are drawn, float32 [N, L, D], many at a time."""
    labels, parts = batch.labels(network.config), []
    for rows, kept in blocks(len(batch), _BATCH):
        c = None if labels is None else labels[rows]
        parts.append(np.asarray(network.mapping(batch.arrays["z"][rows], c, batch.psi))[:kept])
    return np.concatenate(parts)


def split(scored: ScoredLatents, share: float, seed: int) -> tuple[ScoredLatents, ScoredLatents]:
    """A random share for measuring, and the rest for fitting: (rest, share)."""
    order = np.random.default_rng(seed).permutation(len(scored))
    held = int(len(scored) * share)
    return scored.take(np.sort(order[held:])), scored.take(np.sort(order[:held]))
