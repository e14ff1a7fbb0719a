"""A cache folder of its own for each test, and a tiny network in the place of a large one."""

import dataclasses

import flax.linen as nn
import numpy as np
import pytest

from aligned_jax.features import networks
from aligned_jax.networks.plain import BatchNorm, Conv, Linear


class Tiny(nn.Module):
    """Stands for ArcFace: a convolution, a normalisation and a dense layer."""

    @nn.compact
    def __call__(self, images):
        x = BatchNorm(name="body.0")(Conv(4, (3, 1), name="body.1")(images))
        return {"features": Linear(5, name="fc")(x.mean(axis=(1, 2)))}


@pytest.fixture
def cache_folder(tmp_path, monkeypatch):
    """The folder where weights are kept; it does not exist yet."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "aligned_jax" / "features"


@pytest.fixture
def tiny(monkeypatch, cache_folder):
    """A state dictionary for `Tiny`, which takes the name arcface."""
    entry = dataclasses.replace(networks.NETWORKS["arcface"], module=Tiny)
    monkeypatch.setitem(networks.NETWORKS, "arcface", entry)
    networks.paths_and_shapes.cache_clear()
    random = np.random.default_rng(0)
    state = {
        name: random.uniform(0.5, 1.5, networks.torch_shape(shape)).astype(np.float32)
        for name, shape in networks.shapes("arcface").items()
    }
    yield state
    networks.paths_and_shapes.cache_clear()
