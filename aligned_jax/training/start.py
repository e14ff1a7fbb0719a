"""What a fine-tuning run starts from (the official rules of resuming; StyleAlign, section 3).

Weights, noise maps and the mean of w are copied by name from any source, at
another resolution as `weights.resize` does it. All the rest starts afresh in
`create_state`: Adam, the mean path length, p, the count of images.
"""

import dataclasses
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast

import jax

from aligned_jax.config import (
    KEYS,
    AnyConfig,
    DiscriminatorConfig,
    GeneratorConfig,
    NetworkConfig,
    kind_of,
    to_dict,
)
from aligned_jax.errors import ConfigError
from aligned_jax.networks import init_variables, variable_shapes
from aligned_jax.networks.encoder_network import AnyNetwork
from aligned_jax.networks.network import DiscriminatorNetwork, GanNetwork, Network
from aligned_jax.training.optimizer import frozen_layers
from aligned_jax.types import Array, PyTree, Variables
from aligned_jax.utils.text import listed
from aligned_jax.weights.resize import resized_config
from aligned_jax.weights.structure import flat_options

# Options that say nothing about a network's function: two runs may well differ in them.
_FREE = {"freeze_layers", "num_fp16_res", "synthesis.num_fp16_res", "mapping.w_avg_beta"}
_SIZES = {"channel_base", "channel_max", "channels", "embed_features", "layer_features"}


@dataclass(frozen=True)
class StartReport:
    """What became of every array, by path ("D/params/b8/conv0/weight").

    `copied` come from the source, `fresh` were drawn, `dropped` are in the
    source only. `notes` are sentences that the user should read.
    """

    copied: tuple[str, ...]
    fresh: tuple[str, ...]
    dropped: tuple[str, ...]
    notes: tuple[str, ...]

    def lines(self) -> list[str]:
        """A few lines for people: arrays by block of a network, and the notes."""
        fates = {"copied": self.copied, "new": self.fresh, "left out": self.dropped}
        blocks = {
            what: Counter(" ".join(_block(path)) for path in paths) for what, paths in fates.items()
        }
        return [
            f"{what} {counts.total()} arrays: "
            + ", ".join(f"{block} ({count})" for block, count in counts.items())
            for what, counts in blocks.items()
            if counts
        ] + list(self.notes)


def starting_configs(
    source: Mapping[str, AnyConfig],
    resolution: int | None = None,
    c_dim: int | None = None,
    freeze_layers: int = 0,
) -> tuple[GeneratorConfig, DiscriminatorConfig]:
    """Sizes of a run that fine-tunes networks: their own, with what is given changed.

    Args:
      source: their configs by key. Without a discriminator it gets one as wide as its
        generator.
      resolution, c_dim: of the run; None are the source's.
      freeze_layers: of the discriminator.

    Raises:
      ConfigError: if the source has no generator, or the resolution is not possible.
    """
    generator = cast(GeneratorConfig, _generator_of(source))  # by its key
    resolution = generator.img_resolution if resolution is None else resolution
    generator = resized_config(generator, resolution)
    if "D" in source:
        critic = cast(DiscriminatorConfig, source["D"])  # by its key
        discriminator = resized_config(critic, resolution)
    else:
        sizes = generator.synthesis
        discriminator = DiscriminatorConfig(
            resolution,
            c_dim=generator.c_dim,
            img_channels=generator.img_channels,
            channel_base=sizes.channel_base,
            channel_max=sizes.channel_max,
            channels=sizes.channels,
            num_fp16_res=sizes.num_fp16_res,
            conv_clamp=sizes.conv_clamp,
        )
    labels = [n.c_dim if c_dim is None else c_dim for n in (generator, discriminator)]
    return (
        dataclasses.replace(generator, c_dim=labels[0]),
        dataclasses.replace(discriminator, freeze_layers=freeze_layers, c_dim=labels[1]),
    )


def starting_networks(
    source: Mapping[str, AnyNetwork],
    generator: GeneratorConfig,
    discriminator: DiscriminatorConfig,
    seed: int = 0,
    partial: bool = False,
) -> tuple[dict[str, Variables], StartReport]:
    """Variables for `create_state(..., networks=)`, from those of `source`.

    Args:
      source: networks by key, from `load_all`. Without G the generator starts
        as G_ema, without G_ema as G; without D the discriminator is untrained.
      generator, discriminator: sizes of the run. Another resolution than the
        source's is fine: `weights.resize` says what is kept and what is new.
      seed: of the run; draws what is new, as `create_state` does.
      partial: copy what fits by name and shape, and draw the rest, where the
        networks differ in more than the resolution (labels, widths, layers).

    Returns:
      variables by "G", "D", "G_ema", and what was copied, drawn and left out.

    Raises:
      ConfigError: with every difference, if the networks differ in more than the
        resolution and `partial` is False; if there is no generator; or if
        layers to be frozen (FreezeD) would be new ones.
    """
    given = _by_role(source)
    configs: dict[str, NetworkConfig] = {
        "G": generator,
        "D": discriminator,
        "G_ema": generator,
    }
    if not partial:
        _check_fit(given, configs)
    keys = jax.random.split(jax.random.key(seed, impl="threefry2x32"), 3)
    # One key for both generators: what is new in them is alike.
    of_key = {"G": keys[0], "D": keys[1], "G_ema": keys[0]}
    merged: dict[str, Variables] = {}
    lists: dict[str, list[str]] = {"copied": [], "fresh": [], "dropped": []}
    for key, config in configs.items():
        merged[key], fates = _merge(given.get(key), config, of_key[key])
        for kind, paths in fates.items():
            lists[kind] += [f"{key}/{path}" for path in paths]
    _check_frozen(discriminator, lists["fresh"])
    notes = _absences(source) + _option_notes(given, configs)
    copied, fresh, dropped = (tuple(lists[kind]) for kind in ("copied", "fresh", "dropped"))
    report = StartReport(copied, fresh, dropped, notes=tuple(notes))
    return merged, report


