"""What the inversion of pictures comes to: latents with all that belongs to them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from aligned_jax import convert
from aligned_jax.data.targets import Target, placements_of_targets
from aligned_jax.errors import UserError
from aligned_jax.inversion import ImageInversion, Settings, latent_arrays
from aligned_jax.inversion.spaces import is_z
from aligned_jax.networks.network import Network
from aligned_jax.rendering.latent_batch import LatentBatch


@dataclass(frozen=True, eq=False)
class TunedImage:
    """What a network that was tuned at a picture's latent draws of it.

    Attributes:
      image: of the tuned network, as the delta gives it, uint8 [R, R, C].
      delta: that is added to the network.
      file: name of the delta's file in the folder, if there is one.
      bytes: of that file, or of the delta's numbers.
      steps: of Adam that were taken.
      distances, before: LPIPS of the tuning (`perceptual`, unless it had none) and mean squared
        difference of pixels (`pixel`) after it, and of the same latent before.
    """

    image: np.ndarray
    delta: convert.Delta
    file: str
    bytes: int
    steps: int
    distances: dict[str, float]
    before: dict[str, float]

    @property
    def row(self) -> dict[str, Any]:
        """What a table says of it."""
        sizes = {"file": self.file, "bytes": self.bytes, "steps": self.steps}
        return sizes | self.distances | {"before": self.before}


@dataclass(frozen=True, eq=False)
class InvertedImage:
    """One picture and its inversion.

    Attributes:
      target: the picture, and how it is called.
      image: what the network draws of the latent, uint8 [R, R, C].
      inversion: latent, distances and whatever else `inversion.save` keeps.
      tuned: what a tuned network draws of the latent, or None if none was tuned.
    """

    target: Target
    image: np.ndarray
    inversion: ImageInversion
    tuned: TunedImage | None = None

    @property
    def row(self) -> dict[str, Any]:
        """What a table says of it: file, name, the best attempt, and the distances."""
        facts = self.inversion.facts
        named = {"image": self.target.file, "name": self.target.name, "restart": facts["restart"]}
        tuned = {"tuned": self.tuned.row} if self.tuned else {}
        return named | self.inversion.distances | tuned


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
    def tuned_means(self) -> dict[str, Any]:
        """Means of `TunedImage.row` over the pictures at which a network was tuned; {} if none."""
        rows = [one.tuned.row for one in self.images if one.tuned]
        if not rows:
            return {}
        names = [name for name in ("bytes", "steps", "perceptual", "pixel") if name in rows[0]]
        means: dict[str, Any] = {
            name: float(np.mean([row[name] for row in rows])) for name in names
        }
        before = {name: [row["before"][name] for row in rows] for name in rows[0]["before"]}
        return means | {"before": {name: float(np.mean(vs)) for name, vs in before.items()}}

    @property
    def tuning(self) -> dict[str, Any]:
        """How networks were tuned, as their deltas say; {} if none was."""
        known = [one.tuned.delta.facts["tuning"] for one in self.images if one.tuned]
        return dict(known[0]) if known else {}

    @property
    def summary(self) -> str:
        """What became of the pictures, such as "inverted in w+"."""
        done = f"{'inverted' if self.settings.steps else 'encoded'} in {self.settings.space}"
        return f"{done} and tuned" if any(one.tuned for one in self.images) else done

    def tuned_network(self, index: int) -> Network:
        """The network that was tuned at a picture, as its delta gives it.

        Args:
          index: of the picture, in the order of `images`.

        Raises:
          UserError: if none was tuned there.
        """
        tuned, config = self.images[index].tuned, self.network.config
        if tuned is None:
            raise UserError(f"no network was tuned at {self.names[index]}")
        return Network(config, convert.added(config, self.network.variables, tuned.delta))

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
