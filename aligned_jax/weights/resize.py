"""Another resolution by weight initialisation (StyleAlign, figure 30)."""

import dataclasses
from typing import Any, NamedTuple, overload

import jax

from aligned_jax import networks
from aligned_jax.config import (
    MAX_RESOLUTION,
    DiscriminatorConfig,
    GeneratorConfig,
    NetworkConfig,
    SynthesisConfig,
)
from aligned_jax.errors import ConfigError, UserError
from aligned_jax.types import Array, PyTree, Variables
from aligned_jax.weights.structure import array_differences


class Resized(NamedTuple):
    """A network of another resolution, and what became of its arrays, by path."""

    config: NetworkConfig
    variables: Variables
    new: tuple[str, ...]
    dropped: tuple[str, ...]


def resize(
    network: PyTree | tuple[NetworkConfig, Variables], resolution: int, key: Array
) -> Resized:
    """A generator or discriminator started at `resolution` from trained weights.

    Args:
      network: a `Network`, a `DiscriminatorNetwork`, or (config, variables).
      resolution: 8 to 1024, below or above the present one.
      key: draws the new weights, as `networks.init_variables` does.

    Blocks that both resolutions have, the mapping network, `w_avg` and noise
    maps are copied untouched; new blocks, and the tRGB or fromRGB that a new
    top block lacks, are freshly drawn. A generator made smaller loses the tRGB
    terms of the dropped blocks and draws with low contrast until fine-tuned.

    Channels of present resolutions stay. Those of new ones follow channel_base
    and channel_max; where `channels` lists them, they are also no more than in
    the block below. `freeze_layers` of a discriminator counts from the top,
    which is new, and restarts at 0.

    Jit-able in the variables and the key; differentiable in the variables.

    Raises:
      UserError: if `network` has no config, or is an encoder.
      ConfigError: if the resolution is not possible, or the variables are not
        those of the config.
    """
    config, variables = _parts(network)
    old = _by_path(variables)
    misfits = array_differences(_by_path(networks.variable_shapes(config)), old)
    if misfits:
        raise ConfigError(
            "\n  ".join(["the variables (second) do not fit their config:", *misfits])
        )
    wanted: NetworkConfig
    if isinstance(config, GeneratorConfig):  # noqa: SIM114  # checkers take one type at a time
        wanted = resized_config(config, resolution)
    elif isinstance(config, DiscriminatorConfig):
        wanted = resized_config(config, resolution)
    else:
        raise UserError("an encoder cannot be resized; give a generator or a discriminator")
    if wanted == config:
        return Resized(config, variables, (), ())
    fresh = networks.init_variables(wanted, key)
    drawn = _by_path(fresh)
    merged = [old.get(path, value) for path, value in drawn.items()]
    return Resized(
        config=wanted,
        variables=jax.tree.unflatten(jax.tree.structure(fresh), merged),
        new=tuple(path for path in drawn if path not in old),
        dropped=tuple(path for path in old if path not in drawn),
    )


def _parts(network: Any) -> tuple[NetworkConfig, Variables]:
    if isinstance(network, tuple) and len(network) == 2:
        return network
    if hasattr(network, "config") and hasattr(network, "variables"):
        return network.config, network.variables
    raise UserError(
        f"resize got {type(network).__name__} without sizes; give a Network or (config, variables)"
    )


@overload
def resized_config(config: GeneratorConfig, resolution: int) -> GeneratorConfig: ...
@overload
def resized_config(config: DiscriminatorConfig, resolution: int) -> DiscriminatorConfig: ...
@overload
def resized_config(config: NetworkConfig, resolution: int) -> NetworkConfig: ...
def resized_config(config: NetworkConfig, resolution: int) -> NetworkConfig:
    """The config that `resize` gives a network; ConfigError if the resolution is not possible."""
    if resolution == config.img_resolution:
        return config
    if isinstance(config, GeneratorConfig):
        channels = _channels(config.synthesis, resolution)
        synthesis = dataclasses.replace(config.synthesis, channels=channels)
        return dataclasses.replace(config, img_resolution=resolution, synthesis=synthesis)
    channels = _channels(config, resolution)
    return dataclasses.replace(
        config, img_resolution=resolution, channels=channels, freeze_layers=0
    )


def _channels(
    sizes: SynthesisConfig | DiscriminatorConfig, resolution: int
) -> tuple[int, ...] | None:
    """An explicit channel table, cut or extended to `resolution`; None stays None."""
    if sizes.channels is None:
        return None
    blocks = [2**k for k in range(2, MAX_RESOLUTION.bit_length()) if 2**k <= resolution]
    table = list(sizes.channels[: len(blocks)])
    for block in blocks[len(table) :]:
        table.append(min(table[-1], sizes.channel_base // block, sizes.channel_max))
    return tuple(table)


def _by_path(tree: PyTree) -> dict[str, Any]:
    flat = jax.tree_util.tree_flatten_with_path(tree)[0]
    return {jax.tree_util.keystr(path, simple=True, separator="/"): value for path, value in flat}
