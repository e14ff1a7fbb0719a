"""Generators as a task of the loop: a generator, its average, and a discriminator."""

import functools
from collections.abc import Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from aligned_jax.augment import notices
from aligned_jax.config import AnyConfig
from aligned_jax.data.dataset import Dataset
from aligned_jax.latents import z_from_seeds
from aligned_jax.networks.network import Network
from aligned_jax.runs.config import TrainConfig
from aligned_jax.runs.tasks.base import SnapshotScore, Start, Task, check_finite
from aligned_jax.training import room
from aligned_jax.training.augmentation import hooks
from aligned_jax.training.gan_step import GanStep, phases
from aligned_jax.training.parallel import Devices
from aligned_jax.training.state import TrainState, create_state, parameter_counts
from aligned_jax.training.terms import Recipe
from aligned_jax.utils.blocks import blocks

_AT_A_TIME = 8


class GanTask(Task[TrainConfig]):
    """Trains a generator and its discriminator."""

    rest = ("G_opt", "D_opt", "pl_mean", "augment_p", "signs", "step", "images_seen", "key")
    state_type = TrainState
    advice = (
        "a lower learning rate (gan.g_adam, gan.d_adam), a stronger R1 (gan.r1_gamma), or "
        "gan.half None, if that is float16, usually help"
    )
    whose = "averaged generator"

    def configs(self) -> dict[str, AnyConfig]:
        """See `Task`."""
        generator = self.config.generator
        return {"G_ema": generator, "G": generator, "D": self.config.discriminator}

    def start(self) -> Start:
        """See `Task`."""
        config = self.config
        if config.start is None:
            return Start(lines=[f"drawn anew, from seed {config.seed}: G_ema, G, D"])
        from aligned_jax import loading
        from aligned_jax.training.start import starting_networks

        source = loading.load_all(config.start)  # what does not belong there is told below
        sizes = config.generator, config.discriminator
        networks, report = starting_networks(source, *sizes, config.seed, config.partial)
        check_finite(config.start, networks)
        return Start(networks, report.lines())

    def create(self, sources: Mapping[str, Any] | None) -> TrainState:
        """See `Task`."""
        config = self.config
        sizes = config.generator, config.discriminator, config.gan
        networks = None if sources is None else dict(sources)
        return create_state(*sizes, config.seed, networks, config.ada.p)

    def recipe(self) -> Recipe:
        """What the training step computes."""
        config = self.config
        shape = self._image_shape()
        augment, adapt = hooks(config.augment, config.ada, config.gan.batch_size, shape)
        return Recipe(config.generator, config.discriminator, config.gan, augment, adapt)

    def _image_shape(self) -> tuple[int, int, int]:
        size = self.config.generator.img_resolution
        return size, size, self.config.generator.img_channels

    def step(self, devices: Devices | None) -> GanStep:
        """See `Task`."""
        return GanStep(self.recipe(), devices)

    def notices(self) -> list[str]:
        """See `Task`."""
        config, count = self.config, jax.device_count()
        gathering = []
        if config.ada.mode != "none":
            rows = config.gan.batch_size // (count * config.gan.rounds)
            gathering = notices(config.augment, self._image_shape(), max(rows, 1))
        return gathering + room.notice(config.discriminator, config.gan, count, bool(gathering))

    def intervals(self) -> list[int]:
        """See `Task`."""
        return [phase.interval for phase in phases(self.config.gan)]

    def counts(self, state: TrainState) -> dict[str, int]:
        """See `Task`."""
        return parameter_counts(state)

    def facts(self, state: TrainState) -> dict[str, float]:
        """See `Task`."""
        return {"augment_p": float(state.augment_p), "pl_mean": float(state.pl_mean)}

    def network(self, state: TrainState) -> Network:
        """See `Task`: the averaged generator."""
        return Network(self.config.generator, jax.tree.map(jnp.asarray, state.G_ema))

    def scores(self, dataset: Dataset, devices: Devices | None) -> Sequence[SnapshotScore]:
        """See `Task`."""
        from aligned_jax.runs import generator_scores

        return generator_scores.scores_of(self.config, dataset, devices)

    @functools.cached_property
    def _z(self) -> np.ndarray:
        """The latents of all pictures: the seeds 0, 1, ... of the official scripts."""
        return z_from_seeds(self.config.generator, range(self.config.snapshots.images))

    def pictures(self, state: TrainState, reals: np.ndarray, labels: np.ndarray) -> np.ndarray:
        """See `Task`: the same latents every time, untruncated, with the stored noise."""
        network, parts = Network(self.config.generator, state.G_ema), []
        for rows, kept in blocks(len(self._z), _AT_A_TIME):
            c = labels[rows] if network.config.c_dim else None
            parts.append(np.asarray(network(self._z[rows], c))[:kept])
        return np.concatenate(parts)

    def picture_count(self, reals: int) -> int:
        """See `Task`: those of all latents."""
        return self.config.snapshots.images

    def belonging(self) -> dict[str, Any]:
        """See `Task`."""
        return {}
