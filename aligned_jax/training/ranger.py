"""Ranger, the optimiser of the published encoders, from optax's parts.

Rectified Adam (Liu et al. 2020) on centred gradients (Yong et al. 2020), with
Lookahead (Zhang et al. 2019).
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

from aligned_jax.training.encoder_options import EncoderOptions
from aligned_jax.training.optimizer import finite
from aligned_jax.types import Array, PyTree


class RangerState(NamedTuple):
    """Slow parameters, and optax's state, both by module."""

    slow: PyTree
    inner: dict[str, Any]


def init(options: EncoderOptions, params: PyTree) -> RangerState:
    """State for these parameters, a dictionary of modules."""
    ranger = _ranger(options)
    inner = {
        name: ranger.init(optax.LookaheadParams.init_synced(module))
        for name, module in params.items()
    }
    return RangerState(params, inner)


def take_step(
    options: EncoderOptions, gradients: PyTree, state: RangerState, params: PyTree
) -> tuple[PyTree, RangerState]:
    """Parameters and state after one step, non-finite gradients replaced.

    A module whose gradients are all zero is left alone with its state, as PyTorch
    leaves what takes no part in a loss: e4e's heads begin one after another, each
    with a warm-up of its own.
    """
    ranger, gradients = _ranger(options), finite(gradients)
    fast, slow, inner = {}, {}, {}
    for name, module in params.items():
        before = optax.LookaheadParams(fast=module, slow=state.slow[name]), state.inner[name]
        with jax.numpy_dtype_promotion("standard"):  # optax raises betas to an integer power
            updates, moments = ranger.update(gradients[name], before[1], before[0])
        after = optax.apply_updates(before[0], updates), moments
        takes_part = jnp.stack([jnp.any(g != 0) for g in jax.tree.leaves(gradients[name])]).any()
        pair, inner[name] = jax.tree.map(
            lambda new, old, chosen=takes_part: jnp.where(chosen, new, old), after, before
        )
        fast[name], slow[name] = pair.fast, pair.slow
    return fast, RangerState(slow, inner)


def _ranger(options: EncoderOptions) -> optax.GradientTransformation:
    fast = optax.chain(
        optax.stateless(lambda gradients, _: jax.tree.map(_centred, gradients)),
        optax.scale_by_radam(options.betas[0], options.betas[1], options.eps),
        optax.scale_by_learning_rate(options.learning_rate),
    )
    return optax.lookahead(fast, options.lookahead, options.slow_step)


def _centred(gradient: Array) -> Array:
    """A kernel's gradient without its mean over the inputs of each output, the last axis."""
    axes = tuple(range(gradient.ndim - 1))
    return gradient - gradient.mean(axis=axes, keepdims=True) if axes else gradient
