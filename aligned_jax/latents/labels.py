"""Labels of conditional networks: classes as vectors, and what is said where they do not fit."""

from collections.abc import Iterable

import numpy as np

from aligned_jax.config import GeneratorConfig
from aligned_jax.errors import UserError
from aligned_jax.utils.text import listed


def one_hot_labels(config: GeneratorConfig, classes: Iterable[int]) -> np.ndarray:
    """Label vectors, float32 [N, c_dim].

    Raises:
      UserError: if the network has no labels, or naming the classes outside 0..c_dim - 1.
    """
    classes = list(classes)
    if config.c_dim == 0:
        raise labels_unwanted()
    bad = sorted({c for c in classes if not 0 <= c < config.c_dim})
    if bad:
        raise UserError(
            f"no such class: [{listed(map(str, bad))}]; this network knows 0 to {config.c_dim - 1}"
        )
    return np.eye(config.c_dim, dtype=np.float32)[classes]


def labels_for(config: GeneratorConfig, label: int | None, count: int = 1) -> np.ndarray:
    """One class as labels of `count` latents, float32 [count, c_dim]; [count, 0] without labels.

    Raises:
      UserError: if a conditional network is not given a class, or another one is.
    """
    if label is not None:
        return one_hot_labels(config, [label] * count)
    if config.c_dim:
        raise labels_missing(config.c_dim, count)
    return np.zeros((count, 0), np.float32)


def labels_missing(c_dim: int, count: int | str = "N") -> UserError:
    """What to raise where a conditional network was not given the labels that it needs.

    Args:
      c_dim: number of its classes.
      count: how many labels are needed.
    """
    return UserError(
        f"this network is conditional; give labels c of shape [{count}, {c_dim}], "
        f"or choose a class with `label`, from 0 to {c_dim - 1}"
    )


def labels_unwanted() -> UserError:
    """What to raise where a network without labels was given some."""
    return UserError("labels were given, but this network is unconditional; leave them out")
