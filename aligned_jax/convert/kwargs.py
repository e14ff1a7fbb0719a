"""Official constructor arguments to our configs.

Two code bases record arguments of different form: stylegan2-ada-pytorch nests
the synthesis options under `synthesis_kwargs`; the stylegan3 repository, whose
StyleGAN2 networks have the same tensors, keeps them at the top level and has
other defaults.
"""

from collections.abc import Mapping
from typing import Any

from aligned_jax.config import DiscriminatorConfig, GeneratorConfig, from_dict
from aligned_jax.convert.files.inert import plain
from aligned_jax.errors import ConfigError
from aligned_jax.utils.text import listed

ADA = "stylegan2-ada-pytorch"
STYLEGAN3 = "stylegan3"

_SIZES = ("z_dim", "c_dim", "w_dim", "img_resolution", "img_channels")
_MAPPING = ("num_layers", "embed_features", "layer_features", "activation", "lr_multiplier")
_BLOCK = ("architecture", "resample_filter", "use_noise", "activation", "conv_clamp")
_SYNTHESIS = ("channel_base", "channel_max", "num_fp16_res", *_BLOCK)
_D_CHANNELS = ("channel_base", "channel_max", "num_fp16_res", "conv_clamp", "cmap_dim")
_D_TOP = ("c_dim", "img_resolution", "img_channels", "architecture", *_D_CHANNELS)
_D_BLOCK = ("activation", "resample_filter", "freeze_layers")
_EPILOGUE = ("mbstd_group_size", "mbstd_num_channels", "activation")

# Memory layout and scheduling; they do not change what a network computes.
_HARMLESS = ("fp16_channels_last", "channels_last", "fused_modconv_default")

# Defaults by code base, where they differ from those of our configs.
_PRECISION = {ADA: {}, STYLEGAN3: {"num_fp16_res": 4, "conv_clamp": 256.0}}
_W_AVG_BETA = {ADA: 0.995, STYLEGAN3: 0.998}


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
    values = merge(generator_defaults(code_base), generator_values(kwargs))
    return from_dict(GeneratorConfig, values, "constructor arguments of the generator")


def discriminator_config(
    kwargs: Mapping[str, Any], code_base: str | None = None
) -> DiscriminatorConfig:
    """Config of a discriminator from its official constructor arguments.

    The form of the arguments does not tell the code base; None means
    stylegan2-ada-pytorch. Otherwise as `generator_config`.
    """
    values = merge(discriminator_defaults(code_base or ADA), discriminator_values(kwargs))
    return from_dict(DiscriminatorConfig, values, "constructor arguments of the discriminator")


def generator_defaults(code_base: str) -> dict[str, Any]:
    """Defaults of a code base that differ from our config's, as config fields."""
    mapping = {"w_avg_beta": _W_AVG_BETA[code_base]}
    return {"mapping": mapping, "synthesis": _PRECISION[code_base]}


def discriminator_defaults(code_base: str) -> dict[str, Any]:
    """What `generator_defaults` is, of discriminators; their label mapping learns at its rate."""
    mapping = {"lr_multiplier": 0.01, "w_avg_beta": None}
    return {**_PRECISION[code_base], "mapping": mapping}


def generator_values(kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """The recorded arguments of a generator as (nested) fields of its config."""
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
    return {**top, "mapping": mapping, "synthesis": _filter(synthesis)}


def discriminator_values(kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """The recorded arguments of a discriminator as (nested) fields of its config."""
    top = plain(kwargs)
    mapping = _group(top, "mapping_kwargs")
    block = _regular(_group(top, "block_kwargs"))
    epilogue = _group(top, "epilogue_kwargs")
    strangers = _strangers(top, _D_TOP, "")
    strangers += _strangers(mapping, _MAPPING, "mapping_kwargs")
    strangers += _strangers(block, _D_BLOCK, "block_kwargs")
    strangers += _strangers(epilogue, _EPILOGUE, "epilogue_kwargs")
    _refuse(strangers, "discriminator")
    return {**top, **_filter(block), "mapping": mapping, "epilogue": epilogue}


def merge(*layers: Mapping[str, Any]) -> dict[str, Any]:
    """Nested dictionaries merged into a new one; later ones win."""
    merged: dict[str, Any] = {}
    for layer in layers:
        for key, value in layer.items():
            if isinstance(value, Mapping):
                below = merged.get(key)
                value = merge(below if isinstance(below, Mapping) else {}, value)
            merged[key] = value
    return merged


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
