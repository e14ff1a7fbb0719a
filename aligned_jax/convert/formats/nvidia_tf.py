"""Pickles of the TensorFlow code bases: StyleGAN2 (version 4) and StyleGAN2-ADA (5).

A snapshot is a tuple (G, D, Gs); files can hold a part of one (`tf_snapshot`).
Each network records keyword arguments and a list of named arrays; a generator's
lie in two components. Against PyTorch, kernels are HWIO, dense weights [in, out],
the up-sampling kernels are turned by 180 degrees, modulation biases are stored
without their initial 1, and constants carry a batch axis (`tf_rules`).
"""

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from aligned_jax.convert import forks
from aligned_jax.convert.counters import counters
from aligned_jax.convert.counters import warning as left_out_warning
from aligned_jax.convert.description import Description, InMemory
from aligned_jax.convert.files.inert import TFNetwork, plain, show
from aligned_jax.convert.files.problems import number
from aligned_jax.convert.formats import foreign_networks, tf_snapshot
from aligned_jax.convert.formats.tf_rules import official_tensors
from aligned_jax.errors import FormatError
from aligned_jax.utils.text import listed

_CODE_BASES = {4: "stylegan2 (TensorFlow)", 5: "stylegan2-ada (TensorFlow)"}

# TensorFlow argument -> place in the official PyTorch arguments.
_GENERATOR = {
    "latent_size": "z_dim",
    "label_size": "c_dim",
    "dlatent_size": "w_dim",
    "resolution": "img_resolution",
    "num_channels": "img_channels",
    "mapping_layers": "mapping_kwargs.num_layers",
    "label_fmaps": "mapping_kwargs.embed_features",
    "mapping_fmaps": "mapping_kwargs.layer_features",
    "mapping_nonlinearity": "mapping_kwargs.activation",
    "mapping_lrmul": "mapping_kwargs.lr_multiplier",
    "w_avg_beta": "mapping_kwargs.w_avg_beta",
    "dlatent_avg_beta": "mapping_kwargs.w_avg_beta",
    "fmap_base": "synthesis_kwargs.channel_base",
    "fmap_max": "synthesis_kwargs.channel_max",
    "num_fp16_res": "synthesis_kwargs.num_fp16_res",
    "conv_clamp": "synthesis_kwargs.conv_clamp",
    "architecture": "synthesis_kwargs.architecture",
    "resample_kernel": "synthesis_kwargs.resample_filter",
    "use_noise": "synthesis_kwargs.use_noise",
    "nonlinearity": "synthesis_kwargs.activation",
}
_DISCRIMINATOR = {
    "label_size": "c_dim",
    "resolution": "img_resolution",
    "num_channels": "img_channels",
    "architecture": "architecture",
    "fmap_base": "channel_base",
    "fmap_max": "channel_max",
    "num_fp16_res": "num_fp16_res",
    "conv_clamp": "conv_clamp",
    "nonlinearity": "block_kwargs.activation",
    "resample_kernel": "block_kwargs.resample_filter",
    "freeze_layers": "block_kwargs.freeze_layers",
    "mapping_layers": "mapping_kwargs.num_layers",
    "mapping_lrmul": "mapping_kwargs.lr_multiplier",
    "mbstd_group_size": "epilogue_kwargs.mbstd_group_size",
    "mbstd_num_features": "epilogue_kwargs.mbstd_num_channels",
}
# Arguments whose recorded None means something: here, a mean of w that stays as it is.
_OFF = {"w_avg_beta": 1.0, "dlatent_avg_beta": 1.0}
# They steer training or evaluation, or repeat what the tensors say.
_HARMLESS = {
    *("truncation_psi", "truncation_cutoff", "truncation_psi_val", "truncation_cutoff_val"),
    *("style_mixing_prob", "structure", "conditioning", "fused_modconv", "randomize_noise"),
    *("dlatent_broadcast", "is_training", "is_validation", "is_template_graph", "return_dlatents"),
    *("dtype", "fmap_decay", "fmap_min", "mapping_func", "synthesis_func"),
}


