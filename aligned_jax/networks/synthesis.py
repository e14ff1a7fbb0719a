"""Synthesis network in two pure steps: W+ to style vectors, style vectors to image."""

import math
from collections.abc import Mapping as MappingType
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from aligned_jax import ops
from aligned_jax.config import GeneratorConfig
from aligned_jax.latents import style_layers
from aligned_jax.networks.layers import Conv2d, Dense, activate, compute_dtype
from aligned_jax.types import Array, Styles

# "const" stored maps, "random" a fresh field per sample and layer, "none", or
# fields by layer name, [H, W] or [N, H, W].
Noise = str | MappingType[str, Array]


class SynthesisLayer(nn.Module):
    """Modulated 3x3 convolution with noise, bias and activation."""

    inputs: int
    features: int
    resolution: int
    config: GeneratorConfig
    up: int = 1

    def setup(self) -> None:
        self.affine = Dense(self.config.w_dim, self.inputs, bias_init=1.0)
        shape = (3, 3, self.inputs, self.features)
        self.weight = self.param("weight", nn.initializers.normal(1.0), shape)
        self.bias = self.param("bias", nn.initializers.zeros, (self.features,))
        if self.config.synthesis.use_noise:
            self.noise_strength = self.param("noise_strength", nn.initializers.zeros, ())
            size = (self.resolution, self.resolution)
            self.noise_const = self.variable(
                "noise", "noise_const", lambda: jax.random.normal(self.make_rng("params"), size)
            )

    def __call__(self, x: Array, style: Array, noise: str | Array, gain: float = 1.0) -> Array:
        """[N, h, w, inputs] to [N, R, R, features] with the layer's style [N, inputs]."""
        options = self.config.synthesis
        x = ops.modulated_conv2d(
            x,
            self.weight,
            style,
            self._noise(noise, x.shape[0]),
            up=self.up,
            padding=1,
            resample_filter=ops.setup_filter(options.resample_filter),
            flip_weight=self.up == 1,
        )
        return activate(x, self.bias, options.activation, gain, options.conv_clamp)

    def _noise(self, noise: str | Array, batch: int) -> Array | None:
        if not self.config.synthesis.use_noise or (isinstance(noise, str) and noise == "none"):
            return None
        size = self.resolution
        if isinstance(noise, str) and noise == "random":
            field = jax.random.normal(self.make_rng("noise"), (batch, size, size, 1))
        else:
            field = self.noise_const.value if isinstance(noise, str) else noise
            field = field.reshape(-1, size, size, 1)  # [1 or N, R, R, 1]
        return field * self.noise_strength


class ToRGB(nn.Module):
    """Modulated 1x1 convolution to image channels, without demodulation or noise."""

    inputs: int
    config: GeneratorConfig

    def setup(self) -> None:
        self.affine = Dense(self.config.w_dim, self.inputs, bias_init=1.0)
        shape = (1, 1, self.inputs, self.config.img_channels)
        self.weight = self.param("weight", nn.initializers.normal(1.0), shape)
        self.bias = self.param("bias", nn.initializers.zeros, (self.config.img_channels,))

    def __call__(self, x: Array, style: Array) -> Array:
        """Image [N, R, R, img_channels] from x [N, R, R, inputs] and style [N, inputs]."""
        style = style * (1 / math.sqrt(self.inputs))
        x = ops.modulated_conv2d(x, self.weight, style, demodulate=False)
        return activate(x, self.bias, "linear", 1.0, self.config.synthesis.conv_clamp)


class SynthesisBlock(nn.Module):
    """All layers of one resolution; `inputs` of 0 marks the first block."""

    inputs: int
    resolution: int
    config: GeneratorConfig
    dtype: jnp.dtype = jnp.dtype("float32")

    def setup(self) -> None:
        config, resolution = self.config, self.resolution
        features = config.channels[resolution]
        if self.inputs == 0:
            normal = nn.initializers.normal(1.0)
            self.const = self.param("const", normal, (resolution, resolution, features))
        else:
            self.conv0 = SynthesisLayer(self.inputs, features, resolution, config, up=2)
            if config.synthesis.architecture == "resnet":
                taps = config.synthesis.resample_filter
                self.skip = Conv2d(
                    self.inputs, features, 1, use_bias=False, up=2, resample_filter=taps
                )
        self.conv1 = SynthesisLayer(features, features, resolution, config)
        if config.has_torgb(resolution):
            self.torgb = ToRGB(features, config)

    def __call__(
        self, x: Array | None, image: Array | None, styles: Styles, noise: MappingType
    ) -> tuple[Array, Array | None]:
        """Features [N, R, R, C] and running image [N, R, R, img_channels] after this block."""
        name = f"b{self.resolution}"
        conv1 = f"{name}.conv1"
        if x is None:  # the first block, which begins with its constant
            x = jnp.repeat(self.const[None], styles[conv1].shape[0], axis=0).astype(self.dtype)
            x = self.conv1(x, styles[conv1], noise[conv1])
        else:
            conv0 = f"{name}.conv0"
            x = x.astype(self.dtype)
            residual = self.config.synthesis.architecture == "resnet"
            gain = math.sqrt(0.5) if residual else 1.0
            shortcut = self.skip(x, gain=gain) if residual else None
            x = self.conv0(x, styles[conv0], noise[conv0])
            x = self.conv1(x, styles[conv1], noise[conv1], gain=gain)
            x = x if shortcut is None else x + shortcut
        if image is not None:
            image = ops.upsample2d(image, ops.setup_filter(self.config.synthesis.resample_filter))
        if self.config.has_torgb(self.resolution):
            # The image is summed in full precision whatever the block runs in.
            rgb = self.torgb(x, styles[f"{name}.torgb"]).astype(jnp.float32)
            image = rgb if image is None else image + rgb
        self.sow("intermediates", "x", x)
        if image is not None:
            self.sow("intermediates", "img", image)
        return x, image


class Synthesis(nn.Module):
    """W+ to image. `half` ("bfloat16" or "float16") applies to `config.half_resolutions`."""

    config: GeneratorConfig
    half: str | None = None

    def setup(self) -> None:
        config, inputs = self.config, 0
        for resolution in config.resolutions:
            dtype = compute_dtype(resolution, config.half_resolutions, self.half)
            block = SynthesisBlock(inputs, resolution, config, dtype)
            setattr(self, f"b{resolution}", block)
            inputs = config.channels[resolution]

    def styles(self, ws: Array) -> Styles:
        """Style vectors {layer: [N, C]} of W+ [N, L, w_dim], before the tRGB gain."""
        styles = {}
        for layer in style_layers(self.config):
            block, part = layer.name.split(".")
            affine = getattr(getattr(self, block), part).affine
            styles[layer.name] = affine(ws[:, layer.w_row])
        return styles

    def render(self, styles: Styles, noise: Noise = "const") -> Array:
        """Image float32 [N, R, R, img_channels] around [-1, 1], unclipped, from style vectors."""
        names = [layer.name for layer in style_layers(self.config) if layer.kind == "conv"]
        by_layer = {name: noise if isinstance(noise, str) else noise[name] for name in names}
        x: Array | None = None
        image: Any = None  # an Array after the last block, which always draws
        for resolution in self.config.resolutions:
            x, image = getattr(self, f"b{resolution}")(x, image, styles, by_layer)
        return image

    def __call__(self, ws: Array, noise: Noise = "const") -> Array:
        """Image float32 [N, R, R, img_channels] of W+ [N, L, w_dim]."""
        return self.render(self.styles(ws), noise)
