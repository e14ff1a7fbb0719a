"""Reads safetensors files: our own exports, and state dicts with official names.

Our own files record the configs in the header; for others see `state_dicts`.
"""

import json
import os
from dataclasses import dataclass
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open

from aligned_jax.config import ALL_KEYS, KINDS, AnyConfig, GeneratorConfig, from_dict
from aligned_jax.convert.description import Description
from aligned_jax.convert.files.inert import plain, show
from aligned_jax.convert.files.problems import number
from aligned_jax.convert.formats import families, state_dicts
from aligned_jax.errors import FormatError
from aligned_jax.utils.text import listed

METADATA_KEY = "aligned_jax"
FORMAT_VERSION = 1

_DTYPES = {"F16": "float16", "BF16": "bfloat16", "F32": "float32", "F64": "float64"}


@dataclass(frozen=True, eq=False)
class _Entry:
    """One tensor of an open file, read on demand."""

    file: Any
    name: str
    shape: tuple[int, ...]
    dtype: str

    def numpy(self) -> np.ndarray:
        try:
            return self.file.get_tensor(self.name)
        except (SafetensorError, OSError, TypeError, ValueError) as error:
            raise FormatError(f"{show(self.name)} cannot be read ({show(str(error))})") from None


def is_safetensors(path: str | os.PathLike) -> bool:
    """Whether a file begins as safetensors do: eight bytes of length, then a JSON object."""
    try:
        with open(path, "rb") as file:
            head = file.read(9)
    except OSError:
        return False
    return len(head) == 9 and head[4:8] == b"\0\0\0\0" and head[8:] == b"{"


def read(path: str | os.PathLike) -> tuple[dict[str, Description], dict[str, Any]]:
    """Networks of a file by key, and facts on where they come from.

    Raises FormatError for a damaged header, and for anything but StyleGAN2
    networks under official names.
    """
    entries, metadata = read_tensors(path)
    manifest = _manifest(metadata.get(METADATA_KEY))
    if manifest is None:
        return state_dicts.read(entries)
    networks = manifest["networks"]
    parts = (
        dict.fromkeys(networks, entries)
        if len(networks) == 1
        else state_dicts.split(entries, ALL_KEYS)
    )
    if set(parts) != set(networks):
        raise FormatError(
            f"its header describes {listed(networks)}, its tensors are those of {listed(parts)}"
        )
    described = {}
    for key, tensors in parts.items():
        families.refuse(key, tensors)
        config = _config(key, networks[key])
        described[key] = Description(isinstance(config, GeneratorConfig), tensors, config=config)
    source: dict[str, Any] = {"code_base": "aligned_jax", "warnings": []}
    if manifest.get("provenance") is not None:
        source["provenance"] = manifest["provenance"]
    return described, source


def read_tensors(path: str | os.PathLike) -> tuple[dict[str, Any], dict[str, str]]:
    """All tensors by name, each read when its `numpy()` is called, and the header's texts.

    Raises FormatError for a damaged file.
    """
    try:
        file = safe_open(os.fspath(path), framework="np")
        metadata = file.metadata() or {}
        entries = {name: _entry(file, name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, ValueError) as error:
        raise FormatError(
            f"it is no valid safetensors file ({show(str(error))}); it is damaged or cut short"
        ) from None
    return entries, metadata


def _entry(file: Any, name: str) -> _Entry:
    view = file.get_slice(name)
    stored = view.get_dtype()
    return _Entry(file, name, tuple(view.get_shape()), _DTYPES.get(stored, stored))


def _manifest(text: str | None) -> dict[str, Any] | None:
    """Our metadata, or None in files of others."""
    if text is None:
        return None
    try:
        manifest = json.loads(text)
    except (ValueError, RecursionError):
        raise FormatError("its header holds metadata of ours that is damaged") from None
    manifest = manifest if isinstance(manifest, dict) else {}
    version = manifest.get("format_version")
    if version != FORMAT_VERSION:
        raise FormatError(
            f"its format version is {number(version)}, this release reads {FORMAT_VERSION}; "
            "update aligned_jax"
        )
    networks = plain(manifest.get("networks"))
    if not isinstance(networks, dict) or not networks or not set(networks) <= set(ALL_KEYS):
        raise FormatError(f"its header does not name networks out of {', '.join(ALL_KEYS)}")
    return {**manifest, "networks": networks}


def _config(key: str, recorded: Any) -> AnyConfig:
    kind = recorded.get("kind") if isinstance(recorded, dict) else None
    if kind not in KINDS:
        raise FormatError(f"the header says of {key} none of {', '.join(KINDS)}")
    return from_dict(KINDS[kind], recorded.get("config"), f"the config of {key}")
