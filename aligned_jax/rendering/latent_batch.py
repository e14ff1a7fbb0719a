"""Latents of one kind with all that decides their pictures, from the request to the renderer."""

import dataclasses
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field

import jax.numpy as jnp
import numpy as np

from aligned_jax import translation
from aligned_jax.config import GeneratorConfig
from aligned_jax.data.placements import Placement
from aligned_jax.errors import UserError
from aligned_jax.latents import labels_for, parse_seeds, truncate, z_from_seeds
from aligned_jax.networks.network import Network


@dataclass(frozen=True, eq=False)
class LatentBatch:
    """N latents of one network.

    Attributes:
      arrays: `z` [N, D] or [N, L, D] with labels `c` [N, K], or `ws` [N, L, D], or
        `styles/<layer>` [N, C] of every layer; and perhaps `noise/<layer>` [N, R, R],
        which take the place of the stored maps. All float32.
      names: of the rows, such as "seed 3".
      numbers: uint32 [N], which tell the random noise of the rows apart.
      psi: truncation that z or ws have still to go through; 1 is none.
      pictures: uint8 [N, R, R, C], of which they are inversions, or None.
      skipped: pictures that are not among them, and why, by file.
      placements: where the pictures lie in their photographs, [N], or None.
    """

    arrays: Mapping[str, np.ndarray]
    names: tuple[str, ...]
    numbers: np.ndarray
    psi: float = 1.0
    pictures: np.ndarray | None = None
    skipped: Mapping[str, str] = field(default_factory=dict)
    placements: tuple[Placement, ...] | None = None

    def __len__(self) -> int:
        return len(self.names)

    @property
    def in_z(self) -> bool:
        """Whether the network that renders maps the latents itself."""
        return "z" in self.arrays

    @property
    def summary(self) -> str:
        """What a page says of them."""
        return f"psi {self.psi:g}" if self.in_z else ""

    def labels(self, config: GeneratorConfig) -> np.ndarray | None:
        """Labels [N, K] for the mapping of a conditional network; None for another one."""
        return self.arrays["c"] if config.c_dim else None

    def take(self, rows: Sequence[int] | np.ndarray) -> "LatentBatch":
        """The batch of some rows alone, in this order."""
        rows = list(rows)
        return dataclasses.replace(
            self,
            arrays={key: value[rows] for key, value in self.arrays.items()},
            names=tuple(self.names[row] for row in rows),
            numbers=self.numbers[rows],
            pictures=None if self.pictures is None else self.pictures[rows],
            placements=self.placements and tuple(self.placements[row] for row in rows),
        )

    def only(self, names: Container[str]) -> "LatentBatch":
        """The batch of the rows that have one of these names."""
        return self.take([row for row, name in enumerate(self.names) if name in names])

    def with_psi(self, psi: float | None) -> "LatentBatch":
        """The same with another truncation of z; None, or latents beyond z, change nothing."""
        return self if psi is None or not self.in_z else dataclasses.replace(self, psi=psi)

    def check(self, network: Network | GeneratorConfig, cutoff: int | None = None) -> None:
        """Raises UserError if `network` cannot truncate them as asked."""
        config = network.config if isinstance(network, Network) else network
        if self.psi == 1 and cutoff is None:
            return
        check_mean(config)
        if not {"z", "ws"} & self.arrays.keys():
            raise UserError("styles cannot be truncated; pass `psi=1`, and no `cutoff`")

    def style_vectors(self) -> dict[str, np.ndarray]:
        """Latents that are style vectors by layer, [N, C] each."""
        return {
            key.removeprefix("styles/"): value
            for key, value in self.arrays.items()
            if key.startswith("styles/")
        }

    def styles(self, network: Network) -> "LatentBatch":
        """The same as style vectors of `network`, beside noise maps that were kept.

        Raises:
          UserError: if `network` cannot truncate them, or a shape does not fit.
        """
        layers = translation.styles_of(network, self._truncated(network), self.psi)
        return self._replaced({f"styles/{name}": np.asarray(v) for name, v in layers.items()})

    def in_space(self, network: Network, space: str) -> "LatentBatch":
        """The same in another space, as far as `network`, whose latents they are, makes them.

        Raises:
          UserError: if `network` cannot truncate them, or the space does not hold them.
        """
        arrays = translation.in_space(network, self._truncated(network), space, self.psi)
        return self._replaced({key: np.asarray(value) for key, value in arrays.items()})

    def _truncated(self, network: Network) -> Mapping[str, np.ndarray]:
        """The arrays, of which z alone is left to truncate."""
        self.check(network)
        if self.psi == 1 or self.in_z:
            return self.arrays
        ws = truncate(jnp.asarray(self.arrays["ws"]), network.w_avg, self.psi)
        return {**self.arrays, "ws": np.asarray(ws)}

    def _replaced(self, arrays: Mapping[str, np.ndarray]) -> "LatentBatch":
        kept = {key: value for key, value in self.arrays.items() if key.startswith("noise/")}
        psi = self.psi if "z" in arrays else 1.0
        return dataclasses.replace(self, arrays={**arrays, **kept}, psi=psi)


def check_mean(config: GeneratorConfig) -> None:
    """Raises UserError if a network of this kind has no mean of w to truncate towards."""
    if config.mapping.w_avg_beta is None:
        raise UserError("this network keeps no mean of w; pass `psi=1`, and no `cutoff`")


def rows_in_all(batches: Sequence[LatentBatch]) -> list[LatentBatch]:
    """The rows whose names are in all of several batches; there may be none."""
    everywhere = set.intersection(*(set(latents.names) for latents in batches))
    return [latents.only(everywhere) for latents in batches]


def latents_of_seeds(
    config: GeneratorConfig, seeds: str | Sequence[int], label: int | None = None, psi: float = 1.0
) -> LatentBatch:
    """The latents that the official scripts draw for seeds.

    Args:
      config: of the network.
      seeds: a list, or text like "0-15" or "1,4,10-12".
      label: class of a conditional network, from 0.
      psi: truncation; 1 is none.

    Raises:
      UserError: for text that is no list of seeds, a label that the network does not have,
        or needs, or a truncation that it does not know.
    """
    numbers = parse_seeds(seeds) if isinstance(seeds, str) else list(seeds)
    if not numbers:
        raise UserError("no seeds were given")
    arrays = {"z": z_from_seeds(config, numbers), "c": labels_for(config, label, len(numbers))}
    names = tuple(f"seed {seed}" for seed in numbers)
    latents = LatentBatch(arrays, names, np.asarray(numbers, np.uint32), psi)
    latents.check(config)
    return latents
