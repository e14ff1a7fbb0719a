"""Reads any official file: what it holds, checked, with arrays on demand."""

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aligned_jax.config import ALL_KEYS, ENCODER, AnyConfig, EncoderConfig
from aligned_jax.convert import counters, deduce, forks, kwargs
from aligned_jax.convert.checks import rounded, tensor_problems
from aligned_jax.convert.description import Description
from aligned_jax.convert.files.container import Loaded, read_pickle
from aligned_jax.convert.files.inert import PersistentObject, noun, show, walk
from aligned_jax.convert.files.mapped import release
from aligned_jax.convert.files.safetensors_file import is_safetensors
from aligned_jax.convert.files.tensor import Tensor
from aligned_jax.convert.formats import (
    foreign_networks,
    nvidia_tf,
    nvidia_torch,
    own_exports,
    tensor_dicts,
    tf_snapshot,
)
from aligned_jax.convert.programs.program import is_program
from aligned_jax.convert.rules import from_official, official_shapes
from aligned_jax.errors import ConfigError, FormatError, UserError
from aligned_jax.networks import fingerprint
from aligned_jax.utils.text import listed

Described = tuple[dict[str, Description], dict[str, Any]]


@dataclass(frozen=True, eq=False)
class Converted:
    """A network whose tensors have been checked and are still in their file.

    `tensors` maps official names to lazy tensors (`shape`, `dtype`, `numpy()`).
    """

    config: AnyConfig
    tensors: Mapping[str, Tensor]

    def variables(self) -> dict[str, Any]:
        """Nested float32 NumPy arrays in our layout, read now; nothing is kept."""
        variables = from_official(self.config, self.tensors)
        release(self.tensors.values())
        return variables


@dataclass(frozen=True, eq=False)
class Official:
    """The networks of an official file by key (G_ema, G, D, E), and their origin.

    `source` is JSON-able: format, code_base, file, bytes, sha256, warnings, and
    where known augment_p, G_is_G_ema, an encoder's generator and the provenance of an
    exported file.
    """

    networks: dict[str, Converted]
    source: dict[str, Any]


def read_official(path: str | os.PathLike) -> Official:
    """Reads a .pkl, .pt or .safetensors file without running anything from it.

    Every tensor of every network is checked (names, shapes, types, finite
    values, filters, agreement with the recorded arguments), one at a time; the
    arrays are made when `Converted.variables` is called, from the file, which
    stays mapped.

    Raises FormatError beginning with the file's name: what was found, what was
    expected, and what would work; all bad tensors are listed at once.
    """
    name = os.path.basename(os.fspath(path))
    if is_program(path):
        raise FormatError(
            f"{name}: this is a program, of which networks are not read back; give the network "
            "that it was made from (`aligned info` names it)"
        )
    if is_safetensors(path):
        kind, read = "safetensors", lambda: own_exports.read(path)
    else:
        loaded = read_pickle(path)
        kind, read = loaded.container, lambda: _describe(loaded)
    try:
        described, source = read()
        networks, warnings = _checked(described)
        origin = {"format": kind, **_file_facts(path, name)}
        if ENCODER in networks and "G_ema" in networks:
            variables = networks["G_ema"].variables()
            origin["generator"] = {"network": name, "sha256": fingerprint(variables)}
        elif ENCODER in networks:  # one of our own files says whose it is
            known = source.get("provenance")
            whose = known.get("generator") if isinstance(known, dict) else None
            origin |= {"generator": whose} if isinstance(whose, dict) else {}
    except UserError as error:
        raise FormatError(f"{name}: {error}") from None
    return Official(networks, {**origin, **source, "warnings": source["warnings"] + warnings})


def _describe(loaded: Loaded) -> Described:
    """Picks the reader for what a pickle or torch file holds."""
    value = loaded.value
    if loaded.unknown_globals:
        foreign_networks.refuse_unknown(loaded.unknown_globals, _class_names(value))
    if tf_snapshot.is_snapshot(value):
        return nvidia_tf.read(value)
    if isinstance(value, PersistentObject):
        return nvidia_torch.read(value)
    if isinstance(value, dict):
        if any(isinstance(item, PersistentObject) for item in value.values()):
            return nvidia_torch.read(value)
        if (described := tensor_dicts.read(value)) is not None:
            return described
        foreign_networks.refuse("the file", _names(value))
    content = noun(value)
    if isinstance(value, dict):
        content = f"a dictionary with the keys {listed(_names(value)) or '(none)'}"
    raise FormatError(
        f"it holds {content}, and no network that can be read. {foreign_networks.READABLE}"
    )


def _checked(described: Mapping[str, Description]) -> tuple[dict[str, Converted], list[str]]:
    """Networks with their configs; raises FormatError with everything that is wrong."""
    keys: dict[Description, list[str]] = {}  # one network can stand under two keys
    for key in sorted(described, key=ALL_KEYS.index):
        keys.setdefault(described[key], []).append(key)
    networks: dict[str, Converted] = {}
    problems: list[str] = []
    warnings: list[str] = []
    for description, names in keys.items():
        where, tensors = " and ".join(names), description.tensors
        try:
            config = _config(description)
            if description.config is None:  # a file of others
                tensors, said = _without_counters(where, config, tensors)
                warnings += said + _passed_over(where, description)
            faults = tensor_problems(config, tensors, description.has_filters)
        except (ConfigError, FormatError) as error:
            faults = [str(error)]
        problems += [f"{where}: {problem}" for problem in faults]
        release(tensors.values())
        # Who exported with --half knows it.
        if description.config is None and (others := rounded(tensors)):
            warnings.append(f"{where}: not stored as float32: {listed(others)}")
        if not faults:
            networks |= dict.fromkeys(names, Converted(config, tensors))
    if problems:
        raise FormatError(listed(problems, separator="; "))
    return networks, warnings


def _config(description: Description) -> AnyConfig:
    shapes = {name: tuple(tensor.shape) for name, tensor in description.tensors.items()}
    if isinstance(description.config, EncoderConfig):
        return description.config
    if description.config is not None:
        deduce.check_sizes(description.config, shapes)
        return description.config
    forks.check_shapes(shapes)
    kind = deduce.generator if description.is_generator else deduce.discriminator
    return kind(shapes, description.kwargs, description.code_base)


def _without_counters(
    where: str, config: AnyConfig, tensors: Mapping[str, Tensor]
) -> tuple[Mapping[str, Tensor], list[str]]:
    """Tensors without single numbers that no layer uses, and a warning that names those."""
    expected = official_shapes(config)
    strange = [name for name in tensors if name not in expected]
    names = counters.counters(tensors, strange, expected)
    if not names:
        return tensors, []
    kept = {name: tensor for name, tensor in tensors.items() if name not in set(names)}
    return kept, [counters.warning(where, names)]


def _passed_over(where: str, description: Description) -> list[str]:
    """A warning that names the arguments of a fork that seem to change nothing, if any."""
    names = kwargs.passed_over(description.kwargs, description.is_generator)
    return [forks.passed_warning(where, names)] * bool(names)


def _file_facts(path: str | os.PathLike, name: str) -> dict[str, Any]:
    with open(path, "rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        return {"file": name, "bytes": file.tell(), "sha256": digest}


def _names(value: Mapping[Any, Any]) -> list[str]:
    return [show(str(key)) for key in value]


def _class_names(value: Any) -> list[str]:
    objects = (node for node in walk(value) if isinstance(node, PersistentObject))
    names = [node.meta.get("class_name") for node in objects]
    return [name for name in names if isinstance(name, str)]
