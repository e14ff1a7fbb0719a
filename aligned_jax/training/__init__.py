"""Training steps: options, one state, phases, devices."""

from aligned_jax.training import parallel
from aligned_jax.training.gan_step import GanStep, Phase, phases
from aligned_jax.training.options import AdamOptions, GanOptions
from aligned_jax.training.state import TrainState, create_state, parameter_counts
from aligned_jax.training.terms import Batch, Recipe

__all__ = [
    "AdamOptions",
    "Batch",
    "GanOptions",
    "GanStep",
    "Phase",
    "Recipe",
    "TrainState",
    "create_state",
    "parallel",
    "parameter_counts",
    "phases",
]
