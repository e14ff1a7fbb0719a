"""Inception-v3 as the Fréchet inception distance uses it (Szegedy et al. 2015).

The network of 2015-12-05 with 1008 classes. It differs from the later one of
torchvision: average pools leave their padding out of the mean, the pool of
Mixed_7c takes the maximum, and so do the weights.
"""

import flax.linen as nn
import jax.numpy as jnp

from aligned_jax.networks.plain import BatchNorm, Conv, Linear, average_pool, max_pool
from aligned_jax.ops import resize
from aligned_jax.types import Array

SIZE = 299
CLASSES = 1008


class BasicConv(nn.Module):
    """Convolution, normalisation, ReLU; an even kernel size pads nothing."""

    features: int
    kernel: tuple[int, int]
    stride: int = 1
    same: bool = True

    @nn.compact
    def __call__(self, x: Array) -> Array:
        height, width = self.kernel
        padding = (height // 2, width // 2) if self.same else (0, 0)
        x = Conv(self.features, self.kernel, self.stride, padding, name="conv")(x)
        return nn.relu(BatchNorm(0.001, name="bn")(x))


def _chain(x: Array, prefix: str, *layers: tuple) -> Array:
    """Convolutions one after the other, named PREFIX_1, PREFIX_2, ...; kernels as (kh, kw)."""
    for number, (features, kernel) in enumerate(layers, 1):
        x = BasicConv(features, kernel, name=f"{prefix}_{number}")(x)
    return x


class MixedA(nn.Module):
    """35x35 maps: branches 1x1, 5x5, double 3x3 and pool."""

    pool_features: int

    @nn.compact
    def __call__(self, x: Array) -> Array:
        one = BasicConv(64, (1, 1), name="branch1x1")(x)
        five = _chain(x, "branch5x5", (48, (1, 1)), (64, (5, 5)))
        double = _chain(x, "branch3x3dbl", (64, (1, 1)), (96, (3, 3)), (96, (3, 3)))
        pool = BasicConv(self.pool_features, (1, 1), name="branch_pool")(average_pool(x))
        return jnp.concatenate([one, five, double, pool], axis=-1)


class MixedB(nn.Module):
    """The block that reduces maps of 35x35 to 17x17."""

    @nn.compact
    def __call__(self, x: Array) -> Array:
        three = BasicConv(384, (3, 3), 2, same=False, name="branch3x3")(x)
        double = _chain(x, "branch3x3dbl", (64, (1, 1)), (96, (3, 3)))
        double = BasicConv(96, (3, 3), 2, same=False, name="branch3x3dbl_3")(double)
        return jnp.concatenate([three, double, max_pool(x, 3, 2)], axis=-1)


class MixedC(nn.Module):
    """17x17 maps: branches 1x1, 7x7, double 7x7 (in rows and columns) and pool."""

    inner: int

    @nn.compact
    def __call__(self, x: Array) -> Array:
        c, row, column = self.inner, (1, 7), (7, 1)
        one = BasicConv(192, (1, 1), name="branch1x1")(x)
        seven = _chain(x, "branch7x7", (c, (1, 1)), (c, row), (192, column))
        double = (c, (1, 1)), (c, column), (c, row), (c, column), (192, row)
        pool = BasicConv(192, (1, 1), name="branch_pool")(average_pool(x))
        return jnp.concatenate([one, seven, _chain(x, "branch7x7dbl", *double), pool], axis=-1)


class MixedD(nn.Module):
    """The block that reduces maps of 17x17 to 8x8."""

    @nn.compact
    def __call__(self, x: Array) -> Array:
        three = BasicConv(192, (1, 1), name="branch3x3_1")(x)
        three = BasicConv(320, (3, 3), 2, same=False, name="branch3x3_2")(three)
        seven = _chain(x, "branch7x7x3", (192, (1, 1)), (192, (1, 7)), (192, (7, 1)))
        seven = BasicConv(192, (3, 3), 2, same=False, name="branch7x7x3_4")(seven)
        return jnp.concatenate([three, seven, max_pool(x, 3, 2)], axis=-1)


class MixedE(nn.Module):
    """8x8 maps: branches that end in a row and a column each; `largest` pools the maximum."""

    largest: bool = False

    @nn.compact
    def __call__(self, x: Array) -> Array:
        def both(y: Array, name: str) -> list[Array]:
            return [
                BasicConv(384, (1, 3), name=f"{name}a")(y),
                BasicConv(384, (3, 1), name=f"{name}b")(y),
            ]

        one = BasicConv(320, (1, 1), name="branch1x1")(x)
        three = both(_chain(x, "branch3x3", (384, (1, 1))), "branch3x3_2")
        double = _chain(x, "branch3x3dbl", (448, (1, 1)), (384, (3, 3)))
        pool = max_pool(x, 3, 1, 1) if self.largest else average_pool(x)
        pool = BasicConv(192, (1, 1), name="branch_pool")(pool)
        return jnp.concatenate([one, *three, *both(double, "branch3x3dbl_3"), pool], axis=-1)


def prepared(images: Array, half_pixel: bool) -> Array:
    """Images [N, H, W, 3] in [0, 255] as the network takes them: [N, 299, 299, 3]."""
    if half_pixel:
        return resize.half_pixel(images * jnp.float32(1 / 255), SIZE) * 2 - 1
    return (resize.anchored(images, SIZE) - 128) * jnp.float32(1 / 128)


class Inception(nn.Module):
    """Images [N, H, W, 3] in [0, 255] to features [N, 2048] and logits [N, 1008].

    `half_pixel` False prepares images as NVIDIA's metrics and the original
    TensorFlow program do: bilinear resize to 299 anchored at the top left
    corner, then (x - 128) / 128. True is the way of pytorch-fid: half-pixel
    centres, then 2 x / 255 - 1. Logits come with their bias.
    """

    half_pixel: bool = False

    def __call__(self, images: Array) -> dict[str, Array]:
        return self.network(prepared(images, self.half_pixel))

    @nn.compact
    def network(self, x: Array) -> dict[str, Array]:
        """The same of prepared images [N, 299, 299, 3]."""
        x = BasicConv(32, (3, 3), 2, same=False, name="Conv2d_1a_3x3")(x)
        x = BasicConv(32, (3, 3), same=False, name="Conv2d_2a_3x3")(x)
        x = max_pool(BasicConv(64, (3, 3), name="Conv2d_2b_3x3")(x), 3, 2)  # [N, 73, 73, 64]
        self.sow("intermediates", "pool1", x)
        x = BasicConv(80, (1, 1), name="Conv2d_3b_1x1")(x)
        x = max_pool(BasicConv(192, (3, 3), same=False, name="Conv2d_4a_3x3")(x), 3, 2)
        self.sow("intermediates", "pool2", x)
        for letter, pool_features in zip("bcd", (32, 64, 64), strict=True):
            x = MixedA(pool_features, name=f"Mixed_5{letter}")(x)  # [N, 35, 35, 288]
        x = MixedB(name="Mixed_6a")(x)
        for letter, inner in zip("bcde", (128, 160, 160, 192), strict=True):
            x = MixedC(inner, name=f"Mixed_6{letter}")(x)  # [N, 17, 17, 768]
        self.sow("intermediates", "mixed6e", x)
        x = MixedD(name="Mixed_7a")(x)
        x = MixedE(name="Mixed_7b")(x)
        x = MixedE(largest=True, name="Mixed_7c")(x)  # [N, 8, 8, 2048]
        features = x.mean(axis=(1, 2))
        return {"features": features, "logits": Linear(CLASSES, name="fc")(features)}
