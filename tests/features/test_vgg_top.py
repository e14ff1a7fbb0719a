"""The dense layers of VGG-16, whose features precision and recall are measured with."""

import flax.linen as nn
import jax.numpy as jnp
import numpy as np
import pytest

from aligned_jax import features
from aligned_jax.features import networks
from aligned_jax.features.vgg import vgg_layers
from tests.features import weights_by_rule as by_rule
from tests.helpers import relative_error

pytestmark = pytest.mark.optimised

_RANK = 3


class LastMap(nn.Module):
    """relu5_3 of prepared images."""

    @nn.compact
    def __call__(self, x):
        return vgg_layers(x)[-1]


def convolutions():
    """Weights of the convolutions by our names, made by rule."""
    shapes = {
        name: networks.torch_shape(shape)
        for name, shape in networks.shapes("vgg16_fc2").items()
        if name.startswith("conv")
    }
    return {name: networks.from_torch(v) for name, v in by_rule.made(shapes).items()}


def factors(name, inputs):
    """left [inputs, rank] and right [rank, 4096], whose product is a dense layer's weight."""
    left = by_rule.uniform(f"{name}.left", (inputs, _RANK)) / np.sqrt(inputs)
    return left.astype(np.float32), by_rule.uniform(name, (_RANK, 4096)).astype(np.float32)


def resized(image, size):
    """[H, W, C] to [size, size, C]: bilinear, source position i * old / new, pixel by pixel."""
    for axis in (0, 1):
        image = np.moveaxis(image, axis, 0)
        places = np.arange(size) * (len(image) / size)
        low = places.astype(int)
        high, rest = np.minimum(low + 1, len(image) - 1), (places - low)[:, None, None]
        image = np.moveaxis(image[low] * (1 - rest) + image[high] * rest, 0, axis)
    return image


@pytest.mark.slow
def test_the_dense_layers_in_numpy():
    """From the last map on, and before the first, by the definition."""
    arrays, dense = convolutions(), {}
    for name, inputs in (("fc1", 512 * 7 * 7), ("fc2", 4096)):
        bias = by_rule.uniform(f"{name}.bias", (4096,)).astype(np.float32) / 10
        dense[name] = *factors(name, inputs), bias
        arrays[f"{name}.weight"] = jnp.matmul(*dense[name][:2], precision="highest")
        arrays[f"{name}.bias"] = bias
    variables = networks.tree("vgg16_fc2", arrays)
    image = np.random.default_rng(0).uniform(0, 255, (40, 56, 3)).astype(np.float32)
    extractor = features.Extractor("vgg16_fc2", variables, "")
    extracted = np.asarray(extractor(jnp.asarray(image[None]))["features"])

    prepared = (resized(image, 224) / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    only = {k: v for k, v in variables["params"].items() if k.startswith("conv")}
    last = LastMap().apply({"params": only}, jnp.asarray(prepared[None], jnp.float32))
    x = np.asarray(last, np.float64).reshape(7, 2, 7, 2, 512).max(axis=(1, 3))
    x = np.moveaxis(x, -1, 0).ravel()  # C, H, W
    for left, right, bias in dense.values():
        x = x @ left @ right + bias
        assert 0.1 < (x < 0).mean() < 0.9
        x = np.maximum(x, 0)
    assert extracted.shape == (1, 4096)
    assert relative_error(extracted[0], x) < 1e-5
