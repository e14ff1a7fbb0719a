"""Writes networks as the community port does (rosinality/stylegan2-pytorch).

pSp, e4e, StyleCLIP, GANSpace and others start from such files: a dictionary with the state
dicts `g_ema`, `g`, `d` and with `latent_avg`, the mean of w. The port has one architecture,
so that many networks do not fit into it; `misfits` says why.
"""

import json
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from aligned_jax.config import (
    DEFAULT_FILTER,
    AnyConfig,
    DiscriminatorConfig,
    EncoderConfig,
    GeneratorConfig,
)
from aligned_jax.convert.files.torch_writer import write_torch
from aligned_jax.convert.formats.port_names import (
    FORMAT_VERSION,
    KEYS,
    METADATA_KEY,
    checksum,
    discriminator_names,
    discriminator_place,
    generator_names,
    generator_place,
    kernel_gain,
)
from aligned_jax.convert.new_file import appearing, finite
from aligned_jax.convert.rules import filter_kernel, to_official
from aligned_jax.errors import FormatError
from aligned_jax.types import Variables
from aligned_jax.utils.checksums import sealed
from aligned_jax.utils.text import listed

_PORT_KEYS = {ours: theirs for theirs, ours in KEYS.items()}
_LR_MULTIPLIER = 0.01
_WIDEST = 512


def write_port(
    path: str | os.PathLike,
    networks: Mapping[str, tuple[AnyConfig, Variables | Callable[[], Variables]]],
    provenance: Mapping[str, Any] | None = None,
    half: bool = False,
    overwrite: bool = True,
) -> None:
    """Writes networks {"G_ema" | "G" | "D": (config, variables)} to one .pt file.

    Variables may be a function that returns them, called when their turn comes. Every tensor
    holds, bit for bit, the numbers of the network; `half` stores float16. The file appears
    under its name only when it is complete; without `overwrite` it never replaces another.

    Raises FormatError when the port has no such network, naming everything that does not fit;
    for numbers that are not finite; and when the file cannot be written, in which case
    nothing is left behind.
    """
    path = Path(path)
    if problems := [
        f"{key}: {problem}" for key, (config, _) in networks.items() for problem in misfits(config)
    ]:
        raise FormatError(
            f"{path} was not written: the community port has no such network: "
            f"{listed(problems, separator='; ')}. Export to a name that ends in .safetensors, "
            "which takes every network"
        )
    states: dict[str, dict[str, np.ndarray]] = {}
    mean: np.ndarray | None = None
    for key, (config, variables) in networks.items():
        official = to_official(config, variables() if callable(variables) else variables)
        if isinstance(config, EncoderConfig):
            continue  # was refused above
        states[_PORT_KEYS[key]] = port_tensors(config, official)
        if key == "D":
            continue
        if mean is not None and mean.tobytes() != official["mapping.w_avg"].tobytes():
            raise FormatError(
                f"{path} was not written: the port keeps one mean of w, and those of G_ema and G "
                "differ; export one of them"
            )
        mean = official["mapping.w_avg"]
    content: dict[str, Any] = {key: states[key] for key in KEYS if key in states}
    content |= {} if mean is None else {"latent_avg": mean}
    if half:
        content = _halved(content)
    for key, state in content.items():
        finite(path, state if isinstance(state, dict) else {key: state})
    document = {
        "format_version": FORMAT_VERSION,
        "provenance": provenance,
        "checksum": checksum(content),
    }
    content[METADATA_KEY] = json.dumps(sealed(document))
    with appearing(path, overwrite) as temporary, open(temporary, "wb") as file:
        write_torch(file, content)


