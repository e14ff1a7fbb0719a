"""What the convolutions of a network put out on the way to a picture, as numbers and as colours."""

import functools
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from aligned_jax.config import GeneratorConfig
from aligned_jax.errors import UserError
from aligned_jax.latents import style_layer, style_layers
from aligned_jax.latents.style_space import StyleLayer
from aligned_jax.networks.layout import PLAIN
from aligned_jax.networks.network import Network, apply
from aligned_jax.networks.synthesis import SynthesisLayer
from aligned_jax.rendering.draw import Noise
from aligned_jax.types import AnyStyles, Array, Styles
from aligned_jax.utils.text import listed

# Deviations of a component from black to its mean, and from there to full colour.
_RANGE = 2.5


def convolution(config: GeneratorConfig, name: str) -> StyleLayer:
    """The convolution of a name such as "b32.conv1" or "b32/conv1".

    Raises:
      UserError: for a layer that is none, naming all convolutions, or that is no convolution.
    """
    name = name.replace("/", ".")
    if name not in {layer.name for layer in style_layers(config)}:
        names = [layer.name for layer in style_layers(config) if layer.kind == "conv"]
        raise UserError(f"there is no layer {name:.40}; convolutions are {listed(names, 40)}")
    found = style_layer(config, name)
    if found.kind != "conv":
        raise UserError(f"{name} is no convolution; its output is a part of the picture")
    return found


def activations(
    network: Network, styles: AnyStyles, layer: str, noise: Noise = "const"
) -> np.ndarray:
    """What a convolution puts out, after noise, bias and activation: float32 [N, R, R, C].

    Args:
      network: that draws.
      styles: {layer: [N, C]}.
      layer: such as "b16.conv1".
      noise: "const", "none", or fields by layer.

    Raises:
      UserError: as `convolution`.
    """
    name = convolution(network.config, layer).name
    arrays = {key: jnp.asarray(value, jnp.float32) for key, value in styles.items()}
    return np.asarray(_activations(network, arrays, *noise_apart(noise), name), np.float32)


@dataclass(frozen=True, eq=False)
class ActivationColours:
    """Three principal components of a layer's channels, as red, green and blue.

    Attributes:
      mean: of the channels, float64 [C].
      axes: unit vectors, the component that varies most first, [C, 3]; of layers with fewer
        channels the last are zero. The largest entry of each is positive.
      deviations: of the components, [3].
    """

    mean: np.ndarray
    axes: np.ndarray
    deviations: np.ndarray

    @classmethod
    def of(cls, examples: Iterable[np.ndarray]) -> "ActivationColours":
        """The components of all pixels of some activations [N, R, R, C], one batch at a time."""
        count, total, products = 0, np.zeros(1), np.zeros((1, 1))
        for batch in examples:
            pixels = batch.reshape(-1, batch.shape[-1]).astype(np.float64)
            count += len(pixels)
            total = total + pixels.sum(axis=0)
            products = products + pixels.T @ pixels
        mean = total / max(count, 1)
        values, vectors = np.linalg.eigh(products / max(count, 1) - np.outer(mean, mean))
        axes, variances = np.zeros((len(mean), 3)), np.zeros(3)
        most = min(3, len(mean))
        axes[:, :most] = vectors[:, ::-1][:, :most]
        variances[:most] = np.maximum(values[::-1][:most], 0)
        largest = axes[np.abs(axes).argmax(axis=0), np.arange(3)]
        return cls(mean, axes * np.where(largest < 0, -1, 1), np.sqrt(variances))

    def __call__(self, maps: np.ndarray) -> np.ndarray:
        """Pictures float32 [N, R, R, 3] in [-1, 1] of activations [N, R, R, C].

        The mean is grey; 2.5 deviations more of a component are all of its colour, 2.5 less none.
        """
        scores = (maps.astype(np.float64) - self.mean) @ self.axes
        shown = scores / (_RANGE * np.maximum(self.deviations, 1e-12))
        return np.clip(shown, -1, 1).astype(np.float32)


def noise_apart(noise: Noise) -> tuple[dict[str, Array] | None, str]:
    """Fields and mode, as compiled programs take them."""
    if isinstance(noise, str):
        return None, noise
    return {name: jnp.asarray(field) for name, field in noise.items()}, "fields"


@functools.partial(jax.jit, static_argnames=("mode", "layer"))
def _activations(
    network: Network, styles: Styles, fields: dict[str, Array] | None, mode: str, layer: str
) -> Array:
    block, part = layer.split(".")

    def wanted(module: Any, name: str) -> bool:
        return isinstance(module, SynthesisLayer)

    _, kept = apply(
        network,
        styles,
        mode if fields is None else fields,
        method="render",
        layout=PLAIN,  # a layer's output as it is written
        capture_intermediates=wanted,
        mutable=["intermediates"],
    )
    found: Array = kept["intermediates"]["synthesis"][block][part]["__call__"][0]
    return found
