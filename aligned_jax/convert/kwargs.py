"""Official constructor arguments to our configs.

Two code bases record arguments of different form: stylegan2-ada-pytorch nests
the synthesis options under `synthesis_kwargs`; the stylegan3 repository, whose
StyleGAN2 networks have the same tensors, keeps them at the top level and has
other defaults.
"""

from collections.abc import Mapping
from typing import Any

from aligned_jax.config import DiscriminatorConfig, GeneratorConfig, from_dict
from aligned_jax.convert import forks
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
    """The recorded arguments of a generator as (nested) fields of its config.

    Raises ConfigError or FormatError naming every unknown argument where it stands, unless
    its value says that it changes nothing.
    """
    values, judged = _generator(kwargs)
    _refuse(judged.strangers, "generator")
    return values


def discriminator_values(kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """The recorded arguments of a discriminator as (nested) fields of its config.

    Raises as `generator_values`.
    """
    values, judged = _discriminator(kwargs)
    _refuse(judged.strangers, "discriminator")
    return values


def passed_over(kwargs: Mapping[str, Any], is_generator: bool) -> list[str]:
    """Unknown arguments ("place=value") that were taken to change nothing."""
    return (_generator if is_generator else _discriminator)(kwargs)[1].passed


def _generator(kwargs: Mapping[str, Any]) -> tuple[dict[str, Any], forks.Judged]:
    top = plain(kwargs)
    mapping = _group(top, "mapping_kwargs")
    groups = {"synthesis_kwargs": _group(top, "synthesis_kwargs")}
    groups["block_kwargs"] = _group(top, "block_kwargs")  # of forks
    synthesis, extras = _taken({"": top, **groups}, (*_SYNTHESIS, *_SIZES))
    sizes = {key: synthesis.pop(key) for key in _SIZES if key in synthesis}
    mapping, strange = _taken({"mapping_kwargs": mapping}, (*_MAPPING, "w_avg_beta"))
    judged = forks.judge({**strange, **extras}, _one_side(sizes))
    return {**sizes, "mapping": mapping, "synthesis": _filter(synthesis)}, judged


def _discriminator(kwargs: Mapping[str, Any]) -> tuple[dict[str, Any], forks.Judged]:
    top = plain(kwargs)
    groups = {key: _group(top, key) for key in ("mapping_kwargs", "block_kwargs")}
    epilogue_kwargs = _group(top, "epilogue_kwargs")
    top, extras = _taken({"": top}, _D_TOP)
    mapping, more = _taken({"mapping_kwargs": groups["mapping_kwargs"]}, _MAPPING)
    block, still = _taken({"block_kwargs": groups["block_kwargs"]}, _D_BLOCK)
    epilogue, last = _taken({"epilogue_kwargs": epilogue_kwargs}, _EPILOGUE)
    judged = forks.judge({**extras, **more, **still, **last}, _one_side(top))
    return {**top, **_filter(block), "mapping": mapping, "epilogue": epilogue}, judged


def _one_side(sizes: dict[str, Any]) -> Any:
    """The resolution, set to one number where a fork records two equal ones."""
    if "img_resolution" in sizes:
        sizes["img_resolution"] = forks.square_side(sizes["img_resolution"])
    return sizes.get("img_resolution")


def _taken(
    groups: Mapping[str, dict[str, Any]], known: tuple[str, ...]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Arguments of several groups as one, and those that are not known, by dotted place."""
    taken: dict[str, Any] = {}
    extras: dict[str, Any] = {}
    places: dict[str, str] = {}
    for group, options in groups.items():
        for key, value in _regular(options).items():
            place = f"{group}.{key}" if group else key
            if key not in known:
                extras[place] = value
                continue
            if key in taken:
                raise ConfigError(f"{key} is given twice: as {places[key]} and as {place}")
            taken[key], places[key] = value, place
    return taken, extras


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


def _refuse(names: list[str], kind: str) -> None:
    if names:
        raise ConfigError(
            f"unknown constructor arguments of the {kind}: {listed(sorted(names, key=_depth))}; "
            "the network is a variant whose computation is not known here. Networks of the "
            "unmodified stylegan2-ada-pytorch and stylegan3 repositories can be read"
        )


def _depth(place: str) -> tuple[bool, str]:
    """Arguments at the top before those in groups, by name."""
    return "." in place, place
