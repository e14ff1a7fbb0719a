"""Writes networks as safetensors with official tensor names and layouts."""

import json
import os
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import save_file

from aligned_jax.config import ALL_KEYS, AnyConfig, describe
from aligned_jax.convert.formats.exported import FORMAT_VERSION, METADATA_KEY
from aligned_jax.convert.rules import to_official
from aligned_jax.errors import FormatError
from aligned_jax.types import Variables
from aligned_jax.utils.seal import checksum_of, sealed
from aligned_jax.utils.text import listed


def write_safetensors(
    path: str | os.PathLike,
    networks: Mapping[str, tuple[AnyConfig, Variables | Callable[[], Variables]]],
    provenance: Mapping[str, Any] | None = None,
    half: bool = False,
) -> None:
    """Writes networks {"G_ema" | "G" | "D" | "E": (config, variables)} to one file.

    Variables may be a function that returns them, called when their turn comes,
    so that only one network is in memory twice. A single network keeps the
    official names, so that in PyTorch `G.load_state_dict(load_file(path))`
    takes it; several get their key as a prefix. `half` stores float16, half the
    size and about three digits. The file appears under its name only when it is
    complete, and replaces what was there; its folder is made.

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
    if bad := [name for name, tensor in tensors.items() if not np.isfinite(tensor).all()]:
        raise FormatError(f"{path} was not written: values that are not finite in {listed(bad)}")
    metadata = {METADATA_KEY: json.dumps(_manifest(networks, provenance, tensors))}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as error:
        raise FormatError(f"{path} cannot be written: {error.strerror}") from None
    os.close(descriptor)
    try:
        save_file(tensors, temporary, metadata)
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, path)
    except (OSError, SafetensorError) as error:
        raise FormatError(
            f"{path} cannot be written ({error}); nothing was left behind. Is the disk full?"
        ) from None
    finally:
        Path(temporary).unlink(missing_ok=True)


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


def _umask() -> int:
    """The process's mask, which temporary files ignore; there is no way to only read it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
