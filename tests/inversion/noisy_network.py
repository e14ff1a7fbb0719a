"""A small network for inversions."""

import functools

import jax

from aligned_jax import loading
from tests.helpers import DATA


@functools.cache
def network():
    """8 px, with noise that matters."""
    loaded = loading.load(DATA / "hostile_baseline_ok.pkl")

    def move(path, leaf):
        return leaf + 0.3 if "noise_strength" in jax.tree_util.keystr(path) else leaf

    return jax.tree_util.tree_map_with_path(move, loaded)
