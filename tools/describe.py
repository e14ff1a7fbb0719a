"""Networks in words: one line, or a list of facts."""

import math
from typing import Any

import jax

from aligned_jax import weights
from aligned_jax.config import GeneratorConfig, NetworkConfig
from aligned_jax.latents import style_layers
from aligned_jax.networks import variable_shapes

_COLOURS = {1: "grey", 3: "RGB", 4: "RGBA"}


def headline(config: NetworkConfig) -> str:
    """One line, such as "a 256 px RGB generator, 23,190,000 parameters"."""
    kind = "generator" if isinstance(config, GeneratorConfig) else "discriminator"
    total = sum(parameters(config).values())
    size = f"{config.img_resolution} px {colours(config)}"
    return f"a {size} {kind}, {total:,} parameters"


def colours(config: NetworkConfig) -> str:
    """Name of the colour space."""
    return _COLOURS.get(config.img_channels, f"{config.img_channels}-channel")


def parameters(config: NetworkConfig) -> dict[str, int]:
    """Trainable parameters: by component for a generator, by block for a discriminator."""
    if isinstance(config, GeneratorConfig):
        return {name: count for name, count in weights.count(config).items() if count}
    blocks = variable_shapes(config)["params"]
    return {
        block: sum(math.prod(leaf.shape) for leaf in jax.tree.leaves(blocks[block]))
        for block in sorted(blocks, key=lambda name: (len(name), name))
    }


def styles_table(config: GeneratorConfig) -> list[dict[str, Any]]:
    """The layers of StyleSpace in order of evaluation."""
    return [
        {
            "index": layer.index,
            "layer": layer.name,
            "resolution": layer.resolution,
            "channels": layer.channels,
            "w_row": layer.w_row,
            "kind": layer.kind,
        }
        for layer in style_layers(config)
    ]
