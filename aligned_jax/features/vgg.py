"""VGG-16 (Simonyan and Zisserman 2015): pooled features, and the layers LPIPS compares."""

import flax.linen as nn
import jax.numpy as jnp

from aligned_jax.networks.plain import Conv, Linear, channels, flat_chw, max_pool
from aligned_jax.ops import resize
from aligned_jax.types import Array

BLOCKS = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))
LARGEST = 256
_SIZE = 224
_MEAN, _DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def vgg_layers(x: Array) -> list[Array]:
    """The five maps before each pool: [N, H / 2^i, W / 2^i, C]; called inside a module."""
    maps: list[Array] = []
    number = 0
    for block in BLOCKS:
        x = max_pool(x, 2, 2) if maps else x
        for features in block:
            number += 1
            x = nn.relu(Conv(features, (3, 3), 1, (1, 1), True, name=f"conv{number}")(x))
        maps.append(x)
    return maps


def normalised(images: Array) -> Array:
    """[0, 255] to zero mean and unit deviation over ImageNet."""
    mean, deviation = (channels(jnp.float32(v), images) for v in (_MEAN, _DEVIATION))
    return (images * jnp.float32(1 / 255) - mean) / deviation


class VGG16(nn.Module):
    """Images [N, H, W, 3] in [0, 255] to features [N, 512]: means of relu5_3 over positions.

    Images keep their size, above 256 pixels they are reduced to 256 by area:
    compare numbers of one size only. Needs no fully connected layers.
    """

    @nn.compact
    def __call__(self, images: Array) -> dict[str, Array]:
        if max(images.shape[1:3]) > LARGEST:
            images = resize.area(images, LARGEST)
        return {"features": vgg_layers(normalised(images))[-1].mean(axis=(1, 2))}


class VGG16Top(nn.Module):
    """Images [N, H, W, 3] in [0, 255] to features [N, 4096]: the second dense layer's ReLU.

    The layer of precision and recall (Kynkäänniemi et al. 2019), after a
    bilinear resize to 224 anchored at the top left corner. The dense layers
    take the last map in the order C, H, W.
    """

    @nn.compact
    def __call__(self, images: Array) -> dict[str, Array]:
        x = vgg_layers(normalised(resize.anchored(images, _SIZE)))[-1]
        x = flat_chw(max_pool(x, 2, 2))  # [N, 512 * 7 * 7]
        x = nn.relu(Linear(4096, name="fc1")(x))
        return {"features": nn.relu(Linear(4096, name="fc2")(x))}
