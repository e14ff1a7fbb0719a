"""What the inversion of pictures comes to: latents with all that belongs to them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from aligned_jax.data.targets import Target, placements_of_targets
from aligned_jax.inversion import ImageInversion, Settings, latent_arrays
from aligned_jax.inversion.spaces import is_z
from aligned_jax.networks.network import Network
from aligned_jax.rendering.latent_batch import LatentBatch


@dataclass(frozen=True, eq=False)
class InvertedImage:
    """One picture and its inversion.

    Attributes:
      target: the picture, and how it is called.
      image: what the network draws of the latent, uint8 [R, R, C].
      inversion: latent, distances and whatever else `inversion.save` keeps.
    """

    target: Target
    image: np.ndarray
    inversion: ImageInversion

    @property
    def row(self) -> dict[str, Any]:
        """What a table says of it: file, name, the best attempt, and the distances."""
        facts = self.inversion.facts
        named = {"image": self.target.file, "name": self.target.name, "restart": facts["restart"]}
        return named | self.inversion.distances


@dataclass(frozen=True, eq=False)
class InvertedImages:
    """N pictures and their inversions.

    Attributes:
      network: whose latents they are.
      settings: of the inversion.
      images: in the order of the pictures.
      skipped: why other pictures are not among them, by file.
    """

    network: Network
    settings: Settings
    images: tuple[InvertedImage, ...]
    skipped: Mapping[str, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.images)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the pictures, in the order of `images`."""
        return tuple(one.target.name for one in self.images)

    @property
    def latent(self) -> np.ndarray:
        """Latents of the settings' space, float32 [N, ...]."""
        return np.concatenate([one.inversion.latent for one in self.images])

    @property
    def distances(self) -> dict[str, np.ndarray]:
        """`perceptual` and `pixel` at the end, [N] each, as of `inversion.Inverted`."""
        rows = [one.inversion.distances for one in self.images]
        return {name: np.asarray([row[name] for row in rows]) for name in rows[0]}

    @property
    def rows(self) -> list[dict[str, Any]]:
        """What a table says of each picture."""
        return [one.row for one in self.images]

    @property
    def means(self) -> dict[str, float]:
        """Mean of each distance over the pictures."""
        return {name: float(np.mean(values)) for name, values in self.distances.items()}

    @property
    def summary(self) -> str:
        """What became of the pictures, such as "inverted in w+"."""
        return f"{'inverted' if self.settings.steps else 'encoded'} in {self.settings.space}"

    def latents(self) -> LatentBatch:
        """The latents with all that decides how they are drawn, noise maps that were kept too."""
        arrays = latent_arrays(self.network, self.settings.space, self.latent)
        first = self.images[0].inversion
        if first.noise is not None:
            arrays |= {f"noise/{layer}": self._rows("noise", layer) for layer in first.noise}
        in_z = is_z(self.settings.space)
        if in_z:
            empty = np.zeros((1, self.network.config.c_dim), np.float32)
            label = empty if first.c is None else first.c
            arrays["c"] = np.repeat(label, len(self), axis=0)
        return LatentBatch(
            arrays,
            self.names,
            np.arange(len(self), dtype=np.uint32),
            psi=self.settings.psi if in_z else 1.0,
            pictures=np.stack([one.target.pixels for one in self.images]),
            skipped=self.skipped,
            placements=placements_of_targets([one.target for one in self.images]),
        )

    def _rows(self, name: str, layer: str) -> np.ndarray:
        return np.concatenate([getattr(one.inversion, name)[layer] for one in self.images])
