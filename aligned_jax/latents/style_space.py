"""StyleSpace: names, indices and widths of the style vectors, derived from the config.

The affine layers turn W+ [N, L, D] into S, one style vector [N, C] for each layer.
"""

import re
from dataclasses import dataclass

import jax.numpy as jnp

from aligned_jax.config import GeneratorConfig
from aligned_jax.errors import UserError
from aligned_jax.types import AnyStyles, Array, Styles
from aligned_jax.utils.text import listed


@dataclass(frozen=True)
class StyleLayer:
    """One layer of StyleSpace.

    `index` is the layer's number in order of evaluation (the 15 of "15_45"),
    `channels` its width, the layer's *input* channels, and `w_row` the row of
    W+ that its affine reads.
    """

    index: int
    name: str
    kind: str  # "conv" or "torgb"
    resolution: int
    channels: int
    w_row: int


def style_layers(config: GeneratorConfig) -> tuple[StyleLayer, ...]:
    """All layers of StyleSpace in order of evaluation.

    With the "skip" architecture index 0 is the 4x4 convolution, 1 its tRGB, and
    resolution 2**k has 3k-7 (conv0), 3k-6 (conv1), 3k-5 (tRGB). A tRGB shares
    its row of W+ with the next block's conv0.
    """
    layers: list[tuple[str, str, int, int, int]] = []
    row = 0
    for resolution in config.resolutions:
        width = config.channels[resolution]
        if resolution > 4:
            layers.append(("conv0", "conv", resolution, config.channels[resolution // 2], row))
            row += 1
        layers.append(("conv1", "conv", resolution, width, row))
        row += 1
        if config.has_torgb(resolution):
            layers.append(("torgb", "torgb", resolution, width, row))
    return tuple(
        StyleLayer(index, f"b{resolution}.{layer}", kind, resolution, channels, row)
        for index, (layer, kind, resolution, channels, row) in enumerate(layers)
    )


def style_layer(config: GeneratorConfig, which: int | str) -> StyleLayer:
    """The layer with this index or name ("b128.conv1").

    Raises:
      UserError: naming the valid indices and names.
    """
    layers = style_layers(config)
    for layer in layers:
        if which in (layer.index, layer.name):
            return layer
    names = ", ".join(layer.name for layer in layers)
    raise UserError(f"no such style layer: {which!r}; it is 0 to {len(layers) - 1} or {names}")


def parse_channel(config: GeneratorConfig, text: str) -> tuple[StyleLayer, int]:
    """Layer and channel of a StyleSpace name: "15_45" or "b128.conv1_45".

    Raises:
      UserError: if the text is no such name, or the layer or channel does not exist.
    """
    match = re.fullmatch(r"(\d+|b\d+\.\w+?)_(\d+)", text.strip())
    if not match:
        raise UserError(f"not a StyleSpace channel: {text!r}; write LAYER_CHANNEL, like 15_45")
    layer = style_layer(config, int(match[1]) if match[1].isdigit() else match[1])
    channel = int(match[2])
    if channel >= layer.channels:
        raise UserError(
            f"no channel {channel} in style layer {layer.index} ({layer.name}); "
            f"it has channels 0 to {layer.channels - 1}"
        )
    return layer, channel


def channel_name(config: GeneratorConfig, layer: int | str, channel: int) -> str:
    """Inverse of `parse_channel`: "15_45" for layer 15 or "b128.conv1" and channel 45."""
    return f"{style_layer(config, layer).index}_{channel}"


def check_styles(config: GeneratorConfig, styles: AnyStyles) -> None:
    """Raises UserError listing every missing, unknown or ill-shaped style vector."""
    layers = {layer.name: layer.channels for layer in style_layers(config)}
    wrong = [f"{name} is missing" for name in layers if name not in styles]
    wrong += [f"{name} is unknown" for name in styles if name not in layers]
    known = {name: value for name, value in styles.items() if name in layers}
    wrong += [
        f"{name} has shape {tuple(value.shape)}, expected [N, {layers[name]}]"
        for name, value in known.items()
        if value.ndim != 2 or value.shape[1] != layers[name]
    ]
    batches = {value.shape[0] for value in known.values() if value.ndim == 2}
    if len(batches) > 1:
        wrong.append(f"batch sizes differ: {sorted(batches)}")
    if wrong:
        raise UserError(f"styles do not fit this network: {listed(wrong, separator='; ')}")


def concatenate_styles(config: GeneratorConfig, styles: AnyStyles) -> Array:
    """S as one array [N, sum of channels], layers in order of evaluation."""
    check_styles(config, styles)
    return jnp.concatenate([styles[layer.name] for layer in style_layers(config)], axis=1)


def split_styles(config: GeneratorConfig, s: Array) -> Styles:
    """Style vectors {layer: [N, C]} of S [N, sum of channels]: undoes `concatenate_styles`.

    Raises:
      UserError: if the width is not the network's.
    """
    layers = style_layers(config)
    total = sum(layer.channels for layer in layers)
    if s.ndim != 2 or s.shape[1] != total:
        raise UserError(f"s has shape {s.shape}; this network's StyleSpace is [N, {total}]")
    styles, start = {}, 0
    for layer in layers:
        styles[layer.name] = s[:, start : start + layer.channels]
        start += layer.channels
    return styles
