"""A generator as nodes of ONNX: mapping, truncation, styles, synthesis.

The stored arrays are the official tensors under their official names, bit for bit; what is
derived from them alone (a scaled weight, the power of a kernel) is a node, which runtimes
compute once when they load the file.
"""

import math
from collections.abc import Mapping

import numpy as np

from aligned_jax.config import GeneratorConfig
from aligned_jax.convert.programs import onnx_ops
from aligned_jax.convert.programs.graph import Graph
from aligned_jax.convert.programs.options import STYLE, ProgramOptions
from aligned_jax.latents import style_layers

IMAGES = "images"


def generator_graph(
    config: GeneratorConfig, tensors: Mapping[str, np.ndarray], options: ProgramOptions
) -> Graph:
    """The nodes from the inputs of `options.latents`, and "psi", to "images" [N, C, R, R].

    Args:
      config: of the network.
      tensors: official ones by name, float32.
      options: what the program takes and draws.
    """
    drawn = _Drawn(config, tensors, options)
    image = drawn.image(drawn.styles())
    drawn.graph.add("Identity", [image], IMAGES)
    return drawn.graph


class _Drawn:
    """The parts of one generator's graph."""

    def __init__(
        self, config: GeneratorConfig, tensors: Mapping[str, np.ndarray], options: ProgramOptions
    ) -> None:
        self.config, self.tensors, self.options = config, tensors, options
        self.graph = Graph(options.half)

    def styles(self) -> dict[str, str]:
        """Style vectors [N, C] by layer."""
        if self.options.space == "s":
            return {layer.name: f"{STYLE}{layer.name}" for layer in style_layers(self.config)}
        rows = self._rows()
        return {
            layer.name: self._dense(rows[layer.w_row], f"synthesis.{layer.name}.affine")
            for layer in style_layers(self.config)
        }

    def _rows(self) -> list[str]:
        """w [N, w_dim] of every row of W+."""
        count = self.config.num_ws
        if self.options.space == "w+":
            places = [self.graph.constant(f"row/{i}", i, np.int64) for i in range(count)]
            return [
                self.graph.add("Gather", ["ws", place], f"ws/{i}", axis=1)
                for i, place in enumerate(places)
            ]
        w = "w" if self.options.space == "w" else self._truncated(self._mapped())
        return [w] * count

    def _mapped(self) -> str:
        """w [N, w_dim] of z and labels."""
        graph, mapping, parts = self.graph, self.config.mapping, []
        if self.config.z_dim:
            parts.append(onnx_ops.normalize(graph, "z", "mapping/z"))
        if self.config.c_dim:
            embedded = self._dense("c", "mapping.embed")
            parts.append(onnx_ops.normalize(graph, embedded, "mapping/c"))
        x = graph.add("Concat", parts, "mapping/inputs", axis=1) if len(parts) > 1 else parts[0]
        for i in range(mapping.num_layers):
            x = self._dense(x, f"mapping.fc{i}", mapping.activation, mapping.lr_multiplier)
        return x

    def _truncated(self, w: str) -> str:
        """w_avg + psi * (w - w_avg), [N, w_dim]."""
        graph, psi = self.graph, self.options.psi
        if self.config.mapping.w_avg_beta is None or psi == 1:
            return w
        mean, factor = self._tensor("mapping.w_avg"), "psi" if psi is None else graph.number(psi)
        offset = graph.add("Sub", [w, mean], "truncation/offset")
        offset = graph.add("Mul", [offset, factor], "truncation/offset")
        return graph.add("Add", [mean, offset], "truncation/w")

    def image(self, styles: Mapping[str, str]) -> str:
        """[N, img_channels, R, R] of style vectors."""
        config, graph, taps = self.config, self.graph, self.config.synthesis.resample_filter
        x, image, inputs = "", "", 0
        for resolution in config.resolutions:
            block = f"b{resolution}"
            x = self._block(x, inputs, resolution, styles)
            inputs = config.channels[resolution]
            if image:
                image = onnx_ops.upsample(graph, image, config.img_channels, taps, f"{block}/image")
            if config.has_torgb(resolution):
                rgb = self._torgb(x, styles[f"{block}.torgb"], f"{block}.torgb", inputs)
                image = graph.add("Add", [image, rgb], f"{block}/image") if image else rgb
        return image

    def _block(self, x: str, inputs: int, resolution: int, styles: Mapping[str, str]) -> str:
        """Features [N, C, R, R] after the block at `resolution`."""
        block, features = f"b{resolution}", self.config.channels[resolution]
        conv1 = f"{block}.conv1"
        if not inputs:
            const = self._tensor(f"synthesis.{block}.const")  # [C, 4, 4]
            return self._layer(const, styles[conv1], conv1, features)
        residual = self.config.synthesis.architecture == "resnet"
        gain = math.sqrt(0.5) if residual else 1.0
        conv0 = f"{block}.conv0"
        shortcut = self._skip(x, block, inputs, features, gain) if residual else ""
        x = self._layer(x, styles[conv0], conv0, features, up=True)
        x = self._layer(x, styles[conv1], conv1, features, gain=gain)
        return self.graph.add("Add", [x, shortcut], f"{block}/sum") if residual else x

    def _layer(
        self, x: str, style: str, layer: str, features: int, up: bool = False, gain: float = 1.0
    ) -> str:
        """Modulated 3x3 convolution with noise, bias and activation."""
        graph, options = self.graph, self.config.synthesis
        weight = self._tensor(f"synthesis.{layer}.weight")  # [O, I, 3, 3]
        scale = self._demodulation(style, weight, layer)
        x = graph.add("Mul", [x, self._over_pixels(style, layer)], f"{layer}/modulated")
        if up:
            turned = graph.add("Transpose", [weight], f"{layer}/kernel", perm=[1, 0, 2, 3])
            taps = options.resample_filter
            x = onnx_ops.convolve_up(graph, x, turned, (3, features), taps, layer)
        else:
            x = graph.add("Conv", [x, weight], f"{layer}/convolved", pads=[1, 1, 1, 1])
        x = graph.add("Mul", [x, scale], f"{layer}/demodulated")
        if options.use_noise and self.options.noise == "const":
            maps = self._tensor(f"synthesis.{layer}.noise_const")  # [R, R]
            strength = self._tensor(f"synthesis.{layer}.noise_strength")
            noise = graph.add("Mul", [maps, strength], f"{layer}/noise")
            x = graph.add("Add", [x, noise], f"{layer}/noisy")
        bias = self._bias(layer)
        return onnx_ops.activate(
            graph, x, bias, options.activation, layer, gain, options.conv_clamp
        )

    def _demodulation(self, style: str, weight: str, layer: str) -> str:
        """One over the norm of each modulated kernel, [N, O, 1, 1]."""
        graph = self.graph
        square = graph.add("Mul", [weight, weight], f"{layer}/kernel/square")
        taps = graph.axes(2, 3)
        power = graph.add("ReduceSum", [square, taps], f"{layer}/kernel/power", keepdims=0)
        strength = graph.add("Mul", [style, style], f"{layer}/style/square")
        inputs = [strength, power, graph.number(1e-8)]  # power is [O, I]
        norm = graph.add("Gemm", inputs, f"{layer}/norm", transB=1)  # [N, O]
        norm = graph.add("Sqrt", [norm], f"{layer}/norm")
        scale = graph.add("Reciprocal", [norm], f"{layer}/scale")
        return self._over_pixels(scale, f"{layer}/scale")

    def _torgb(self, x: str, style: str, layer: str, inputs: int) -> str:
        """[N, img_channels, R, R] of features [N, inputs, R, R]."""
        graph, clamp = self.graph, self.config.synthesis.conv_clamp
        style = graph.add("Mul", [style, graph.number(1 / math.sqrt(inputs))], f"{layer}/style")
        x = graph.add("Mul", [x, self._over_pixels(style, layer)], f"{layer}/modulated")
        weight = self._tensor(f"synthesis.{layer}.weight")
        x = graph.add("Conv", [x, weight], f"{layer}/convolved")
        return onnx_ops.activate(graph, x, self._bias(layer), "linear", layer, clamp=clamp)

    def _skip(self, x: str, block: str, inputs: int, features: int, gain: float) -> str:
        """The shortcut of a residual block, [N, features, 2 H, 2 W]."""
        graph, where = self.graph, f"{block}.skip"
        weight = self._tensor(f"synthesis.{where}.weight")
        x = graph.add("Conv", [x, weight], f"{where}/convolved")
        x = graph.add("Mul", [x, graph.number(gain / math.sqrt(inputs))], f"{where}/gain")
        return onnx_ops.upsample(graph, x, features, self.config.synthesis.resample_filter, where)

    def _dense(
        self, x: str, name: str, activation: str = "linear", lr_multiplier: float = 1.0
    ) -> str:
        """Fully connected layer on [N, I]: `ops.dense`."""
        weight, bias = self._tensor(f"{name}.weight"), self._tensor(f"{name}.bias")
        inputs = self.tensors[f"{name}.weight"].shape[1]
        scale = lr_multiplier / math.sqrt(inputs)
        factors = {"alpha": scale, "beta": lr_multiplier, "transB": 1}
        x = self.graph.add("Gemm", [x, weight, bias], f"{name}/sum", **factors)
        return onnx_ops.activate(self.graph, x, None, activation, name)

    def _bias(self, layer: str) -> str:
        """[C, 1, 1]."""
        bias = self._tensor(f"synthesis.{layer}.bias")
        return self.graph.add("Unsqueeze", [bias, self.graph.axes(1, 2)], f"{layer}/bias")

    def _over_pixels(self, style: str, where: str) -> str:
        """[N, C] as [N, C, 1, 1]."""
        axes = self.graph.axes(2, 3)
        return self.graph.add("Unsqueeze", [style, axes], f"{where}/over_pixels")

    def _tensor(self, name: str) -> str:
        return self.graph.weight(name, self.tensors[name])
