"""Discriminator (StyleGAN2, section 4.1; projection head of StyleGAN2-ADA)."""

import math
from typing import Any

import flax.linen as nn
import jax.numpy as jnp

from aligned_jax import ops
from aligned_jax.config import DiscriminatorConfig
from aligned_jax.networks.layers import Conv2d, Dense, compute_dtype
from aligned_jax.networks.mapping import Mapping
from aligned_jax.types import Array


class DiscriminatorBlock(nn.Module):
    """Two convolutions and a halving of the resolution."""

    resolution: int
    config: DiscriminatorConfig
    dtype: jnp.dtype = jnp.dtype("float32")

    @nn.compact
    def __call__(self, x: Any, image: Any) -> tuple[Array, Array | None]:
        """x [N, R, R, C] (None in the first block) and image (None once it was read) halved."""
        config, resolution = self.config, self.resolution
        width = config.channels_by_resolution[resolution]
        after = config.channels_by_resolution[resolution // 2]
        taps, clamp, activation = config.resample_filter, config.conv_clamp, config.activation
        if config.has_fromrgb(resolution):
            fromrgb = Conv2d(
                config.img_channels,
                width,
                1,
                activation=activation,
                conv_clamp=clamp,
                name="fromrgb",
            )
            y = fromrgb(image.astype(self.dtype))
            x = y if x is None else x.astype(self.dtype) + y
        x = x.astype(self.dtype)
        conv0 = Conv2d(width, width, 3, activation=activation, conv_clamp=clamp, name="conv0")
        conv1 = Conv2d(
            width,
            after,
            3,
            activation=activation,
            down=2,
            resample_filter=taps,
            conv_clamp=clamp,
            name="conv1",
        )
        if config.architecture == "resnet":
            skip = Conv2d(
                width, after, 1, use_bias=False, down=2, resample_filter=taps, name="skip"
            )
            gain = math.sqrt(0.5)
            x = skip(x, gain=gain) + conv1(conv0(x), gain=gain)
        else:
            x = conv1(conv0(x))
        image = self._smaller(image)
        self.sow("intermediates", "x", x)
        if image is not None:
            self.sow("intermediates", "img", image)
        return x, image

    def _smaller(self, image: Array) -> Array | None:
        """The image for the next block, which reads it with the "skip" architecture only."""
        if self.config.architecture != "skip":
            return None
        taps = ops.setup_filter(self.config.resample_filter)
        return ops.downsample2d(image.astype(self.dtype), taps)


class Epilogue(nn.Module):
    """The 4x4 end, always in single precision."""

    config: DiscriminatorConfig

    @nn.compact
    def __call__(self, x: Array, image: Any, label: Array | None) -> Array:
        """Logits [N, 1] of x [N, 4, 4, C], projected on the mapped label [N, D] if there is one."""
        config, end = self.config, self.config.epilogue
        width = config.channels_by_resolution[4]
        x = x.astype(jnp.float32)
        if config.architecture == "skip":
            fromrgb = Conv2d(
                config.img_channels, width, 1, activation=end.activation, name="fromrgb"
            )
            x = x + fromrgb(image.astype(jnp.float32))
        if end.mbstd_num_channels:
            x = ops.minibatch_std(x, end.mbstd_group_size, end.mbstd_num_channels)
            self.sow("intermediates", "mbstd", x)
        inputs = width + end.mbstd_num_channels
        conv = Conv2d(
            inputs, width, 3, activation=end.activation, conv_clamp=config.conv_clamp, name="conv"
        )
        x = conv(x)
        # Stored dense weights count channels first.
        x = x.transpose(0, 3, 1, 2).reshape(x.shape[0], -1)  # [N, C * 16]
        x = Dense(width * 16, width, end.activation, name="fc")(x)
        x = Dense(width, config.label_features or 1, name="out")(x)
        if label is None:
            return x
        score = jnp.sum(x * label, axis=1, keepdims=True)
        return score * (1 / math.sqrt(config.label_features))


class Discriminator(nn.Module):
    """Images and labels to logits; `half` applies to `config.half_resolutions`."""

    config: DiscriminatorConfig
    half: str | None = None

    def setup(self) -> None:
        config = self.config
        for resolution in config.resolutions[:-1]:
            dtype = compute_dtype(resolution, config.half_resolutions, self.half)
            setattr(self, f"b{resolution}", DiscriminatorBlock(resolution, config, dtype))
        self.b4 = Epilogue(config)
        if config.c_dim:
            self.mapping = Mapping(config.mapping, 0, config.c_dim, config.label_features)

    def __call__(self, images: Array, c: Array | None = None) -> Array:
        """Logits float32 [N, 1] of images [N, R, R, img_channels] and labels [N, c_dim]."""
        x: Any = None  # the first block reads the images
        image: Array | None = images
        for resolution in self.config.resolutions[:-1]:
            x, image = getattr(self, f"b{resolution}")(x, image)
        label = self.mapping(None, c) if self.config.c_dim else None
        if label is not None:
            self.sow("intermediates", "cmap", label)
        return self.b4(x, image, label)
