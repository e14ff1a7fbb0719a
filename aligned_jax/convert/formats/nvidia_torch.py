"""Snapshots of stylegan2-ada-pytorch and of the stylegan3 repository.

A snapshot is a dictionary with G, D, G_ema and augment_pipe. Each network is
an object that records its class, its constructor arguments and, nested by
module, its tensors. The StyleGAN2 networks of both code bases have the same
tensors; the arguments and their defaults differ.
"""

import math
from collections.abc import Iterator, Mapping
from typing import Any

from aligned_jax.config import KEYS
from aligned_jax.convert.description import Description
from aligned_jax.convert.files.inert import PersistentObject, plain, show
from aligned_jax.convert.files.problems import number
from aligned_jax.convert.formats import foreign_networks
from aligned_jax.convert.kwargs import ADA, STYLEGAN3, code_base_of
from aligned_jax.errors import FormatError
from aligned_jax.utils.text import listed

VERSION = 6

_MAX_DEPTH = 16
_MAX_MODULES = 10_000
_GENERATOR_ARGS = ("z_dim", "c_dim", "w_dim", "img_resolution", "img_channels", "mapping_kwargs")
_SIZES = ("c_dim", "img_resolution", "img_channels", "architecture", "channel_base", "channel_max")
_DETAILS = ("num_fp16_res", "conv_clamp", "cmap_dim")
_OF_PARTS = ("block_kwargs", "mapping_kwargs", "epilogue_kwargs")
_DISCRIMINATOR_ARGS = (*_SIZES, *_DETAILS, *_OF_PARTS)  # in order: they may be positional


def read(value: Any) -> tuple[dict[str, Description], dict[str, Any]]:
    """Networks of a snapshot by key, and facts on where they come from.

    `value` is what the inert reader returns for the file: a snapshot, or a
    generator by itself, which then counts as G_ema. Raises FormatError for
    anything else, and when a network is of another family than StyleGAN2.
    """
    networks = _networks(value)
    modules = {key: dict(_modules(network)) for key, network in networks.items()}
    tensors = {key: dict(_tensors(parts)) for key, parts in modules.items()}
    for key, parts in modules.items():
        foreign_networks.refuse(key, tensors[key], [_class_name(part) for part in parts.values()])
        _check_kind(key, parts, is_alone=networks[key] is value)
    code_base = _code_base(networks["G_ema"], modules["G_ema"])
    described = {
        key: Description(
            is_generator=key != "D",
            tensors=tensors[key],
            kwargs=_kwargs(network, key),
            code_base=code_base,
        )
        for key, network in networks.items()
    }
    source: dict[str, Any] = {"code_base": code_base, "warnings": _version_warnings(modules)}
    if networks.get("G") is networks["G_ema"]:
        source["G_is_G_ema"] = True
        described["G"] = described["G_ema"]
    return described, source | _augmentation(value)


def _networks(value: Any) -> dict[str, PersistentObject]:
    if isinstance(value, PersistentObject):
        return {"G_ema": value}
    networks = {key: value[key] for key in KEYS if value.get(key) is not None}
    wrong = [
        f"{key} is a {type(network).__name__}"
        for key, network in networks.items()
        if not isinstance(network, PersistentObject)
    ]
    if wrong:
        raise FormatError(f"{listed(wrong)}, not a network of the official PyTorch code")
    if "G_ema" not in networks:
        raise FormatError(
            "it has no G_ema, the averaged generator that every snapshot of the official "
            f"PyTorch code holds; its keys are {listed(show(key) for key in value)}. "
            "Give a snapshot as training wrote it (network-snapshot-*.pkl)"
        )
    return networks


def _check_kind(key: str, modules: Mapping[str, PersistentObject], is_alone: bool) -> None:
    """Tells a generator from a discriminator by a module that only one of them has."""
    other, kind = ("synthesis.", "generator") if key == "D" else ("b4.", "discriminator")
    if other in modules:
        where = f"it holds a {kind} alone" if is_alone else f"{key} is a {kind}"
        raise FormatError(
            f"{where}; readable are a generator, or a snapshot as training wrote it, with a "
            "generator as G_ema and a discriminator as D"
        )