def read(value: Any) -> tuple[dict[str, Description], dict[str, Any]]:
    """Networks of a TensorFlow snapshot by key, and facts on where they come from.

    `value` is what the inert reader returns for the file (`tf_snapshot.is_snapshot`).
    Raises FormatError when it is no such snapshot or part of one, and when a network is
    not StyleGAN2.
    """
    networks = tf_snapshot.networks_of(value)
    versions = [_version(network, key) for key, network in networks.items()]
    warnings: list[str] = []
    described = {key: _describe(network, key, warnings) for key, network in networks.items()}
    source: dict[str, Any] = {"code_base": _CODE_BASES[versions[-1]], "warnings": warnings}
    averaged = networks.get("G_ema")
    if averaged is not None and networks.get("G") is averaged:
        source["G_is_G_ema"] = True
        described["G"] = described["G_ema"]
    return described, source


def _version(network: TFNetwork, key: str) -> int:
    version = network.state.get("version")
    if isinstance(version, int) and version in _CODE_BASES:
        return version
    names = [name for name, _ in _variables(network, key)]
    foreign_networks.refuse(key, names, _functions(network))
    raise FormatError(
        f"{key} is a TensorFlow network of version {number(version)}; StyleGAN2 writes 4, "
        f"StyleGAN2-ADA 5, StyleGAN1 and ProGAN wrote 3 and below. {foreign_networks.READABLE}"
    )


def _describe(network: TFNetwork, key: str, warnings: list[str]) -> Description:
    variables = dict(_variables(network, key))
    foreign_networks.refuse(key, variables, _functions(network))
    if not variables:
        raise FormatError(f"{key} has no variables, so there is nothing to convert")
    _refuse_variants(key, variables)
    tensors, strange = official_tensors(variables, is_generator=key != "D")
    left_out = counters(variables, strange, variables.keys() - set(strange))
    if strange := [show(name) for name in strange if name not in left_out]:
        _refuse_parts(network, key, variables)
        raise FormatError(f"{key} has variables that StyleGAN2 does not have: {listed(strange)}")
    warnings += [left_out_warning(key, left_out)] * bool(left_out)
    kwargs = _kwargs(network, key, warnings)
    if any("RGB_lod" in name for name in variables):
        _put(kwargs, "architecture" if key == "D" else "synthesis_kwargs.architecture", "orig")
    return Description(key != "D", tensors, kwargs, has_filters=False)


def _variables(network: TFNetwork, key: str) -> list[tuple[str, Any]]:
    """Variables of a network and, prefixed by their name, of its components."""
    parts = [("", network)]
    components = network.state.get("components") or {}
    if not isinstance(components, dict):
        raise FormatError(f"the components of {key} are no dictionary")
    parts += [(f"{name}/", component) for name, component in components.items()]
    variables = []
    for prefix, part in parts:
        pairs = part.state.get("variables") if isinstance(part, TFNetwork) else None
        if not isinstance(pairs, list) or not all(_is_variable(pair) for pair in pairs):
            raise FormatError(f"the variables of {key} are not a list of names and arrays")
        variables += [(prefix + name, _lazy(array)) for name, array in pairs]
    return variables


def _is_variable(pair: Any) -> bool:
    if not isinstance(pair, list | tuple) or len(pair) != 2 or not isinstance(pair[0], str):
        return False
    return hasattr(pair[1], "numpy") or isinstance(pair[1], np.generic)


def _lazy(array: Any) -> Any:
    return InMemory(np.asarray(array)) if isinstance(array, np.generic) else array


def _functions(network: TFNetwork) -> list[str]:
    """Names of the functions that built a network and its components."""
    state = network.state
    components = state.get("components")
    parts = [network, *(components.values() if isinstance(components, dict) else ())]
    named = [part.state.get("build_func_name") for part in parts if isinstance(part, TFNetwork)]
    kwargs = state.get("static_kwargs")
    named += [kwargs.get("synthesis_func")] if isinstance(kwargs, dict) else []
    return [name.rpartition(".")[2] for name in named if isinstance(name, str)]


