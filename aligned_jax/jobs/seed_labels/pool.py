"""Seeds that can be asked about: their latents, and what is seen of them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from aligned_jax.errors import UserError
from aligned_jax.latents import parse_seeds
from aligned_jax.networks.network import Network
from aligned_jax.rendering.draw import RenderOptions, finite_batches
from aligned_jax.rendering.latent_batch import latents_of_seeds
from aligned_jax.semantics.active_labels import VisibleCoordinates, visible_coordinates
from aligned_jax.semantics.latent_models import ModelSpace, model_latents
from aligned_jax.utils.reporting import QUIET, Advance, Reporter, no_advance
from aligned_jax.utils.text import counted

POOL = "0-1999"
FEWEST_SEEDS = 20
_SIDE = 16  # of what is seen of a picture, at most


@dataclass(frozen=True, eq=False)
class SeedPool:
    """N seeds of a network.

    Attributes:
      network: whose seeds they are.
      seeds: int64 [N], each once.
      latents: float32 [N, D], in `space`.
      space: of the latents, "w" or "s".
      coordinates: in which models are regularised, of all latents and their pictures.
      psi, label: how the seeds are drawn.
    """

    network: Network
    seeds: np.ndarray
    latents: np.ndarray
    space: ModelSpace
    coordinates: VisibleCoordinates
    psi: float
    label: int | None

    def places(self, seeds: Sequence[int]) -> list[int]:
        """Numbers of rows of some seeds of the pool."""
        place = {int(seed): row for row, seed in enumerate(self.seeds)}
        return [place[seed] for seed in seeds]

    def picture(self, seed: int) -> np.ndarray:
        """What the network draws of a seed, float32 [R, R, C], unclipped."""
        latents = latents_of_seeds(self.network.config, [seed], self.label, self.psi)
        [drawn] = finite_batches(self.network, latents, RenderOptions(batch=1))
        return drawn.images[0]


def draw_pool(
    network: Network,
    seeds: str | Sequence[int],
    also: Sequence[int],
    space: ModelSpace,
    *,
    psi: float = 1.0,
    label: int | None = None,
    batch: int = 8,
    report: Reporter = QUIET,
) -> SeedPool:
    """Draws seeds and sees what changes in their pictures.

    Args:
      network: that draws.
      seeds: a list, or text such as "0-1999"; at least 20.
      also: more seeds, which were answered.
      space: of the latents.
      psi, label, batch: as of `jobs.generate`.
      report: hears of every picture.

    Raises:
      UserError: for too few seeds, or what is no list of seeds; and as `latents_of_seeds`.
    """
    numbers = parse_seeds(seeds) if isinstance(seeds, str) else [int(seed) for seed in seeds]
    numbers = list(dict.fromkeys([*numbers, *also]))
    if len(numbers) < FEWEST_SEEDS:
        raise UserError(
            f"the pool has {counted(len(numbers), 'seed')}; at least {FEWEST_SEEDS} show what "
            "varies in the network's pictures"
        )
    with report.progress(len(numbers), "images") as advance:
        ws, seen = drawn_rows(network, numbers, psi, label, batch, advance)
    latents = model_latents(network, ws, space)
    return SeedPool(
        network=network,
        seeds=np.asarray(numbers, np.int64),
        latents=latents,
        space=space,
        coordinates=visible_coordinates(latents, seen),
        psi=psi,
        label=label,
    )


def drawn_rows(
    network: Network,
    seeds: Sequence[int],
    psi: float,
    label: int | None,
    batch: int,
    advance: Advance = no_advance,
) -> tuple[np.ndarray, np.ndarray]:
    """W [N, D] of seeds, and their pictures averaged over blocks, [N, P] in [-1, 1]."""
    latents = latents_of_seeds(network.config, seeds, label, psi)
    rows, seen = [], []
    for drawn in finite_batches(network, latents, RenderOptions(batch=batch), advance):
        rows.append(drawn.latents["ws"][:, 0])
        seen.append(pooled(drawn.images))
    return np.concatenate(rows), np.concatenate(seen)


def pooled(images: np.ndarray) -> np.ndarray:
    """Pictures [N, R, R, C] in [-1, 1], clipped, as means of 16 by 16 blocks: float32 [N, P]."""
    count, side, _, channels = images.shape
    each = max(1, side // _SIDE)
    kept = side // each * each
    parts = np.clip(images[:, :kept, :kept], -1, 1).astype(np.float32)
    parts = parts.reshape(count, kept // each, each, kept // each, each, channels)
    return parts.mean(axis=(2, 4)).reshape(count, -1)