def port_tensors(
    config: GeneratorConfig | DiscriminatorConfig, official: Mapping[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """A network's tensors under the port's names, in its order, with its axes and filters."""
    is_generator = isinstance(config, GeneratorConfig)
    if isinstance(config, GeneratorConfig):
        names = generator_names(config.img_resolution, config.mapping.num_layers)
    else:
        names = discriminator_names(config.img_resolution)
    kernel = filter_kernel(DEFAULT_FILTER) * np.float32(kernel_gain(is_generator))
    tensors = {}
    for name in names:
        place = (
            generator_place(name)
            if is_generator
            else discriminator_place(name, config.img_resolution)
        )
        if place is None:  # a filter
            tensors[name] = kernel
            continue
        array = official[place.name]
        axes = (1,) * place.leading + array.shape + (1,) * place.trailing
        tensors[name] = array.reshape(axes)
    return tensors


def misfits(config: AnyConfig) -> list[str]:
    """Why the port has no network of this config; empty if it has."""
    if isinstance(config, EncoderConfig):
        return ["it has no encoders"]
    if isinstance(config, DiscriminatorConfig):
        epilogue = config.epilogue
        return _differences(
            [
                ("architecture", config.architecture, "resnet"),
                ("c_dim", config.c_dim, 0),
                ("img_channels", config.img_channels, 3),
                ("activation", config.activation, "lrelu"),
                ("resample_filter", config.resample_filter, DEFAULT_FILTER),
                ("epilogue.activation", epilogue.activation, "lrelu"),
                ("epilogue.mbstd_num_channels", epilogue.mbstd_num_channels, 1),
                ("epilogue.mbstd_group_size", epilogue.mbstd_group_size, 4),
            ]
        )
    mapping, synthesis = config.mapping, config.synthesis
    return _differences(
        [
            ("synthesis.architecture", synthesis.architecture, "skip"),
            ("c_dim", config.c_dim, 0),
            ("z_dim", config.z_dim, config.w_dim),
            ("mapping.layer_features", mapping.layer_features or config.w_dim, config.w_dim),
            ("mapping.activation", mapping.activation, "lrelu"),
            ("mapping.lr_multiplier", mapping.lr_multiplier, _LR_MULTIPLIER),
            ("img_channels", config.img_channels, 3),
            ("synthesis.activation", synthesis.activation, "lrelu"),
            ("synthesis.resample_filter", synthesis.resample_filter, DEFAULT_FILTER),
            ("synthesis.use_noise", synthesis.use_noise, True),
        ]
    )


def port_usage(config: GeneratorConfig) -> list[str]:
    """How the port makes a generator that takes such a file, and what it leaves out."""
    arguments = f"{config.img_resolution}, {config.w_dim}, {config.mapping.num_layers}"
    lines = [f"in the port: Generator({arguments})"]
    tables = {2: f"Generator({arguments})", 1: f"Generator({arguments}, channel_multiplier=1)"}
    fitting = [text for factor, text in tables.items() if _widths(config, factor)]
    if fitting:
        lines = [f"in the port: {fitting[0]}"]
    else:
        table = ", ".join(f"{r}: {count}" for r, count in config.channels.items())
        lines[0] += f", with its table of channels replaced by {{{table}}}"
    if config.synthesis.conv_clamp is not None:
        lines.append(
            f"the port clamps nothing: conv_clamp={config.synthesis.conv_clamp:g} is left out, "
            "which matters only where activations go beyond it"
        )
    return lines


def _widths(config: GeneratorConfig, factor: int) -> bool:
    """Whether the port has these channels with this `channel_multiplier`."""
    return all(
        count == (_WIDEST if r <= 32 else factor * 16384 // r)
        for r, count in config.channels.items()
    )


def _differences(options: Iterable[tuple[str, Any, Any]]) -> list[str]:
    return [
        f"{name} is {given!r}, where it has {wanted!r} only"
        for name, given, wanted in options
        if given != wanted
    ]


def _halved(content: Mapping[str, Any]) -> dict[str, Any]:
    """All arrays in float16; what is too large for it becomes infinite."""
    with np.errstate(over="ignore"):
        return {
            key: _halved(value) if isinstance(value, dict) else value.astype(np.float16)
            for key, value in content.items()
        }
