"""Names and axes of the community port's tensors (rosinality/stylegan2-pytorch), both ways.

One table serves the reader, which finds the official name of a port's tensor, and the writer,
which goes through all names that the port has. The port keeps axes of length 1 that the
official code does not have; nothing is transposed or rescaled.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from aligned_jax.convert.rules import read
from aligned_jax.utils.checksums import checksum_of

# The networks of a checkpoint, by the port's keys.
KEYS = {"g_ema": "G_ema", "g": "G", "d": "D"}

# What files that we write hold besides: a JSON document with provenance and a checksum.
METADATA_KEY = "aligned_jax"
FORMAT_VERSION = 1


class Place(NamedTuple):
    """Where a tensor of the port stands in the official network.

    Attributes:
      name: official name.
      rank: official number of axes.
      leading, trailing: how many axes of length 1 the port has before and after those.
    """

    name: str
    rank: int
    leading: int = 0
    trailing: int = 0


# Part of a layer in the port -> part of the official layer, rank, and the port's further axes.
_MODULATED = {
    "conv.weight": Place("weight", 4, leading=1),
    "conv.modulation.weight": Place("affine.weight", 2),
    "conv.modulation.bias": Place("affine.bias", 1),
}
_STYLED = {
    **_MODULATED,
    "noise.weight": Place("noise_strength", 0, leading=1),
    "activate.bias": Place("bias", 1),
}
_IMAGE = {"bias": Place("bias", 1, leading=1, trailing=2), **_MODULATED}
_DENSE = {"weight": Place("weight", 2), "bias": Place("bias", 1)}
_CONV = {"0.weight": Place("weight", 4), "1.bias": Place("bias", 1)}
_RESIDUAL = {
    "conv1.0.weight": Place("conv0.weight", 4),
    "conv1.1.bias": Place("conv0.bias", 1),
    "conv2.1.weight": Place("conv1.weight", 4),
    "conv2.2.bias": Place("conv1.bias", 1),
    "skip.1.weight": Place("skip.weight", 4),
}
_KERNELS = r"(.*\.)?(blur|upsample)\.kernel|convs\.\d+\.(conv2|skip)\.0\.kernel"

_Patterns = tuple[tuple[str, dict[str, Place], Callable[[int], str]], ...]


def is_kernel(name: str) -> bool:
    """Whether a tensor of the port is one of its fixed resampling filters."""
    return bool(re.fullmatch(_KERNELS, name))


def kernel_gain(is_generator: bool) -> int:
    """What the port multiplies its filters with; those of a generator spread a pixel over four."""
    return 4 if is_generator else 1


def checksum(content: Mapping[str, Any]) -> str:
    """`seal.checksum_of` a checkpoint's networks and mean of w; arrays may be lazy tensors."""
    tensors = {
        f"{key}.{name}": tensor
        for key in KEYS
        if isinstance(content.get(key), Mapping)
        for name, tensor in content[key].items()
    }
    mean = content.get("latent_avg")
    tensors |= {} if mean is None else {"latent_avg": mean}
    return checksum_of((name, read(tensors[name])) for name in sorted(tensors))


def generator_place(name: str) -> Place | None:
    """Where a generator's tensor stands; None for a name that the port does not have."""
    if name == "input.input":
        return Place("synthesis.b4.const", 3, leading=1)
    if noise := re.fullmatch(r"noises\.noise_(\d{1,2})", name):
        return Place(f"synthesis.{_layer(int(noise[1]) - 1)}.noise_const", 2, leading=2)
    patterns: _Patterns = (
        (r"style\.(\d{1,2})\.(.+)", _DENSE, lambda n: f"mapping.fc{n - 1}"),
        (r"conv1()\.(.+)", _STYLED, lambda _: "synthesis.b4.conv1"),
        (r"to_rgb1()\.(.+)", _IMAGE, lambda _: "synthesis.b4.torgb"),
        (r"convs\.(\d{1,2})\.(.+)", _STYLED, lambda n: f"synthesis.{_layer(n)}"),
        (r"to_rgbs\.(\d{1,2})\.(.+)", _IMAGE, lambda n: f"synthesis.b{8 << n}.torgb"),
    )
    return _matched(name, patterns)


def discriminator_place(name: str, resolution: int) -> Place | None:
    """As `generator_place`; `resolution` is the discriminator's."""
    patterns: _Patterns = (
        (r"convs\.(0)\.(.+)", _CONV, lambda _: f"b{resolution}.fromrgb"),
        (r"convs\.(\d{1,2})\.(.+)", _RESIDUAL, lambda n: f"b{2 * resolution >> n}"),
        (r"final_conv()\.(.+)", _CONV, lambda _: "b4.conv"),
        (r"final_linear\.(0)\.(.+)", _DENSE, lambda _: "b4.fc"),
        (r"final_linear\.(1)\.(.+)", _DENSE, lambda _: "b4.out"),
    )
    return _matched(name, patterns)


def generator_names(resolution: int, mapping_layers: int) -> Iterator[str]:
    """All names of a generator, in the port's order, filters included."""
    doublings = (resolution // 4).bit_length() - 1
    yield from _named("style", _DENSE, range(1, mapping_layers + 1))
    yield "input.input"
    yield from (f"conv1.{part}" for part in _STYLED)
    yield from (f"to_rgb1.{part}" for part in _IMAGE)
    for i in range(2 * doublings):
        for part in _STYLED:
            yield f"convs.{i}.{part}"
            if part == "conv.weight" and i % 2 == 0:
                yield f"convs.{i}.conv.blur.kernel"
    for i in range(doublings):
        for part in _IMAGE:
            yield f"to_rgbs.{i}.{part}"
            if part == "bias":
                yield f"to_rgbs.{i}.upsample.kernel"
    yield from (f"noises.noise_{i}" for i in range(2 * doublings + 1))


def discriminator_names(resolution: int) -> Iterator[str]:
    """All names of a discriminator, in the port's order, filters included."""
    yield from (f"convs.0.{part}" for part in _CONV)
    for i in range(1, (resolution // 4).bit_length()):
        for part in _RESIDUAL:
            layer, number, _ = part.split(".")
            if number == "1" and layer != "conv1":
                yield f"convs.{i}.{layer}.0.kernel"
            yield f"convs.{i}.{part}"
    yield from (f"final_conv.{part}" for part in _CONV)
    yield from _named("final_linear", _DENSE, range(2))


def _named(layer: str, parts: dict[str, Place], numbers: range) -> Iterator[str]:
    return (f"{layer}.{number}.{part}" for number in numbers for part in parts)


def _matched(name: str, patterns: _Patterns) -> Place | None:
    for pattern, parts, layer in patterns:
        match = re.fullmatch(pattern, name)
        if match and match[2] in parts:
            place = parts[match[2]]
            return place._replace(name=f"{layer(int(match[1] or 0))}.{place.name}")
    return None


def _layer(index: int) -> str:
    """The convolution with this number above 4x4, where index -1 is the one at 4x4."""
    return f"b{8 << index // 2}.conv{index % 2}" if index >= 0 else "b4.conv1"
