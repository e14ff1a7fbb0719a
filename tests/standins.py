"""Small feature networks in place of the real ones, whose weights nobody has to fetch."""

import dataclasses
import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np


@functools.partial(
    jax.tree_util.register_dataclass, data_fields=["variables"], meta_fields=["name", "sha256"]
)
@dataclasses.dataclass(frozen=True, eq=False)
class Projection:
    """Random projections of means over pixels of 2x2; answers as `features.Extractor`."""

    name: str
    variables: Any
    sha256: str = "stand-in"

    def __call__(self, images):
        size = 2 * (images.shape[1] // 2)
        pixels = images[:, :size:2, :size:2].mean(axis=3) / 255
        pixels = pixels[:, :4, :4].reshape(len(images), -1)
        features = jnp.tanh(pixels @ self.variables["kernel"])
        fc = self.variables["params"]["fc"]
        return {"features": features, "logits": features @ fc["weight"] + fc["bias"][None]}


@functools.partial(
    jax.tree_util.register_dataclass, data_fields=["variables"], meta_fields=["name", "sha256"]
)
@dataclasses.dataclass(frozen=True, eq=False)
class Squares:
    """Mean squared difference of images in [-1, 1]; answers as `features.Lpips`."""

    name: str = "lpips_vgg"
    variables: Any = 1.0
    sha256: str = "stand-in"

    def __call__(self, a, b):
        assert a.shape[3] == b.shape[3] == 3
        return self.variables * jnp.mean((a - b) ** 2, axis=(1, 2, 3))


def projection(name="vgg16", width=6, seed=0):
    """A stand-in with its own random weights, for images of 8 pixels or more."""
    random = np.random.RandomState(seed)
    draw = lambda *shape: random.standard_normal(shape).astype(np.float32)  # noqa: E731
    fc = {"weight": draw(width, 5), "bias": draw(5)}
    return Projection(name, {"kernel": draw(16, width), "params": {"fc": fc}})


def networks():
    """Stand-ins for all that `evaluation` may ask for."""
    found = {name: projection(name, seed=i) for i, name in enumerate(("inception", "vgg16"))}
    return found | {"vgg16_fc2": projection("vgg16_fc2", seed=2), "lpips_vgg": Squares()}


@functools.partial(
    jax.tree_util.register_dataclass, data_fields=["variables"], meta_fields=["name", "sha256"]
)
@dataclasses.dataclass(frozen=True, eq=False)
class Nearness(Squares):
    """`Squares` that an inversion can make small."""

    def embed(self, images):
        return images * jnp.sqrt(self.variables / float(np.prod(images.shape[1:])))
