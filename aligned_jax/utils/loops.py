"""Compiled loops around convolutions."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from aligned_jax.types import PyTree


def slow() -> bool:
    """Whether gradients of convolutions are far slower inside a compiled loop than outside.

    So on CPUs, where XLA takes its fast routines for them only outside of loops,
    even of loops that it removes later because they have one round
    (https://github.com/jax-ml/jax/issues/12868). Measured at 64 pixels: 3 times for
    Gmain and 23 times for Dmain (batch 16 in two rounds), 4 times for a step of
    inversion with LPIPS-VGG.
    """
    return jax.default_backend() == "cpu"


def scan(
    body: Callable[[Any, Any], tuple[Any, Any]], carry: PyTree, xs: PyTree
) -> tuple[PyTree, PyTree]:
    """`lax.scan`, but written out round by round where loops are slow.

    Args:
      body: takes what is carried and one row of `xs`; returns both anew.
      carry: at first.
      xs: arrays [T, ...]; where loops are slow the program grows with T, which is
        at least 1.

    Returns:
      What is carried at the end, and the rows that `body` returned, [T, ...].
    """
    if not slow():
        return jax.lax.scan(body, carry, xs)
    leaves, tree = jax.tree.flatten(xs)
    rounds = []
    for row in zip(*leaves, strict=True):
        carry, said = body(carry, jax.tree.unflatten(tree, row))
        rounds.append(said)
    return carry, jax.tree.map(lambda *rows: jnp.stack(rows), *rounds)
