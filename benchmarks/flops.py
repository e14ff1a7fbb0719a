"""Arithmetic that a StyleGAN2 generator needs, counted layer by layer.

A multiplication and an addition count one each; taps that fall into the zero
padding are not counted, and a square root or a random number counts as nothing,
which is how XLA counts as well. The count assumes separable filters and
modulation by scaling activations.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from aligned_jax.config import GeneratorConfig
from aligned_jax.latents import style_layers


@dataclass(frozen=True)
class Convolution:
    """One bare convolution: what a layer cannot do without."""

    name: str
    inputs: int
    outputs: int
    kernel: int
    size: int  # of the input
    up: int = 1

    @property
    def flops(self) -> int:
        """Of one image."""
        per_axis = self.kernel * self.size  # every input meets every tap once
        if self.up == 1:
            per_axis -= self.kernel**2 // 4  # taps on the padding: 2 of 3, none of 1
        return 2 * per_axis**2 * self.inputs * self.outputs


def convolutions(config: GeneratorConfig) -> Iterator[Convolution]:
    """The convolutions of one synthesis pass."""
    for layer in style_layers(config):
        size, outputs = layer.resolution, config.channels[layer.resolution]
        if layer.kind == "torgb":
            yield Convolution(layer.name, layer.channels, config.img_channels, 1, size)
        elif layer.name.endswith("conv0"):
            yield Convolution(layer.name, layer.channels, outputs, 3, size // 2, up=2)
        else:
            yield Convolution(layer.name, layer.channels, outputs, 3, size)
    if config.synthesis.architecture == "resnet":
        for low, high in zip(config.resolutions, config.resolutions[1:], strict=False):
            yield Convolution(f"b{high}.skip", config.channels[low], config.channels[high], 1, low)


def synthesis_flops(config: GeneratorConfig, batch: int) -> float:
    """FLOPs of `batch` images from W+, affine layers included, the mapping left out."""
    taps = len(config.synthesis.resample_filter)
    once = 0  # kernels are squared and summed once for all samples
    each = sum(convolution.flops for convolution in convolutions(config))
    for layer in style_layers(config):
        size, inputs = layer.resolution, layer.channels
        outputs = config.channels[size]
        each += 2 * config.w_dim * inputs + inputs  # affine
        if layer.kind == "torgb":
            each += (inputs + 2 * config.img_channels) * size**2  # modulate; bias, sum
            if size > 4:
                each += _upsampling(size, config.img_channels, taps)
            continue
        up = layer.name.endswith("conv0")
        each += inputs * (size // 2 if up else size) ** 2  # modulate
        if up:
            each += (2 * taps - 1) * outputs * ((size + 1) * size + size**2)  # filter, both axes
        # Demodulate, noise, bias, leaky ReLU (compare, scale, select), gain; noise times strength.
        each += 7 * outputs * size**2 + size**2
        each += 2 * inputs * outputs + inputs
        once += 2 * 9 * inputs * outputs
    return batch * each + once


def _upsampling(size: int, channels: int, taps: int) -> float:
    """Twofold FIR upsampling to `size` by phases: half of the taps meet a sample."""
    return (taps - 1) * channels * (size * size // 2 + size * size)
