"""Everything that the training of an encoder changes, in one pytree."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import optax

from aligned_jax.config import EncoderConfig, GeneratorConfig
from aligned_jax.errors import ConfigError
from aligned_jax.networks import init_variables
from aligned_jax.networks.encoder_network import misfits
from aligned_jax.training import ranger
from aligned_jax.training.encoder_options import EncoderOptions, idle
from aligned_jax.training.latent_critic import Pool, empty_pool, init_critic
from aligned_jax.types import Array, PyTree, Variables


@dataclass(frozen=True)
class EncoderRecipe:
    """Sizes and options of a run.

    Raises:
      ConfigError: naming everything in which the encoder does not fit the
        generator, and every option that nothing in the run would heed.
    """

    generator: GeneratorConfig
    encoder: EncoderConfig
    options: EncoderOptions

    def __post_init__(self) -> None:
        g, e, options = self.generator, self.encoder, self.options
        wrong = misfits(e, g)
        if e.img_resolution > g.img_resolution:
            wrong.append(
                f"img_resolution {e.img_resolution} in the encoder, {g.img_resolution} in the "
                "generator"
            )
        if e.space.startswith("w") and g.mapping.w_avg_beta is None:
            wrong.append("the generator keeps no mean of w, from which the encoder counts")
        wrong += idle(g, e, options)
        if wrong:
            raise ConfigError(f"the encoder cannot be trained: {'; '.join(wrong)}")


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class EncoderState:
    """Encoder, latent discriminator, optimisers and pools; saved and restored as a whole.

    `E` is {params, stats}, `D` is {params}, or empty without the adversarial loss.
    `key` holds the raw words of the run's PRNG key.
    """

    E: Variables
    E_opt: ranger.RangerState
    D: Variables
    D_opt: PyTree
    real_pool: Pool
    fake_pool: Pool
    step: Array  # int32, iterations done
    images_seen: Array  # int32, real images shown
    key: Array  # uint32 [2]


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Frozen:
    """What training reads and never changes; networks that no loss needs may be None.

    `lpips` is a distance such as `features.lpips("alex")`, of images in [-1, 1];
    `arcface` gives features of length one of images in [0, 255].
    """

    G: Variables
    lpips: Any = None
    arcface: Any = None


def critic_adam(options: EncoderOptions) -> optax.GradientTransformation:
    """The optimiser of the latent discriminator."""
    return optax.adam(options.d_learning_rate)


def create_encoder_state(
    recipe: EncoderRecipe,
    generator: Variables,
    seed: int = 0,
    encoder: Variables | None = None,
) -> EncoderState:
    """State at the start of a run, on the default device.

    Args:
      recipe: sizes and options.
      generator: variables, whose mean of w is where w is counted from.
      seed: of the networks and of every draw of the run.
      encoder: variables to start from; by default untrained ones.
    """
    key = jax.random.key(seed, impl="threefry2x32")
    keys = jax.random.split(key, 3)
    config, options = recipe.encoder, recipe.options
    e = init_variables(config, keys[0]) if encoder is None else encoder
    if config.space.startswith("w"):
        mean = jnp.asarray(generator["stats"]["mapping"]["w_avg"])
        mean = jnp.broadcast_to(mean[(None,) * config.has_rows], config.latent_shape)
        e = {**e, "stats": {**e["stats"], "latent_avg": mean}}
    d: Variables = {}
    d_opt: PyTree = {}
    size = 0
    if options.adversarial:
        d, size = init_critic(config.latent_dim, keys[1]), options.pool_size
        d_opt = critic_adam(options).init(d["params"])
    return EncoderState(
        E=e,
        E_opt=ranger.init(options, e["params"]),
        D=d,
        D_opt=d_opt,
        real_pool=empty_pool(size, config.latent_dim),
        fake_pool=empty_pool(size, config.latent_dim),
        step=jnp.int32(0),
        images_seen=jnp.int32(0),
        key=jax.random.key_data(keys[2]),
    )


def with_backbone(encoder: Variables, arcface: Mapping[str, Any]) -> Variables:
    """The encoder with ArcFace's layers where it has the same ones (pSp, section 3.1).

    Args:
      encoder: variables of an encoder.
      arcface: variables of the frozen network of that name.

    Raises:
      ConfigError: if the backbone is another one than IR-SE50.
    """
    mine = {name for name in encoder["params"] if name.startswith(("input_layer", "body"))}
    theirs = {name for name in arcface["params"] if not name.startswith("output_layer")}
    merged = {
        kind: {name: arcface[kind].get(name, value) if name in mine else value for name, value in x}
        for kind, x in ((kind, encoder[kind].items()) for kind in ("params", "stats"))
    }
    shapes = [jax.tree.map(jnp.shape, tree) for tree in (encoder, merged)]
    if mine != theirs or shapes[0] != shapes[1]:
        raise ConfigError("ArcFace is IR-SE50, but the encoder has another backbone")
    return merged
