"""Arithmetic that generation and a training step need, counted layer by layer.

A multiplication and an addition count one each; taps that fall into the zero
padding are not counted, and a square root or a random number counts as nothing,
which is how XLA counts as well. The count assumes separable filters and
modulation by scaling activations.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from aligned_jax.config import DiscriminatorConfig, GeneratorConfig
from aligned_jax.latents import style_layers


@dataclass(frozen=True)
class Convolution:
    """One bare convolution: what a layer cannot do without."""

    name: str
    inputs: int
    outputs: int
    kernel: int
    size: int  # of the input, padding included where it shrinks
    up: int = 1
    down: int = 1

    @property
    def flops(self) -> int:
        """Of one image."""
        if self.down > 1:
            outputs = (self.size - self.kernel) // self.down + 1
            return 2 * (self.kernel * outputs) ** 2 * self.inputs * self.outputs
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


def critic_convolutions(config: DiscriminatorConfig) -> Iterator[Convolution]:
    """The convolutions of one pass of the discriminator (resnet architecture)."""
    widths = config.channels_by_resolution
    top = config.resolutions[0]
    yield Convolution(f"b{top}.fromrgb", config.img_channels, widths[top], 1, top)
    for r in config.resolutions[:-1]:
        inputs, outputs = widths[r], widths[r // 2]
        yield Convolution(f"b{r}.conv0", inputs, inputs, 3, r)
        yield Convolution(f"b{r}.conv1", inputs, outputs, 3, r + 1, down=2)
        yield Convolution(f"b{r}.skip", inputs, outputs, 1, r // 2)
    inputs = widths[4] + config.epilogue.mbstd_num_channels
    yield Convolution("b4.conv", inputs, widths[4], 3, 4)


def critic_flops(config: DiscriminatorConfig) -> float:
    """FLOPs of one image's logit, everything included that is not negligible."""
    widths, taps = config.channels_by_resolution, len(config.resample_filter)
    total = sum(convolution.flops for convolution in critic_convolutions(config))
    for r in config.resolutions[:-1]:
        inputs, outputs = widths[r], widths[r // 2]
        active = 2 if r == config.resolutions[0] else 1  # fromrgb and conv0, or conv0
        total += 5 * active * inputs * r**2  # bias, leaky ReLU (3), gain
        total += 5 * outputs * (r // 2) ** 2  # conv1
        total += 2 * outputs * (r // 2) ** 2  # the shortcut's gain, the sum
        once = 2 * taps - 1
        total += once * inputs * ((r + 1) * r + (r + 1) ** 2)  # before conv1
        total += once * inputs * (r * (r // 2) + (r // 2) ** 2)  # before the shortcut
    width = widths[4]
    return total + 5 * width * 16 + 2 * width * width * 16 + 6 * width


def phase_flops(
    phase: str, generator: GeneratorConfig, discriminator: DiscriminatorConfig, shrink: int = 2
) -> float:
    """FLOPs of a phase (Gmain, Greg, Dmain, Dreg) for each image of the batch.

    Reverse differentiation with respect to what flows through a network costs
    as much as the network; that with respect to its weights, its convolutions.
    Optimisers, random numbers and the mapping network count as nothing.
    `shrink` is the part of the batch that the path length uses.
    """
    g, d = synthesis_flops(generator, 1), critic_flops(discriminator)
    g_convolutions = sum(c.flops for c in convolutions(generator))
    d_convolutions = sum(c.flops for c in critic_convolutions(discriminator))
    g_passes, g_weights, d_passes, d_weights = PASSES[phase]
    total = g_passes * g + g_weights * g_convolutions
    total += d_passes * d + d_weights * d_convolutions
    return total / shrink if phase == "Greg" else total


# How often each phase passes through G, makes G's weight gradients, passes through D, makes
# D's weight gradients. Path length and R1 differentiate a gradient: value, gradient, and both
# once more backwards, where each of the first two has a share in the weights' gradient.
PASSES = {"Gmain": (2, 1, 2, 0), "Greg": (4, 2, 0, 0), "Dmain": (1, 0, 4, 2), "Dreg": (0, 0, 4, 2)}
