"""The smallest networks that have every kind of layer, and batches for them."""

import dataclasses

import jax
import numpy as np

from aligned_jax.config import (
    DiscriminatorConfig,
    EpilogueConfig,
    GeneratorConfig,
    MappingConfig,
    SynthesisConfig,
)
from aligned_jax.training.options import AdamOptions, GanOptions
from aligned_jax.training.state import create_state
from aligned_jax.training.terms import Recipe

GENERATOR = GeneratorConfig(
    8,
    z_dim=5,
    w_dim=6,
    mapping=MappingConfig(num_layers=1),
    synthesis=SynthesisConfig(channels=(5, 4)),
)
DISCRIMINATOR = DiscriminatorConfig(
    8,
    channels=(5, 4),
    mapping=MappingConfig(num_layers=1, w_avg_beta=None),
    epilogue=EpilogueConfig(mbstd_group_size=2),
)
# A large epsilon makes a step of Adam proportional to small gradients, where its usual
# sign-like step would turn rounding into full steps.
SMOOTH = AdamOptions(eps=1e-2)


def recipe(g=None, d=None, augment=None, adapt=None, **options):
    """Recipe of the tiny networks with some fields and options replaced."""
    settings = {"batch_size": 4, "g_adam": SMOOTH, "d_adam": SMOOTH} | options
    return Recipe(
        dataclasses.replace(GENERATOR, **(g or {})),
        dataclasses.replace(DISCRIMINATOR, **(d or {})),
        GanOptions(**settings),
        augment=augment,
        adapt=adapt,
    )


def images(count, seed=0):
    return np.random.RandomState(seed).randint(0, 256, (count, 8, 8, 3)).astype(np.uint8)


def noisy(state):
    """The state with noise strengths and biases moved off zero, so that they matter."""

    def move(path, leaf):
        name = jax.tree_util.keystr(path)
        return leaf + 0.3 if "noise_strength" in name or "bias" in name else leaf

    moved = {
        name: jax.tree_util.tree_map_with_path(move, getattr(state, name)) for name in ("G", "D")
    }
    return dataclasses.replace(state, **moved)


def start(chosen, seed=0, **kwargs):
    """A host state whose parameters all matter."""
    state = create_state(
        chosen.generator, chosen.discriminator, chosen.options, seed=seed, **kwargs
    )
    return noisy(state)
