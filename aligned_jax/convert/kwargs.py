"""Official constructor arguments to our configs.

Two code bases record arguments of different form: stylegan2-ada-pytorch nests
the synthesis options under `synthesis_kwargs`; the stylegan3 repository, whose
StyleGAN2 networks have the same tensors, keeps them at the top level and has
other defaults.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from aligned_jax.config import DiscriminatorConfig, GeneratorConfig, from_dict
from aligned_jax.convert.problems import listed
from aligned_jax.errors import ConfigError

ADA = "stylegan2-ada-pytorch"
STYLEGAN3 = "stylegan3"
CODE_BASES = (ADA, STYLEGAN3)

_SIZES = ("z_dim", "c_dim", "w_dim", "img_resolution", "img_channels")
_MAPPING = ("num_layers", "embed_features", "layer_features", "activation", "lr_multiplier")
_BLOCK = ("architecture", "resample_filter", "use_noise", "activation", "conv_clamp")
_SYNTHESIS = ("channel_base", "channel_max", "num_fp16_res", *_BLOCK)
_D_TOP = ("c_dim", "img_resolution", "img_channels", "architecture", "channel_base", "channel_max")
_D_TOP += ("num_fp16_res", "conv_clamp", "cmap_dim")
_D_BLOCK = ("activation", "resample_filter", "freeze_layers")
_EPILOGUE = ("mbstd_group_size", "mbstd_num_channels", "activation")

# Memory layout and scheduling; they do not change what a network computes.
_HARMLESS = ("fp16_channels_last", "channels_last", "fused_modconv_default")

# Defaults by code base, where they differ from those of our configs.
_PRECISION = {ADA: {}, STYLEGAN3: {"num_fp16_res": 4, "conv_clamp": 256.0}}
_W_AVG_BETA = {ADA: 0.995, STYLEGAN3: 0.998}

_MAX_ITEMS, _MAX_DEPTH = 10_000, 8
_D_MAPPING = {"lr_multiplier": 0.01, "w_avg_beta": None}


def code_base_of(kwargs: Mapping[str, Any]) -> str | None:
    """Which code base recorded these generator arguments; None if they do not tell."""
    if "synthesis_kwargs" in kwargs:
        return ADA
    if any(key in kwargs for key in (*_SYNTHESIS, *_HARMLESS)):
        return STYLEGAN3
    return None


def generator_config(kwargs: Mapping[str, Any], code_base: str | None = None) -> GeneratorConfig:
    """Config of a generator from its official constructor arguments.

    `code_base` decides the defaults of absent arguments; None means the one
    that the form of the arguments shows, else stylegan2-ada-pytorch. Raises
    ConfigError naming every unknown argument, or the bad value.
    """
    code_base = code_base or code_base_of(kwargs) or ADA
    top = plain(kwargs)
    mapping = _group(top, "mapping_kwargs")
    synthesis = _group(top, "synthesis_kwargs")
    for key in [key for key in top if key not in _SIZES]:
        if key in synthesis:
            raise ConfigError(f"{key} is given twice: at the top level and in synthesis_kwargs")
        synthesis[key] = top.pop(key)
    synthesis = _regular(synthesis)
    strangers = _strangers(mapping, (*_MAPPING, "w_avg_beta"), "mapping_kwargs")
    strangers += _strangers(synthesis, _SYNTHESIS, "synthesis_kwargs")
    _refuse(strangers, "generator")
    mapping = {"w_avg_beta": _W_AVG_BETA[code_base], **mapping}
    synthesis = {**_PRECISION[code_base], **synthesis}
    values = {**top, "mapping": mapping, "synthesis": _filter(synthesis)}
    return from_dict(GeneratorConfig, values, "constructor arguments of the generator")


def discriminator_config(
    kwargs: Mapping[str, Any], code_base: str | None = None
) -> DiscriminatorConfig:
    """Config of a discriminator from its official constructor arguments.

    The form of the arguments does not tell the code base; None means
    stylegan2-ada-pytorch. Otherwise as `generator_config`.
    """
    code_base = code_base or ADA
    top = plain(kwargs)
    mapping = _group(top, "mapping_kwargs")
    block = _regular(_group(top, "block_kwargs"))
    epilogue = _group(top, "epilogue_kwargs")
    strangers = _strangers(top, _D_TOP, "")
    strangers += _strangers(mapping, _MAPPING, "mapping_kwargs")
    strangers += _strangers(block, _D_BLOCK, "block_kwargs")
    strangers += _strangers(epilogue, _EPILOGUE, "epilogue_kwargs")
    _refuse(strangers, "discriminator")
    values = {**_PRECISION[code_base], **top, **_filter(block)}
    values |= {"mapping": {**_D_MAPPING, **mapping}, "epilogue": epilogue}
    return from_dict(DiscriminatorConfig, values, "constructor arguments of the discriminator")


def plain(value: Any) -> Any:
    """Copy with dictionaries, tuples and numpy numbers made plain Python ones.

    The values come from files that may be hostile, and a few shared lists can
    stand for billions of items: raises ConfigError beyond 10,000 items or a
    depth of eight.
    """
    budget = iter(range(_MAX_ITEMS))

    def copy(value: Any, depth: int) -> Any:
        if depth > _MAX_DEPTH or next(budget, None) is None:
            raise ConfigError("the recorded constructor arguments are nested beyond measure")
        if isinstance(value, np.generic):
            return value.item()
        if isinstance(value, Mapping):
            return {key: copy(item, depth + 1) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [copy(item, depth + 1) for item in value]
        return value

    return copy(value, 0)


def _group(kwargs: dict[str, Any], key: str) -> dict[str, Any]:
    group = kwargs.pop(key, None)
    if group is None:
        return {}
    if not isinstance(group, dict):
        raise ConfigError(f"{key} must be a dictionary, got {type(group).__name__}")
    return group


def _regular(options: dict[str, Any]) -> dict[str, Any]:
    """Without what changes nothing: memory layout, and the one kernel size there is."""
    kept = {key: value for key, value in options.items() if key not in _HARMLESS}
    if kept.get("kernel_size") == 3:
        del kept["kernel_size"]
    return kept


def _filter(options: dict[str, Any]) -> dict[str, Any]:
    """`resample_filter` as floats, so that 1 and 1.0 give equal configs; none is empty."""
    if "resample_filter" not in options:
        return options
    taps = options["resample_filter"]
    return {**options, "resample_filter": () if taps is None else _floats(taps)}


def _floats(taps: Any) -> Any:
    if isinstance(taps, list):
        return [_floats(tap) for tap in taps]
    return float(taps) if isinstance(taps, int) else taps


def _strangers(group: dict[str, Any], known: tuple[str, ...], where: str) -> list[str]:
    prefix = f"{where}." if where else ""
    return sorted(f"{prefix}{key}" for key in set(group) - set(known))


def _refuse(names: list[str], kind: str) -> None:
    if names:
        raise ConfigError(
            f"unknown constructor arguments of the {kind}: {listed(names)}; the network is a "
            "variant whose computation is not known here. Networks of the unmodified "
            "stylegan2-ada-pytorch and stylegan3 repositories can be read"
        )