def _generator_of(source: Mapping[str, Any]) -> Any:
    """What stands for the generator, of networks or configs by key."""
    if not {"G", "G_ema"} & set(source):
        present = ", ".join(source) or "nothing"
        raise ConfigError(f"a run starts from a generator, but the source has {present}")
    return source["G"] if "G" in source else source["G_ema"]


def _by_role(source: Mapping[str, AnyNetwork]) -> dict[str, GanNetwork]:
    """The source with each generator standing in for the other; D may be missing."""
    either = cast(Network, _generator_of(source))  # by its key, as those below
    average = cast(Network, source.get("G_ema", either))
    given: dict[str, GanNetwork] = {"G": either, "G_ema": average}
    if "D" in source:
        given["D"] = cast(DiscriminatorNetwork, source["D"])
    return given


def _absences(source: Mapping[str, AnyNetwork]) -> list[str]:
    notes = []
    if "G" not in source:
        notes.append("the source has no G: the generator starts from its average, G_ema")
    if "G_ema" not in source:
        notes.append("the source has no G_ema: the average starts from G")
    if "D" not in source:
        notes.append(
            "the source has no D: the discriminator starts untrained, so the first images pull "
            "the generator away from its parent; a source with D aligns better"
        )
    return notes


def _check_fit(given: Mapping[str, GanNetwork], configs: Mapping[str, NetworkConfig]) -> None:
    """Refuses what cannot be copied whole once the resolution is the same."""
    wrong = []
    for key in KEYS[1:]:
        if key in given:
            ours, theirs = configs[key], _at_resolution_of(configs[key], given[key].config)
            if _shapes(ours) != _shapes(theirs):
                options = _option_differences(theirs, ours, {"freeze_layers"})
                wrong += [f"{key}: {line}" for line in options]
    if wrong:
        raise ConfigError(
            "the source does not fit the networks of this run:\n  "
            + listed(wrong, separator="\n  ")
            + "\ntake the sizes of the source, or copy what fits and draw the rest with "
            "`partial=True`"
        )


def _check_frozen(discriminator: DiscriminatorConfig, fresh: Iterable[str]) -> None:
    layers = {path.rpartition("/")[0] for path in fresh}
    wrong = [
        f"{block}/{layer}"
        for block, layer in frozen_layers(discriminator)
        if any(f"{name}/".startswith(f"D/params/{block}/{layer}/") for name in layers)
    ]
    if wrong:
        raise ConfigError(
            f"freeze_layers is {discriminator.freeze_layers}, but these layers of D are new and "
            f"would never be trained: {listed(wrong)}; use 0"
        )


def _merge(
    network: GanNetwork | None, config: NetworkConfig, key: Array
) -> tuple[Variables, dict[str, list[str]]]:
    """Variables of `config`, from `network` where name and shape agree, else drawn."""
    old = {} if network is None else _by_path(network.variables)
    wanted = _by_path(variable_shapes(config))
    copied = [p for p in wanted if p in old and old[p].shape == wanted[p].shape]
    fresh = [p for p in wanted if p not in set(copied)]
    drawn = _by_path(init_variables(config, key)) if fresh else {}
    taken = set(copied)
    values = [old[p] if p in taken else drawn[p] for p in wanted]
    variables = jax.tree.unflatten(jax.tree.structure(variable_shapes(config)), values)
    dropped = [p for p in old if p not in taken]
    return variables, {"copied": copied, "fresh": fresh, "dropped": dropped}


def _option_notes(
    given: Mapping[str, GanNetwork], configs: Mapping[str, NetworkConfig]
) -> list[str]:
    """Options that fit the arrays, and yet change what they compute."""
    return [
        f"{kind_of(configs[key])} {line}"
        for key in KEYS[1:]
        if key in given
        for line in _option_differences(
            _at_resolution_of(configs[key], given[key].config), configs[key], _FREE
        )
    ]


def _option_differences(
    theirs: NetworkConfig, ours: NetworkConfig, free: Iterable[str]
) -> list[str]:
    there, here = (flat_options(to_dict(config)) for config in (theirs, ours))
    # Widths can be written in several ways; they count where they lead to other shapes.
    sizes = _SIZES if _shapes(theirs) == _shapes(ours) else ()
    return [
        f"{name}: {there[name]} in the source, {here[name]} here"
        for name in here
        if name not in free and name.rpartition(".")[2] not in sizes and there[name] != here[name]
    ]


def _at_resolution_of(config: NetworkConfig, theirs: NetworkConfig) -> NetworkConfig:
    return resized_config(theirs, config.img_resolution)


def _shapes(config: NetworkConfig) -> dict[str, Any]:
    return {path: leaf.shape for path, leaf in _by_path(variable_shapes(config)).items()}


def _by_path(tree: PyTree) -> dict[str, Any]:
    flat = jax.tree_util.tree_flatten_with_path(tree)[0]
    return {jax.tree_util.keystr(path, simple=True, separator="/"): value for path, value in flat}


def _block(path: str) -> tuple[str, str]:
    """Network and block of an array: ("G", "b8"), ("D", "mapping")."""
    network, *rest = path.split("/")
    return network, next(p for p in rest if p not in ("params", "noise", "stats", "synthesis"))
