"""ArcFace's IR-SE50 (Deng et al. 2019), which measures whether two faces are one person's.

The face network of the encoders' identity loss: residual units with
squeeze-and-excitation, images aligned as FFHQ.
"""

import flax.linen as nn
import jax.numpy as jnp

from aligned_jax.features import resize
from aligned_jax.features.layers import BatchNorm, Conv, Dense, PReLU, flat_chw, max_pool
from aligned_jax.types import Array

UNITS = ((64, 3), (128, 4), (256, 14), (512, 3))  # channels and number of units of a stage
_ALIGNED, _SIZE = 256, 112
_TOP, _BOTTOM, _LEFT, _RIGHT = 35, 223, 32, 220  # the face in an aligned image of 256 pixels
_REDUCTION = 16


class Excitation(nn.Module):
    """Scales channels by what the whole map says of them."""

    @nn.compact
    def __call__(self, x: Array) -> Array:
        y = x.mean(axis=(1, 2), keepdims=True)
        y = nn.relu(Conv(x.shape[-1] // _REDUCTION, (1, 1), name="fc1")(y))
        return x * nn.sigmoid(Conv(x.shape[-1], (1, 1), name="fc2")(y))


class Unit(nn.Module):
    """Residual unit; its second convolution has the stride."""

    features: int
    stride: int

    @nn.compact
    def __call__(self, x: Array) -> Array:
        if x.shape[-1] == self.features:
            skip = max_pool(x, 1, self.stride)
        else:
            skip = Conv(self.features, (1, 1), self.stride, name="shortcut_layer.0")(x)
            skip = BatchNorm(name="shortcut_layer.1")(skip)
        y = BatchNorm(name="res_layer.0")(x)
        y = PReLU(name="res_layer.2")(Conv(self.features, (3, 3), 1, (1, 1), name="res_layer.1")(y))
        y = Conv(self.features, (3, 3), self.stride, (1, 1), name="res_layer.3")(y)
        return skip + Excitation(name="res_layer.5")(BatchNorm(name="res_layer.4")(y))


class ArcFace(nn.Module):
    """Images [N, H, W, 3] in [0, 255] to features [N, 512] of length one.

    Images are aligned as those of FFHQ; they are brought to 256 pixels, cut to
    the face and brought to 112, both by area. The dot product of two features
    is the similarity of the faces.
    """

    @nn.compact
    def __call__(self, images: Array) -> dict[str, Array]:
        x = images * jnp.float32(1 / 127.5) - 1
        x = resize.area(x, _ALIGNED)[:, _TOP:_BOTTOM, _LEFT:_RIGHT]
        x = resize.area(x, _SIZE)
        x = Conv(64, (3, 3), 1, (1, 1), name="input_layer.0")(x)
        x = PReLU(name="input_layer.2")(BatchNorm(name="input_layer.1")(x))
        number = 0
        for features, count in UNITS:
            for i in range(count):
                x = Unit(features, 1 if i else 2, name=f"body.{number}")(x)
                number += 1
        x = flat_chw(BatchNorm(name="output_layer.0")(x))  # [N, 512 * 7 * 7]
        x = BatchNorm(name="output_layer.4")(Dense(512, name="output_layer.3")(x))
        length = jnp.sqrt(jnp.square(x).sum(axis=-1, keepdims=True))
        return {"features": x / jnp.maximum(length, jnp.float32(1e-12))}
