"""Discriminator (StyleGAN2, section 4.1; projection head of StyleGAN2-ADA)."""

import math
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from aligned_jax import ops
from aligned_jax.config import DiscriminatorConfig
from aligned_jax.networks.layers import Conv2d, Dense, compute_dtype
from aligned_jax.networks.layout import BlockLayout, Layout, layout_of
from aligned_jax.networks.mapping import Mapping
from aligned_jax.types import Array


class DiscriminatorBlock(nn.Module):
    """Two convolutions and a halving of the resolution; with a `layout` maps are folded."""

    resolution: int
    config: DiscriminatorConfig
    dtype: jnp.dtype = jnp.dtype("float32")
    layout: BlockLayout | None = None

    @nn.compact
    def __call__(self, x: Any, image: Any) -> tuple[Array, Array | None]:
        """x [N, R, R, C] (None in the first block) and image (None once it was read) halved."""
        config, resolution = self.config, self.resolution
        planar, reading, first, second, across = _folds(self.layout)
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
                folds=reading,
                planar=planar,
                name="fromrgb",
            )
            y = image.astype(self.dtype)
            y = fromrgb(y.transpose(0, 3, 1, 2) if planar else y)
            x = y if x is None else x.astype(self.dtype) + y
        x = x.astype(self.dtype)
        conv0 = Conv2d(
            width, width, 3, activation=activation, conv_clamp=clamp, folds=first, name="conv0"
        )
        conv1 = Conv2d(
            width,
            after,
            3,
            activation=activation,
            down=2,
            resample_filter=taps,
            conv_clamp=clamp,
            folds=second,
            name="conv1",
        )
        if config.architecture == "resnet":
            skip = Conv2d(
                width,
                after,
                1,
                use_bias=False,
                down=2,
                resample_filter=taps,
                folds=across,
                name="skip",
            )
            gain = math.sqrt(0.5)
            x = skip(x, gain=gain) + conv1(conv0(x), gain=gain)
        else:
            x = conv1(conv0(x))
        image = self._smaller(image)
        whole = x
        if self.layout:
            whole = ops.unfold_rows(x, self.layout.after, resolution // 2)
        self.sow("intermediates", "x", whole)
        if image is not None:
            self.sow("intermediates", "img", image)
        return x, image

    def _smaller(self, image: Array) -> Array | None:
        """The image for the next block, which reads it with the "skip" architecture only."""
        if self.config.architecture != "skip":
            return None
        taps = ops.setup_filter(self.config.resample_filter)
        return ops.downsample2d(image.astype(self.dtype), taps)


def _folds(layout: BlockLayout | None) -> tuple:
    """Of a block: whether pictures are planar, and folds of fromrgb, conv0, conv1 and skip."""
    if layout is None:
        return False, None, None, None, None
    before, between, after = layout
    if before == between == after:  # flat: nothing to gain
        return True, (before, before), None, None, None
    return True, (before, before), (before, between), (between, after), (before, after)


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
    """Images and labels to logits; `half` applies to `config.half_resolutions`.

    `layout` says how maps lie in memory; None takes what is fast on the backend.
    """

    config: DiscriminatorConfig
    half: str | None = None
    layout: Layout | None = None

    def setup(self) -> None:
        config, layout = self.config, self._layout()
        for i, resolution in enumerate(config.resolutions[:-1]):
            dtype = compute_dtype(resolution, config.half_resolutions, self.half)
            block = DiscriminatorBlock(resolution, config, dtype, layout[i] if layout else None)
            setattr(self, f"b{resolution}", block)
        self.b4 = Epilogue(config)
        if config.c_dim:
            self.mapping = Mapping(config.mapping, 0, config.c_dim, config.label_features)

    def __call__(self, images: Array, c: Array | None = None) -> Array:
        """Logits float32 [N, 1] of images [N, R, R, img_channels] and labels [N, c_dim]."""
        x: Any = None  # the first block reads the images
        image: Array | None = images
        for resolution in self.config.resolutions[:-1]:
            x, image = getattr(self, f"b{resolution}")(x, image)
        layout = self._layout()
        x = ops.unfold_rows(x, layout[-1].after, 4) if layout else x
        label = self.mapping(None, c) if self.config.c_dim else None
        if label is not None:
            self.sow("intermediates", "cmap", label)
        return self.b4(x, image, label)

    def _layout(self) -> Layout:
        if self.layout is not None:
            return self.layout
        return layout_of(self.config, jax.default_backend())