def _refuse_variants(key: str, variables: Mapping[str, Any]) -> None:
    if any(re.search(r"(^|/)LabelConcat/", name) for name in variables):
        raise FormatError(
            f"{key} joins labels to z without a bias (LabelConcat of the original conditional "
            "StyleGAN2); only networks without labels and the label embedding of StyleGAN2-ADA "
            "(LabelEmbed) can be read"
        )
    sides = [re.search(r"(?:^|/)(\d{1,5})x(\d{1,5})/", name) for name in variables]
    pairs = [(int(match[1]), int(match[2])) for match in sides if match]
    try:
        if oblong := [(height, width) for height, width in pairs if height != width]:
            raise forks.not_square(*max(oblong))
        first = [re.search(r"(?:^|/)(\d{1,5})x\d{1,5}/Const/", name) for name in variables]
        if others := [int(match[1]) for match in first if match and match[1] != "4"]:
            raise forks.begins_at(others[0], others[0])
    except forks.Fork as error:
        raise FormatError(f"{key}: {error}") from None


def _refuse_parts(network: TFNetwork, key: str, variables: Mapping[str, Any]) -> None:
    """Names a network that is another one, or a component of one."""
    is_generator = tf_snapshot.is_generator(network)
    if is_generator is (key == "D"):
        raise FormatError(f"{key} is a {'generator' if is_generator else 'discriminator'}")
    parts = {"synthesis": r"4x4/Const/const", "mapping": r"Dense0/weight"}
    for part, pattern in parts.items():
        if not is_generator and any(re.fullmatch(pattern, name) for name in variables):
            raise FormatError(
                f"it holds the {part} network of a generator without the rest of it; give the "
                "generator (Gs) or a snapshot (G, D, Gs)"
            )


def _kwargs(network: TFNetwork, key: str, warnings: list[str]) -> dict[str, Any]:
    """Recorded arguments in the official PyTorch form; refuses unknown ones by name."""
    given = plain(network.state.get("static_kwargs") or {})
    if not isinstance(given, dict):
        raise FormatError(f"the arguments of {key} are no dictionary")
    # The widths of the discriminator's label mapping are read from its tensors.
    harmless = _HARMLESS | ({"mapping_fmaps"} if key == "D" else set())
    harmless |= {"normalize_latents"} if given.get("normalize_latents", True) is True else set()
    places = _DISCRIMINATOR if key == "D" else _GENERATOR
    extras = {name: given[name] for name in given if name not in places and name not in harmless}
    try:
        given["resolution"] = forks.square_side(given.get("resolution"))
        judged = forks.judge(extras, given["resolution"])
    except forks.Fork as error:
        raise FormatError(f"{key}: {error}") from None
    warnings += [forks.passed_warning(key, judged.passed)] * bool(judged.passed)
    if unknown := [show(name) for name in judged.strangers]:
        raise FormatError(
            f"{key} was built with arguments that are not known here: {listed(unknown)}; it is a "
            "variant of StyleGAN2 whose computation would be a guess"
        )
    kwargs = _defaults(key)
    base = given.get("fmap_base")
    if isinstance(base, int) or (isinstance(base, float) and base.is_integer()):
        given["fmap_base"] = 2 * int(base)  # theirs counts from 2x2 pixels
    for name, place in places.items():
        value = given.get(name)
        value = _OFF.get(name) if value is None and name in given else value
        if value is not None:
            _put(kwargs, place, value)
    if key == "D" and "activation" in kwargs["block_kwargs"]:
        for group in ("mapping_kwargs", "epilogue_kwargs"):
            kwargs[group]["activation"] = kwargs["block_kwargs"]["activation"]
    return kwargs


def _defaults(key: str) -> dict[str, Any]:
    """Where TensorFlow's defaults are not those of stylegan2-ada-pytorch."""
    if key != "D":
        return {"mapping_kwargs": {}, "synthesis_kwargs": {}}
    mapping, epilogue = {"num_layers": 0, "lr_multiplier": 0.1}, {"mbstd_group_size": None}
    return {"block_kwargs": {}, "mapping_kwargs": mapping, "epilogue_kwargs": epilogue}


def _put(kwargs: dict[str, Any], place: str, value: Any) -> None:
    group, _, name = place.rpartition(".")
    (kwargs[group] if group else kwargs)[name] = value
