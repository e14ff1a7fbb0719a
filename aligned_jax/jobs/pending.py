"""Latents at hand, or pictures that are still to be inverted."""

from dataclasses import dataclass

import jax
import numpy as np

from aligned_jax import inversion
from aligned_jax.data.targets import Targets, placements_of_targets
from aligned_jax.errors import UserError
from aligned_jax.inversion import Settings, setup
from aligned_jax.inversion.encoder_choice import EncoderChoice
from aligned_jax.inversion.spaces import is_z
from aligned_jax.latents.shapes import latent_shape
from aligned_jax.networks.network import Network
from aligned_jax.rendering.latent_batch import LatentBatch
from aligned_jax.utils.reporting import QUIET, Reporter


@dataclass(frozen=True, eq=False)
class PendingInversion:
    """Pictures to invert in one space, of which all that may be wrong was looked at.

    Attributes:
      network: in which they are inverted.
      targets: the pictures, and those that could not be read.
      settings: of the inversion.
      choice: the encoder, if there is one.
      start: latents [N, ...] of the encoder in this space, if there is one.
      loss: what the optimisation makes small.
      label: [1, c_dim], for all pictures.
      seed: of all random numbers.
      batch: pictures at a time, at most.
      diverged: why pictures are skipped whose inversions grow beyond all bounds.
    """

    network: Network
    targets: Targets
    settings: Settings
    choice: EncoderChoice | None
    start: np.ndarray | None
    loss: inversion.Perceptual
    label: np.ndarray
    seed: int
    batch: int
    diverged: str

    def __len__(self) -> int:
        return len(self.targets)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the rows that there will be, unless some inversions diverge."""
        return tuple(target.name for target in self.targets.targets)

    @property
    def in_z(self) -> bool:
        """Whether the network that renders maps and truncates the latents itself."""
        return is_z(self.settings.space)

    @property
    def psi(self) -> float:
        """Truncation that the latents will have still to go through."""
        return self.settings.psi if self.in_z else 1.0

    @property
    def summary(self) -> str:
        """What a page says of them."""
        settings, parts = self.settings, []
        if settings.steps:
            parts = [f"{settings.steps} steps", f"noise {settings.noise}"]
        if settings.restarts > 1:
            parts.append(f"best of {settings.restarts}")
        if self.in_z:
            parts.append(f"psi {settings.psi:g}")
        if self.choice:
            parts.append(f"{'encoder' if self.choice.alone else 'start'} {self.choice.source}")
        done = "inverted" if settings.steps else "encoded"
        return ", ".join([f"{done} in {settings.space}", *parts])

    def template(self) -> LatentBatch:
        """A made-up latent, in the space and with the truncation of those to be found.

        What is asked of latents can be checked with it before they are looked for. In Z+ and W+
        its rows differ.
        """
        config, space = self.network.config, self.settings.space
        shape = latent_shape(config, space)
        made_up = np.broadcast_to(np.arange(shape[0])[:, None], shape) if len(shape) > 1 else 0
        latent = np.zeros((1, *shape), np.float32) + np.float32(made_up)
        arrays = inversion.latent_arrays(self.network, space, latent)
        if self.in_z:
            arrays["c"] = self.label
        return LatentBatch(arrays, ("",), np.zeros(1, np.uint32), self.psi)

    def run(self, report: Reporter = QUIET) -> LatentBatch:
        """Inverts them; maps of noise are forgotten.

        Raises:
          UserError: if not one inversion stays finite.
        """
        asked, settings = self.targets, self.settings
        setup.warn_passed(asked, report)
        with report.progress(len(asked) * settings.steps, "steps") as advance:
            inverted = inversion.invert(
                self.network,
                asked.images(),
                self.loss,
                settings,
                jax.random.key(self.seed),
                start=self.start,
                c=self.label,
                batch=min(self.batch, setup.batch_for(self.network.config, settings)),
                watch=setup.watcher(settings, advance),
            )
        good = inverted.finite
        kept = [target for target, fine in zip(asked.targets, good, strict=True) if fine]
        lost = [target.file for target, fine in zip(asked.targets, good, strict=True) if not fine]
        if not kept:
            raise UserError("not one inversion stayed finite; is the network damaged?")
        arrays = inversion.latent_arrays(self.network, settings.space, inverted.latent[good])
        if self.in_z:
            arrays["c"] = np.repeat(self.label, len(kept), axis=0)
        return LatentBatch(
            arrays,
            tuple(target.name for target in kept),
            np.flatnonzero(good).astype(np.uint32),
            self.psi,
            np.stack([target.pixels for target in kept]),
            asked.skipped | dict.fromkeys(lost, self.diverged),
            placements_of_targets(kept),
        )


# Latents at hand, or pictures that are still to be inverted.
Pending = LatentBatch | PendingInversion


def example_of(pending: Pending) -> LatentBatch:
    """Latents of the same space and truncation, for whatever can be checked beforehand."""
    return pending.template() if isinstance(pending, PendingInversion) else pending


def latents_of(pending: Pending, report: Reporter = QUIET) -> LatentBatch:
    """The latents, for which pictures are inverted now."""
    return pending.run(report) if isinstance(pending, PendingInversion) else pending
