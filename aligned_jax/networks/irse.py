"""IR-SE: residual units with squeeze-and-excitation (Deng et al. 2019; Hu et al. 2018).

The backbone of ArcFace and of the encoders, under the names of their files.
"""

import flax.linen as nn

from aligned_jax.config.encoder import IR_SE50
from aligned_jax.networks.plain import BatchMoments, BatchNorm, Conv, PReLU, max_pool
from aligned_jax.types import Array

_REDUCTION = 16


class Excitation(nn.Module):
    """Scales channels by what the whole map says of them."""

    @nn.compact
    def __call__(self, x: Array) -> Array:
        y = x.mean(axis=(1, 2), keepdims=True)
        y = nn.relu(Conv(max(x.shape[-1] // _REDUCTION, 1), (1, 1), name="fc1")(y))
        return x * nn.sigmoid(Conv(x.shape[-1], (1, 1), name="fc2")(y))


class Unit(nn.Module):
    """Residual unit; its second convolution has the stride."""

    features: int
    stride: int
    moments: BatchMoments | None = None

    @nn.compact
    def __call__(self, x: Array) -> Array:
        def norm(name: str) -> BatchNorm:
            return BatchNorm(moments=self.moments, name=name)

        if x.shape[-1] == self.features:
            skip = max_pool(x, 1, self.stride)
        else:
            skip = Conv(self.features, (1, 1), self.stride, name="shortcut_layer.0")(x)
            skip = norm("shortcut_layer.1")(skip)
        y = norm("res_layer.0")(x)
        y = PReLU(name="res_layer.2")(Conv(self.features, (3, 3), 1, (1, 1), name="res_layer.1")(y))
        y = Conv(self.features, (3, 3), self.stride, (1, 1), name="res_layer.3")(y)
        return skip + Excitation(name="res_layer.5")(norm("res_layer.4")(y))


def backbone(
    images: Array,
    stages: tuple[tuple[int, int], ...] = IR_SE50,
    moments: BatchMoments | None = None,
) -> list[Array]:
    """Maps at the end of each stage, the i-th of side R / 2^(i + 1); called inside a module.

    `stages` are channels and number of units; a stage's first unit halves the map.
    """
    x = Conv(stages[0][0], (3, 3), 1, (1, 1), name="input_layer.0")(images)
    x = PReLU(name="input_layer.2")(BatchNorm(moments=moments, name="input_layer.1")(x))
    maps, number = [], 0
    for features, count in stages:
        for i in range(count):
            x = Unit(features, 1 if i else 2, moments, name=f"body.{number}")(x)
            number += 1
        maps.append(x)
    return maps
