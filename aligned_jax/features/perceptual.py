"""LPIPS (Zhang et al. 2018): distance of images in the layers of a frozen network."""

import flax.linen as nn
import jax.numpy as jnp

from aligned_jax.features.vgg import vgg_layers
from aligned_jax.networks.plain import Conv, channels, max_pool
from aligned_jax.types import Array

# Of images in [-1, 1]; ImageNet's means and deviations.
_SHIFT, _SCALE = (-0.030, -0.088, -0.188), (0.458, 0.448, 0.450)
_EPSILON = 1e-10
# Features, kernel, stride and padding; pools lie before the second and the third.
_ALEX = ((64, 11, 4, 2), (192, 5, 1, 2), (384, 3, 1, 1), (256, 3, 1, 1), (256, 3, 1, 1))


def alex_layers(x: Array) -> list[Array]:
    """The five maps of AlexNet's convolutions after ReLU; called inside a module."""
    maps = []
    for number, (features, kernel, stride, padding) in enumerate(_ALEX, 1):
        x = max_pool(x, 3, 2) if number in (2, 3) else x
        shape = (features, (kernel, kernel), stride, (padding, padding), True)
        x = nn.relu(Conv(*shape, name=f"conv{number}")(x))
        maps.append(x)
    return maps


class LpipsLayers(nn.Module):
    """Images [N, H, W, 3] in [-1, 1] to five maps whose squared differences add up to LPIPS.

    Each map has unit length over its channels and is scaled by the root of the
    learned weights over the number of its positions. Parameters: those of the
    network, and lin0 to lin4 [C].
    """

    net: str = "vgg"

    @nn.compact
    def __call__(self, images: Array) -> list[Array]:
        x = (images - channels(jnp.float32(_SHIFT), images)) / channels(jnp.float32(_SCALE), images)
        layers = vgg_layers if self.net == "vgg" else alex_layers
        maps = layers(x)
        weights = [
            self.param(f"lin{i}", nn.initializers.zeros, (y.shape[-1],)) for i, y in enumerate(maps)
        ]
        return [_weighted(y, weight) for y, weight in zip(maps, weights, strict=True)]


def _weighted(x: Array, weight: Array) -> Array:
    """Unit length over channels at each position, then the root of the weights."""
    squares = jnp.square(x).sum(axis=-1, keepdims=True)
    # Where all channels are zero the root has no slope, and x / 1 is zero as well.
    length = jnp.sqrt(jnp.where(squares > 0, squares, jnp.float32(1)))
    scale = jnp.sqrt(weight / (x.shape[1] * x.shape[2]))
    return x / (length + jnp.float32(_EPSILON)) * channels(scale, x)


def layer_distances(a: list[Array], b: list[Array]) -> Array:
    """The five terms of the distance of maps a and b: [N, 5]."""
    return jnp.stack(
        [jnp.square(x - y).sum(axis=(1, 2, 3)) for x, y in zip(a, b, strict=True)], axis=-1
    )
