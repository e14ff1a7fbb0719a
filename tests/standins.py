"""Small feature networks in place of the real ones, whose weights nobody has to fetch."""

import dataclasses
import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from aligned_jax import features


@functools.partial(
    jax.tree_util.register_dataclass,
    data_fields=["variables"],
    meta_fields=["name", "sha256", "options"],
)
@dataclasses.dataclass(frozen=True, eq=False)
class Projection:
    """Random projections of every other pixel; answers as `features.Extractor`.

    The option `half_pixel` takes the pixels between.
    """

    name: str
    variables: Any
    sha256: str = "stand-in"
    options: tuple = ()

    def __call__(self, images):
        size, first = 2 * (images.shape[1] // 2), int(dict(self.options).get("half_pixel", False))
        pixels = images[:, first:size:2, first:size:2].mean(axis=3) / 255
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
        return self.variables * jnp.mean((a - b) ** 2, axis=(1, 2, 3))


def projection(name="vgg16", width=6, seed=0):
    """A stand-in with its own random weights, for images of 8 pixels or more."""
    random = np.random.RandomState(seed)
    draw = lambda *shape: random.standard_normal(shape).astype(np.float32)  # noqa: E731
    fc = {"weight": draw(width, 5), "bias": draw(5)}
    return Projection(name, {"kernel": draw(16, width), "params": {"fc": fc}})


# Every network has numbers of its own, so that none can take another's place unnoticed.
_SEEDS = {"inception": 0, "vgg16": 1, "vgg16_fc2": 2}
_OPTIONS = {"inception": {"half_pixel": False}}


def load(name, **options):
    """In place of `features.load`; refuses options that the network does not have."""
    known = _OPTIONS.get(name, {})
    assert options.keys() <= known.keys(), f"{name} has no option {', '.join(options)}"
    settled = tuple(sorted((known | options).items()))
    return dataclasses.replace(projection(name, seed=_SEEDS[name]), options=settled)


def lpips(net="vgg"):
    """In place of `features.lpips`."""
    return Squares(f"lpips_{net}", {"vgg": 1.0, "alex": 2.0}[net])


def networks():
    """Stand-ins for all that `evaluation` may ask for."""
    return {name: load(name) for name in _SEEDS} | {"lpips_vgg": lpips()}


def replace(monkeypatch):
    """Lets `features` load stand-ins, whoever asks."""
    monkeypatch.setattr(features, "load", load)
    monkeypatch.setattr(features, "lpips", lpips)


@functools.partial(
    jax.tree_util.register_dataclass, data_fields=["variables"], meta_fields=["name", "sha256"]
)
@dataclasses.dataclass(frozen=True, eq=False)
class Nearness(Squares):
    """`Squares` that an inversion can make small."""

    def embed(self, images):
        return images * jnp.sqrt(self.variables / float(np.prod(images.shape[1:])))
