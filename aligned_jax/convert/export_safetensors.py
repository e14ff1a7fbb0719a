"""Writes networks as safetensors with official tensor names and layouts."""

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file

from aligned_jax.config import ALL_KEYS, AnyConfig, describe
from aligned_jax.convert.formats.own_exports import FORMAT_VERSION, METADATA_KEY
from aligned_jax.convert.new_file import appearing, finite
from aligned_jax.convert.rules import to_official
from aligned_jax.errors import FormatError
from aligned_jax.types import Variables
from aligned_jax.utils.checksums import checksum_of, sealed
from aligned_jax.utils.text import listed


def write_safetensors(
    path: str | os.PathLike,
    networks: Mapping[str, tuple[AnyConfig, Variables | Callable[[], Variables]]],
    provenance: Mapping[str, Any] | None = None,
    half: bool = False,
    overwrite: bool = True,
) -> None:
    """Writes networks {"G_ema" | "G" | "D" | "E": (config, variables)} to one file.

    Variables may be a function that returns them, called when their turn comes,
    so that only one network is in memory twice. A single network keeps the
    official names, so that in PyTorch `G.load_state_dict(load_file(path))`
    takes it; several get their key as a prefix. `half` stores float16, half the
    size and about three digits. The file appears under its name only when it is
    complete; without `overwrite` it never replaces another. Its folder is made.

    Raises FormatError when a key is unknown, naming every tensor that is not
    finite, and when the file cannot be written, for instance because the disk
    is full; nothing is left behind.
    """
    path = Path(path)
    unknown = [key for key in networks if key not in ALL_KEYS]
    if unknown or not networks:
        raise FormatError(
            f"networks are {listed(unknown) or 'none'}; keys are {', '.join(ALL_KEYS)}"
        )
    tensors = _tensors(networks)
    if half:
        with np.errstate(over="ignore"):  # what is too large for it is found below
            tensors = {name: tensor.astype(np.float16) for name, tensor in tensors.items()}
    finite(path, tensors)
    metadata = {METADATA_KEY: json.dumps(_manifest(networks, provenance, tensors))}
    with appearing(path, overwrite) as temporary:
        save_file(tensors, temporary, metadata)


def _tensors(
    networks: Mapping[str, tuple[AnyConfig, Variables | Callable[[], Variables]]],
) -> dict[str, np.ndarray]:
    """All tensors under the names that they have in the file."""
    tensors: dict[str, np.ndarray] = {}
    for key, (config, variables) in networks.items():
        prefix = f"{key}." if len(networks) > 1 else ""
        official = to_official(config, variables() if callable(variables) else variables)
        tensors |= {f"{prefix}{name}": tensor for name, tensor in official.items()}
    return tensors


def _manifest(
    networks: Mapping[str, tuple[AnyConfig, Any]],
    provenance: Mapping[str, Any] | None,
    tensors: Mapping[str, np.ndarray],
) -> dict[str, Any]:
    document = {
        "format_version": FORMAT_VERSION,
        "networks": describe({key: config for key, (config, _) in networks.items()}),
        "provenance": provenance,
        "checksum": checksum_of((name, tensors[name]) for name in sorted(tensors)),
    }
    return sealed(document)