def _modules(network: PersistentObject) -> Iterator[tuple[str, PersistentObject]]:
    """All modules of a network by dotted prefix ("" for itself), depth first."""
    pending = [("", network, 0)]
    count = 0
    while pending:
        prefix, module, depth = pending.pop()
        count += 1
        if depth > _MAX_DEPTH or count > _MAX_MODULES:
            raise FormatError("the modules of a network are nested beyond measure")
        yield prefix, module
        children = [
            (f"{prefix}{name}.", child, depth + 1)
            for name, child in _part(module, "_modules").items()
            if child is not None
        ]
        if not all(isinstance(child, PersistentObject) for _, child, _ in children):
            raise FormatError(
                f"{show(prefix) or 'a network'} has a part that is no layer of the official code"
            )
        pending.extend(reversed(children))


def _tensors(modules: Mapping[str, PersistentObject]) -> Iterator[tuple[str, Any]]:
    """Parameters and buffers by official name; frozen layers keep theirs as buffers."""
    for prefix, module in modules.items():
        for part in ("_parameters", "_buffers"):
            for name, tensor in _part(module, part).items():
                if tensor is None:
                    continue
                if not hasattr(tensor, "numpy"):
                    raise FormatError(f"{show(prefix + name)} is no tensor")
                yield prefix + name, tensor


def _state(module: PersistentObject) -> Mapping[str, Any]:
    state = module.meta.get("state")
    if not isinstance(state, dict):
        raise FormatError("a network object has no state")
    return state


def _part(module: PersistentObject, name: str) -> Mapping[str, Any]:
    part = _state(module).get(name)
    if part is None:
        return {}
    if not isinstance(part, dict) or not all(isinstance(key, str) for key in part):
        raise FormatError(f"{name} of a network object is no dictionary of names")
    return part


def _class_name(module: PersistentObject) -> str:
    name = module.meta.get("class_name")
    return name if isinstance(name, str) else ""


def _kwargs(network: PersistentObject, key: str) -> dict[str, Any]:
    """Constructor arguments by name, positional ones included."""
    state = _state(network)
    kwargs, args = plain(state.get("_init_kwargs") or {}), plain(state.get("_init_args") or ())
    names = _DISCRIMINATOR_ARGS if key == "D" else (*_GENERATOR_ARGS, "synthesis_kwargs")
    if not isinstance(kwargs, dict) or not isinstance(args, list) or len(args) > len(names):
        raise FormatError(f"the constructor arguments of {key} are not in the usual form")
    return {**dict(zip(names, args, strict=False)), **kwargs}


def _code_base(generator: PersistentObject, modules: Mapping[str, PersistentObject]) -> str:
    """The code base, told by the form of the arguments, else by an attribute that only one has."""
    told = code_base_of(_kwargs(generator, "G_ema"))
    if told:
        return told
    later = any("fused_modconv_default" in _state(module) for module in modules.values())
    return STYLEGAN3 if later else ADA


def _version_warnings(modules: Mapping[str, Mapping[str, PersistentObject]]) -> list[str]:
    versions = [part.meta.get("version") for parts in modules.values() for part in parts.values()]
    others = sorted({number(version) for version in versions if version != VERSION})
    if not others:
        return []
    return [
        f"network objects of version {listed(others)}; this reader knows version {VERSION} and "
        "found the layout to be the same"
    ]


def _augmentation(value: Any) -> dict[str, Any]:
    """The probability that adaptive augmentation had reached, where recorded."""
    pipe = value.get("augment_pipe") if isinstance(value, dict) else None
    if not isinstance(pipe, PersistentObject):
        return {}
    p = _part(pipe, "_buffers").get("p")
    if p is None or not hasattr(p, "numpy") or tuple(p.shape) != ():
        return {}
    value = float(p.numpy())
    return {"augment_p": value} if math.isfinite(value) else {}
