"""The smallest generator and encoders that have everything, and stand-ins for loss networks."""

import dataclasses

import jax

from aligned_jax.config import EncoderConfig, GeneratorConfig, MappingConfig, SynthesisConfig
from aligned_jax.networks import init_variables
from aligned_jax.training.encoder_options import EncoderOptions
from aligned_jax.training.encoder_state import EncoderRecipe, Frozen
from tests import standins

GENERATOR = GeneratorConfig(
    32,
    z_dim=5,
    w_dim=6,
    mapping=MappingConfig(num_layers=1),
    synthesis=SynthesisConfig(channels=(5, 4, 4, 3)),
)
E4E = EncoderConfig(32, "w+", 8, 6, deltas=True, stages=((4, 1), (5, 1), (6, 1), (7, 1)))
PLAIN = {"lpips": 0.0, "identity": 0.0, "adversarial": 0.0, "delta_norm": 0.0}


def recipe(encoder=None, **options):
    """Recipe of the tiny networks with some fields and options replaced."""
    sizes = dataclasses.replace(E4E, **(encoder or {}))
    return EncoderRecipe(GENERATOR, sizes, EncoderOptions(**options))


def generator(seed=5):
    """Variables whose noise, biases and mean of w are not zero."""
    variables = init_variables(GENERATOR, jax.random.key(seed))

    def move(path, leaf):
        name = jax.tree_util.keystr(path)
        return leaf + 0.3 if any(n in name for n in ("strength", "bias", "w_avg")) else leaf

    return jax.tree_util.tree_map_with_path(move, variables)


def frozen(variables):
    """Everything that losses may need."""
    return Frozen(variables, standins.Squares(), standins.projection())
