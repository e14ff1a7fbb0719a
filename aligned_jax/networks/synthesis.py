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
from aligned_jax.networks.layout import BlockLayout, Layout, layout_of
from aligned_jax.types import Array, Styles

# "const" stored maps, "random" a fresh field per sample and layer, "none", or
# fields by layer name, [H, W] or [N, H, W].
Noise = str | MappingType[str, Array]


class SynthesisLayer(nn.Module):
    """Modulated 3x3 convolution with noise, bias and activation.

    `folds` are those of its source and its result; None computes it as it is written.
    """

    inputs: int
    features: int
    resolution: int
    config: GeneratorConfig
    up: int = 1
    folds: tuple[ops.RowFold, ops.RowFold] | None = None

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
        """[N, h, w, inputs] to [N, R, R, features], or both folded, with a style [N, inputs]."""
        options = self.config.synthesis
        if self.folds is not None:
            return self._folded(x, style, self._noise(noise, x.shape[0]), gain, *self.folds)
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

    def _folded(
        self,
        x: Array,
        style: Array,
        noise: Array | None,
        gain: float,
        source: ops.RowFold,
        target: ops.RowFold,
    ) -> Array:
        options, up = self.config.synthesis, self.up
        taps = ops.setup_filter(options.resample_filter)
        x = ops.modulated_conv2d_folded(x, self.weight, style, noise, source, target, up, taps)
        bias = ops.per_row(self.bias, x.shape[3] // self.features)
        x = activate(x, bias, options.activation, gain, options.conv_clamp)
        return ops.spread(x, up * source.rows // target.rows, up)

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

    def planar(self, x: Array, style: Array, fold: ops.RowFold) -> Array:
        """The same from a folded map: [N, img_channels, R, R]."""
        style = style * (1 / math.sqrt(self.inputs))
        # Kernels of the samples are small; so the map is read as it is.
        kernels = style[:, :, None] * self.weight[0]  # [N, inputs, img_channels]
        x = ops.project_planar(x, kernels.astype(x.dtype), fold)
        clamp = self.config.synthesis.conv_clamp
        return ops.bias_act(x, self.bias.astype(x.dtype), axis=1, clamp=clamp)


class SynthesisBlock(nn.Module):
    """All layers of one resolution; `inputs` of 0 marks the first block.

    With a `layout` maps come and go folded, and images planar, [N, img_channels, R, R].
    """

    inputs: int
    resolution: int
    config: GeneratorConfig
    dtype: jnp.dtype = jnp.dtype("float32")
    layout: BlockLayout | None = None

    def setup(self) -> None:
        config, resolution, folds = self.config, self.resolution, self.layout
        features = config.channels[resolution]
        if self.inputs == 0:
            normal = nn.initializers.normal(1.0)
            self.const = self.param("const", normal, (resolution, resolution, features))
        else:
            inner = folds and (folds.before, folds.between)
            self.conv0 = SynthesisLayer(self.inputs, features, resolution, config, 2, inner)
            if config.synthesis.architecture == "resnet":
                taps = config.synthesis.resample_filter
                self.skip = Conv2d(
                    self.inputs, features, 1, use_bias=False, up=2, resample_filter=taps
                )
        # A flat map has nothing to gain at its own resolution.
        outer = (folds.between, folds.after) if folds and folds.after != ops.FLAT else None
        self.conv1 = SynthesisLayer(features, features, resolution, config, folds=outer)
        if config.has_torgb(resolution):
            self.torgb = ToRGB(features, config)

    def __call__(
        self, x: Array | None, image: Array | None, styles: Styles, noise: MappingType
    ) -> tuple[Array, Array | None]:
        """Features [N, R, R, C] and running image [N, R, R, img_channels] after this block."""
        x = self._convolve(x, styles, noise)
        image = self._draw(x, image, styles)
        self._sow(x, image)
        return x, image

    def _convolve(self, x: Array | None, styles: Styles, noise: MappingType) -> Array:
        name = f"b{self.resolution}"
        conv1 = f"{name}.conv1"
        if x is None:  # the first block, which begins with its constant
            x = jnp.repeat(self.const[None], styles[conv1].shape[0], axis=0).astype(self.dtype)
            return self.conv1(x, styles[conv1], noise[conv1])
        conv0 = f"{name}.conv0"
        x = x.astype(self.dtype)
        residual = self.config.synthesis.architecture == "resnet"
        gain = math.sqrt(0.5) if residual else 1.0
        shortcut = self.skip(x, gain=gain) if residual else None
        x = self.conv0(x, styles[conv0], noise[conv0])
        x = self.conv1(x, styles[conv1], noise[conv1], gain=gain)
        return x if shortcut is None else x + shortcut

    def _draw(self, x: Array, image: Array | None, styles: Styles) -> Array | None:
        """The image so far, upsampled, and what this block adds to it, in full precision."""
        layout = self.layout
        if image is not None:
            taps = ops.setup_filter(self.config.synthesis.resample_filter)
            image = ops.upsample_planar(image, taps) if layout else ops.upsample2d(image, taps)
        if not self.config.has_torgb(self.resolution):
            return image
        style = styles[f"b{self.resolution}.torgb"]
        rgb = self.torgb.planar(x, style, layout.after) if layout else self.torgb(x, style)
        rgb = rgb.astype(jnp.float32)
        return rgb if image is None else image + rgb

    def _sow(self, x: Array, image: Array | None) -> None:
        """Notes [N, R, R, C] and [N, R, R, img_channels], however they are held."""
        if self.layout:
            x = ops.unfold_rows(x, self.layout.after, self.resolution)
            image = None if image is None else image.transpose(0, 2, 3, 1)
        self.sow("intermediates", "x", x)
        if image is not None:
            self.sow("intermediates", "img", image)


class Synthesis(nn.Module):
    """W+ to image. `half` ("bfloat16" or "float16") applies to `config.half_resolutions`.

    `layout` says how maps lie in memory; None takes what is fast on the backend.
    """

    config: GeneratorConfig
    half: str | None = None
    layout: Layout | None = None

    def setup(self) -> None:
        config, inputs, layout = self.config, 0, self._layout()
        for i, resolution in enumerate(config.resolutions):
            dtype = compute_dtype(resolution, config.half_resolutions, self.half)
            folds = layout[i] if layout else None
            block = SynthesisBlock(inputs, resolution, config, dtype, folds)
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
        return image.transpose(0, 2, 3, 1) if self._layout() else image

    def _layout(self) -> Layout:
        if self.layout is not None:
            return self.layout
        return layout_of(self.config, jax.default_backend())

    def __call__(self, ws: Array, noise: Noise = "const") -> Array:
        """Image float32 [N, R, R, img_channels] of W+ [N, L, w_dim]."""
        return self.render(self.styles(ws), noise)
