"""Everything that a run changes, in one pytree."""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from aligned_jax.config import DiscriminatorConfig, GeneratorConfig
from aligned_jax.networks import init_variables
from aligned_jax.training.optimizer import lazy_adam, split_frozen
from aligned_jax.training.options import GanOptions
from aligned_jax.types import Array, PyTree, Variables


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class TrainState:
    """Networks, optimisers, running means and counters; saved and restored as a whole.

    `G` and `G_ema` are {params, noise, stats}, `D` is {params}. `D_opt` covers
    the layers that are not frozen. `signs` is the sum of the signs of real
    logits and their number since the augmentation probability `augment_p` last
    moved. `key` holds the raw words of the run's PRNG key: every draw of an
    iteration is a function of `key`, `step` and the row of the global batch.
    """

    G: Variables
    D: Variables
    G_ema: Variables
    G_opt: PyTree
    D_opt: PyTree
    pl_mean: Array  # float32, running mean of path lengths
    augment_p: Array  # float32
    signs: Array  # float32 [2]
    step: Array  # int32, iterations done
    images_seen: Array  # int32, real images shown
    key: Array  # uint32 [2]


def create_state(
    generator: GeneratorConfig,
    discriminator: DiscriminatorConfig,
    options: GanOptions,
    seed: int = 0,
    networks: dict[str, Variables] | None = None,
    augment_p: float = 0.0,
) -> TrainState:
    """State at the start of a run, on the default device.

    Args:
      generator, discriminator: sizes.
      options: decide the shape of the optimisers' states.
      seed: of the networks and of every draw of the run.
      networks: variables to start from, by "G", "D", "G_ema"; a network that is
        absent starts untrained, G_ema as a copy of G.
      augment_p: starting probability of augmentation.
    """
    given = dict(networks or {})
    key = jax.random.key(seed, impl="threefry2x32")
    keys = jax.random.split(key, 3)
    g = given["G"] if "G" in given else init_variables(generator, keys[0])
    d = given["D"] if "D" in given else init_variables(discriminator, keys[1])
    trainable, _ = split_frozen(discriminator, d["params"])
    g_adam = lazy_adam(options.g_adam, options.g_reg_interval)
    d_adam = lazy_adam(options.d_adam, options.d_reg_interval)
    return TrainState(
        G=g,
        D=d,
        G_ema=given.get("G_ema", g),
        G_opt=g_adam.init(g["params"]),
        D_opt=d_adam.init(trainable),
        pl_mean=jnp.float32(0),
        augment_p=jnp.float32(augment_p),
        signs=jnp.zeros(2, jnp.float32),
        step=jnp.int32(0),
        images_seen=jnp.int32(0),
        key=jax.random.key_data(keys[2]),
    )


def parameter_counts(state: TrainState) -> dict[str, int]:
    """Trainable numbers of each network, by "G" and "D"."""

    def count(params: Any) -> int:
        return sum(int(np.prod(leaf.shape)) for leaf in jax.tree.leaves(params))

    return {"G": count(state.G["params"]), "D": count(state.D_opt[0].mu)}
