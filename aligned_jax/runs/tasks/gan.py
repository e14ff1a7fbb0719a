"""What the loop needs to know of the kind of networks that a run trains."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from aligned_jax.config import AnyConfig
from aligned_jax.networks.network import Network
from aligned_jax.runs import session
from aligned_jax.runs.config import RunConfig, TrainConfig
from aligned_jax.runs.encoder_run import EncoderRun
from aligned_jax.training import parallel
from aligned_jax.training.augmentation import hooks
from aligned_jax.training.gan_step import GanStep, phases
from aligned_jax.training.state import TrainState, create_state, parameter_counts
from aligned_jax.training.terms import Recipe
from aligned_jax.types import PyTree


@dataclass(frozen=True)
class Task:
    """A kind of training.

    Attributes:
      configs: of the networks of a checkpoint by key; the first is what is kept of
        older ones. Fields of the state have the same names.
      rest: the other fields of the state.
      state_type: of the state.
      create: the state at the start of a run, traced; given the networks it starts from.
      step: the compiled iteration, on devices (None is all).
      check: why another number of devices would compute another step; ConfigError if
        the step cannot be made.
      notices: what to bear in mind about a run, in sentences.
      intervals: of the parts of a step that not every iteration computes.
      counts: trainable numbers by network.
      facts: what the statistics say of a state.
      network: of a state, the one that is scored.
      scores: what `snapshots.metrics` asks for, given the dataset and devices
        (`loop.Metric`); UserError if something that they need is missing.
      advice: what usually helps a run that diverges.
    """

    configs: Callable[[Any], dict[str, AnyConfig]]
    rest: tuple[str, ...]
    state_type: type
    create: Callable[[Any, Any], PyTree]
    step: Callable[[Any, parallel.Devices | None], Any]
    check: Callable[[Any, parallel.Devices | None], list[str]]
    notices: Callable[[Any], list[str]]
    intervals: Callable[[Any], list[int]]
    counts: Callable[[Any], dict[str, int]]
    facts: Callable[[Any], dict[str, float]]
    network: Callable[[Any, Any], Any]
    scores: Callable[[Any, Any, parallel.Devices | None], Sequence[Any]]
    advice: str

    def expected(self, config: RunConfig) -> PyTree:
        """Shapes of the state."""
        return jax.eval_shape(lambda: self.create(config, None))


def task_of(config: RunConfig) -> Task:
    """The task of a run."""
    if isinstance(config, EncoderRun):
        from aligned_jax.runs.tasks import encoder as encoder_task

        return encoder_task.TASK
    return GAN


def fresh(config: RunConfig) -> PyTree:
    """The state at the start of a run, as host arrays."""
    return created(config, _sources(config))


def created(config: RunConfig, sources: Mapping[str, Any] | None) -> PyTree:
    """The state that starts from these variables; with None only its shapes count."""
    # One program; drawn array by array, hundreds would be compiled.
    create = jax.jit(lambda networks: task_of(config).create(config, networks))
    return jax.tree.map(np.asarray, create(sources))


def _sources(config: RunConfig) -> Mapping[str, Any] | None:
    """Variables that a run starts from."""
    if isinstance(config, EncoderRun):
        from aligned_jax.runs.tasks import encoder as encoder_task

        return encoder_task.sources(config)
    if config.start is None:
        return None
    from aligned_jax import loading
    from aligned_jax.training.start import starting_networks

    sizes = config.generator, config.discriminator
    source = loading.load_all(config.start)
    networks, report = starting_networks(source, *sizes, config.seed, config.partial)
    if session.is_first():
        print("\n".join(report.lines()))
    return networks


def recipe_of(config: TrainConfig) -> Recipe:
    """What the training step computes for this config."""
    size = config.generator.img_resolution
    shape = (size, size, config.generator.img_channels)
    augment, adapt = hooks(config.augment, config.ada, config.gan.batch_size, shape)
    return Recipe(config.generator, config.discriminator, config.gan, augment, adapt)


def _create(config: TrainConfig, networks: Mapping[str, Any] | None) -> TrainState:
    sizes = config.generator, config.discriminator, config.gan
    return create_state(*sizes, config.seed, networks, config.ada.p)


def _configs(config: TrainConfig) -> dict[str, AnyConfig]:
    return {"G_ema": config.generator, "G": config.generator, "D": config.discriminator}


def _step(config: TrainConfig, devices: parallel.Devices | None) -> GanStep:
    return GanStep(recipe_of(config), devices)


def _check(config: TrainConfig, devices: parallel.Devices | None) -> list[str]:
    return _step(config, devices).device_dependence


def _notices(config: TrainConfig) -> list[str]:
    return []


def _intervals(config: TrainConfig) -> list[int]:
    return [phase.interval for phase in phases(config.gan)]


def _facts(state: TrainState) -> dict[str, float]:
    return {"augment_p": float(state.augment_p), "pl_mean": float(state.pl_mean)}


def _network(config: TrainConfig, state: TrainState) -> Network:
    return Network(config.generator, jax.tree.map(jnp.asarray, state.G_ema))


def _scores(config: TrainConfig, dataset: Any, devices: parallel.Devices | None) -> Sequence[Any]:
    from aligned_jax.runs import scores

    return scores.scores_of(config, dataset, devices)


GAN = Task(
    configs=_configs,
    rest=("G_opt", "D_opt", "pl_mean", "augment_p", "signs", "step", "images_seen", "key"),
    state_type=TrainState,
    create=_create,
    step=_step,
    check=_check,
    notices=_notices,
    intervals=_intervals,
    counts=parameter_counts,
    facts=_facts,
    network=_network,
    scores=_scores,
    advice="a lower learning rate (gan.g_adam, gan.d_adam), a stronger R1 (gan.r1_gamma), or "
    "gan.half None, if that is float16, usually help",
)
